"""The simulated Hetzner Cloud's networks and their subnets, by Hetzner's own client."""

from typing import Any

import pytest
from hcloud.networks.domain import NetworkSubnet

from tests.simulators.cloud import Cloud
from tests.simulators.hetzner.client import SUBNET, new_network, new_server, raw, refused


def test_a_network_with_its_subnet_is_made_changed_and_deleted(client: Any) -> None:
    network = client.networks.create("private", "10.77.0.0/16", labels={"a": "b"})
    network.add_subnet(SUBNET).wait_until_finished()
    network.reload()
    shown = [(part.ip_range, part.network_zone, part.gateway) for part in network.subnets]
    assert shown == [("10.77.1.0/24", "eu-central", "10.77.0.1")]
    assert network.update(name="other", labels={}).name == "other"
    network.delete_subnet(SUBNET).wait_until_finished()
    network.reload()
    assert network.subnets == []
    assert network.delete()
    with refused("not_found"):
        network.delete_subnet(SUBNET)


def test_a_network_is_changed_by_one_action_at_a_time(cloud: Cloud, client: Any) -> None:
    network = client.networks.create("private", "10.77.0.0/16")
    network.add_subnet(SUBNET)
    done = raw(cloud, "POST", f"/networks/{network.id}/actions/delete_subnet", json={"ip_range": "10.77.1.0/24"})
    assert (done.status_code, done.json()["error"]["code"]) == (409, "conflict")
    cloud.advance(60)
    assert network.delete_subnet(SUBNET).command == "delete_subnet"


def test_a_subnet_with_servers_and_a_protected_network_are_not_deleted(client: Any) -> None:
    network, server = new_network(client), new_server(client)
    server.attach_to_network(network).wait_until_finished()
    with refused("service_error"):
        network.delete_subnet(SUBNET)
    network.change_protection(delete=True).wait_until_finished()
    with refused("protected"):
        network.delete()


@pytest.mark.parametrize(
    "subnet",
    [
        NetworkSubnet("10.78.0.0/24", "cloud", "eu-central"),
        NetworkSubnet("10.77.1.128/25", "cloud", "eu-central"),
        NetworkSubnet("10.77.2.0/24", "cloud", "moon"),
        NetworkSubnet("10.77.2.1/24", "cloud", "eu-central"),
    ],
    ids=lambda subnet: f"{subnet.ip_range} {subnet.network_zone}",
)
def test_a_subnet_that_can_not_be_is_refused(client: Any, subnet: NetworkSubnet) -> None:
    network = new_network(client)
    with refused("invalid_input"):
        network.add_subnet(subnet)


@pytest.mark.parametrize("ip_range", ["192.0.2.0/24", "10.77.0.1/16", "nonsense"])
def test_a_network_is_of_private_addresses(client: Any, ip_range: str) -> None:
    with refused("invalid_input"):
        client.networks.create("private", ip_range)
