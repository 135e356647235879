"""The simulated Hetzner Cloud's answers have the fields that Hetzner's own client knows."""

from typing import Any

import pytest
from hcloud.actions.domain import Action
from hcloud.firewalls.domain import Firewall
from hcloud.images.domain import Image
from hcloud.locations.domain import Location
from hcloud.networks.domain import Network
from hcloud.placement_groups.domain import PlacementGroup
from hcloud.primary_ips.domain import PrimaryIP
from hcloud.server_types.domain import ServerType
from hcloud.servers.domain import Server
from hcloud.ssh_keys.domain import SSHKey
from hcloud.volumes.domain import Volume

from tests.samples import KEY
from tests.simulators.cloud import Cloud
from tests.simulators.hetzner.client import OUT, new_server, new_volume, raw

ADDED = {
    "servers": {"load_balancers"},
    "images": {"deleted", "deprecated"},
    "networks": {"load_balancers"},
}
"""Fields of the API that the client's classes leave out."""


def _fields(model: type) -> set[str]:
    return set(model.__api_properties__)  # type: ignore[attr-defined] # every class of the client has them


@pytest.mark.parametrize(
    ("table", "model"),
    [
        ("servers", Server),
        ("firewalls", Firewall),
        ("volumes", Volume),
        ("ssh_keys", SSHKey),
        ("placement_groups", PlacementGroup),
        ("networks", Network),
        ("primary_ips", PrimaryIP),
        ("server_types", ServerType),
        ("locations", Location),
        ("images", Image),
    ],
)
def test_an_answer_has_the_fields_that_the_client_knows(cloud: Cloud, client: Any, table: str, model: type) -> None:
    _one_of_each(client)
    row = raw(cloud, "GET", f"/{table}").json()[table][0]
    assert set(row) - ADDED.get(table, set()) == _fields(model)


def test_an_action_has_the_fields_that_the_client_knows(cloud: Cloud, client: Any) -> None:
    made = client.volumes.create(10, "data", location=Location(name="fsn1"))
    assert set(raw(cloud, "GET", f"/actions/{made.action.id}").json()["action"]) == _fields(Action)


def _one_of_each(client: Any) -> None:
    client.ssh_keys.create("someone", KEY)
    client.firewalls.create("wall", rules=[OUT])
    client.placement_groups.create("apart", "spread")
    client.networks.create("private", "10.77.0.0/16")
    client.primary_ips.create("ipv4", "kept", location=Location(name="fsn1"))
    new_volume(client)
    new_server(client)
