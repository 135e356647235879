"""The simulated Hetzner Cloud's actions, which take time, by Hetzner's own client."""

from typing import Any

from hcloud.images.domain import Image
from hcloud.server_types.domain import ServerType

from tests.simulators.cloud import Cloud
from tests.simulators.hetzner.client import refused


def test_an_action_runs_for_a_while_before_it_succeeds(cloud: Cloud, client: Any) -> None:
    made = client.servers.create("one", ServerType(name="cx33"), Image(name="debian-13"))
    assert (made.action.status, made.server.status) == ("running", "initializing")
    assert [action.command for action in made.next_actions] == ["start_server"]
    cloud.advance(60)
    made.action.reload()
    made.server.reload()
    assert (made.action.status, made.action.progress, made.server.status) == ("success", 100, "running")


def test_actions_are_listed_by_id_as_the_provider_polls_them(cloud: Cloud, client: Any) -> None:
    made = client.servers.create("one", ServerType(name="cx33"), Image(name="debian-13"))
    wanted = [made.action.id, made.next_actions[0].id]
    listed = client._client.request("GET", "/actions", params={"id": wanted, "sort": ["status", "id"]})
    assert sorted(action["id"] for action in listed["actions"]) == sorted(wanted)


def test_a_busy_server_is_locked(cloud: Cloud, client: Any) -> None:
    made = client.servers.create("one", ServerType(name="cx33"), Image(name="debian-13"))
    with refused("locked"):
        made.server.delete()
    cloud.advance(60)
    assert made.server.delete().command == "delete_server"
