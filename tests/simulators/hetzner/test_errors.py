"""How the simulated Hetzner Cloud refuses, whatever is asked for."""

from typing import Any

from tests.simulators.cloud import Cloud
from tests.simulators.hetzner.client import new_server, new_volume, raw, refused


def test_what_is_protected_is_not_deleted(client: Any) -> None:
    volume, server = new_volume(client), new_server(client)
    volume.change_protection(delete=True).wait_until_finished()
    server.change_protection(delete=True, rebuild=True).wait_until_finished()
    with refused("protected"):
        volume.delete()
    with refused("protected"):
        server.delete()
    volume.change_protection(delete=False).wait_until_finished()
    assert volume.delete()


def test_a_field_that_is_not_simulated_is_refused_and_not_swallowed(cloud: Cloud) -> None:
    done = raw(cloud, "POST", "/firewalls", json={"name": "wall", "colour": "red"})
    assert (done.status_code, done.json()["error"]["code"]) == (422, "invalid_input")
    assert done.json()["error"]["details"]["fields"][0]["name"] == "colour"


def test_unknown_paths_and_broken_json_are_errors_of_the_api(cloud: Cloud) -> None:
    assert raw(cloud, "GET", "/nothing").json()["error"]["code"] == "not_found"
    assert raw(cloud, "POST", "/firewalls", data="{").json()["error"]["code"] == "json_error"
