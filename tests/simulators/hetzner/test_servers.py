"""The simulated Hetzner Cloud's servers, by Hetzner's own client."""

from typing import Any

import pytest
from hcloud.firewalls.domain import Firewall
from hcloud.images.domain import Image
from hcloud.locations.domain import Location
from hcloud.server_types.domain import ServerType
from hcloud.ssh_keys.domain import SSHKey

from tests.simulators.cloud import Cloud
from tests.simulators.hetzner.client import OUT, new_server, raw, refused


def test_a_server_is_behind_its_firewall_from_its_first_moment_on(cloud: Cloud, client: Any) -> None:
    wall = client.firewalls.create("wall", rules=[OUT]).firewall
    server = new_server(client, firewalls=[wall])
    moments = [state["state"]["servers"].get(str(server.id)) for state in cloud.history()["states"]]
    assert [moment["firewalls"] for moment in moments if moment] == [[wall.id], [wall.id]]
    assert [moment["status"] for moment in moments if moment] == ["initializing", "running"]


def test_a_server_lives_through_power_type_and_deletion(client: Any) -> None:
    server = new_server(client, location=Location(name="nbg1"), labels={"a": "b"})
    assert (server.status, server.location.name, server.server_type.name) == ("running", "nbg1", "cx33")
    assert server.public_net.ipv4.ip
    assert server.public_net.ipv6.ip
    with refused("server_not_stopped"):
        server.change_type(ServerType(name="cx43"), upgrade_disk=True)
    server.shutdown().wait_until_finished()
    server.change_type(ServerType(name="cx43"), upgrade_disk=True).wait_until_finished()
    server.power_on().wait_until_finished()
    server.reload()
    assert (server.status, server.server_type.name, server.primary_disk_size) == ("running", "cx43", 160)
    assert server.update(name="two").name == "two"
    server.delete().wait_until_finished()
    assert client.servers.get_all() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "not a host name"},
        {"server_type": ServerType(name="cx99")},
        {"image": Image(name="plan9")},
        {"server_type": ServerType(name="cx33"), "location": Location(name="ash")},
        {"user_data": "x" * (32 * 1024 + 1)},
        {"labels": {"a label": "x"}},
    ],
    ids=str,
)
def test_a_server_that_can_not_be_is_refused(client: Any, wrong: dict[str, Any]) -> None:
    with refused("invalid_input"):
        new_server(client, **wrong)
    assert client.servers.get_all() == []


def test_what_a_server_names_has_to_be_there(client: Any) -> None:
    with refused("not_found"):
        new_server(client, ssh_keys=[SSHKey(id=1)])
    with refused("not_found"):
        new_server(client, firewalls=[Firewall(id=1)])


def test_user_data_is_kept_and_never_shown(cloud: Cloud, client: Any) -> None:
    server = new_server(client, user_data="#cloud-config\nsecret")
    assert "secret" not in raw(cloud, "GET", f"/servers/{server.id}").text
    assert cloud.state()["servers"][str(server.id)]["_user_data"] == "#cloud-config\nsecret"
