"""Servers' places on the simulated Hetzner Cloud's networks, by Hetzner's own client."""

from typing import Any

import pytest
from hcloud.networks.domain import NetworkSubnet

from tests.simulators.hetzner.client import new_network, new_server, refused


def test_a_server_comes_onto_a_network_and_leaves_it(client: Any) -> None:
    network, server = new_network(client), new_server(client)
    server.attach_to_network(network, ip="10.77.1.9", ip_range="10.77.1.0/24").wait_until_finished()
    server.reload()
    (place,) = server.private_net
    assert (place.network.id, place.ip) == (network.id, "10.77.1.9")
    assert [each.id for each in client.networks.get_by_id(network.id).servers] == [server.id]
    server.detach_from_network(network).wait_until_finished()
    server.reload()
    assert server.private_net == []
    with refused("not_found"):
        server.detach_from_network(network)


def test_a_server_that_asks_for_no_address_gets_a_free_one(client: Any) -> None:
    network = new_network(client, ip_range="10.77.1.0/24")
    for name, address in (("one", "10.77.1.2"), ("two", "10.77.1.3")):
        server = new_server(client, name=name)
        server.attach_to_network(network).wait_until_finished()
        server.reload()
        assert server.private_net[0].ip == address, "the first is the gateway's"


def test_a_deleted_server_leaves_its_network_and_a_deleted_network_its_servers(client: Any) -> None:
    network, first, second = new_network(client), new_server(client), new_server(client, name="two")
    for server in (first, second):
        server.attach_to_network(network).wait_until_finished()
    first.delete().wait_until_finished()
    network.reload()
    assert [each.id for each in network.servers] == [second.id]
    assert network.delete()
    assert client.servers.get_by_id(second.id).private_net == []


@pytest.mark.parametrize("ip", ["10.77.0.1", "10.77.1.0", "10.77.1.255", "10.77.2.2", "10.77.1.2"])
def test_an_address_that_is_not_free_is_refused(client: Any, ip: str) -> None:
    network = new_network(client)
    new_server(client).attach_to_network(network, ip="10.77.1.2").wait_until_finished()
    with refused("ip_not_available"):
        new_server(client, name="two").attach_to_network(network, ip=ip)


def test_a_server_is_on_a_network_once_in_its_zone_and_on_none_that_overlaps(client: Any) -> None:
    network, server = new_network(client), new_server(client)
    server.attach_to_network(network).wait_until_finished()
    with refused("server_already_attached"):
        server.attach_to_network(network)
    with refused("networks_overlap"):
        server.attach_to_network(new_network(client, name="over"))
    far = NetworkSubnet("10.99.1.0/24", "cloud", "us-east")
    with refused("no_subnet_available"):
        server.attach_to_network(new_network(client, name="far", ip_range="10.99.0.0/16", subnet=far))
