"""The simulated Hetzner Cloud's addresses, by Hetzner's own client."""

from typing import Any

from hcloud.locations.domain import Location
from hcloud.servers.domain import ServerCreatePublicNetwork

from tests.simulators.hetzner.client import new_server, refused


def test_an_address_outlives_the_server_that_has_it(client: Any) -> None:
    address = client.primary_ips.create(
        "ipv4", "kept", location=Location(name="fsn1"), assignee_type="server"
    ).primary_ip
    public = ServerCreatePublicNetwork(ipv4=address, enable_ipv6=True)
    server = new_server(client, public_net=public)
    assert server.public_net.ipv4.ip == address.ip
    with refused("server_not_stopped"):
        client.primary_ips.delete(address)
    with refused("primary_ip_already_assigned"):
        new_server(client, name="second", public_net=public)
    server.delete().wait_until_finished()
    address.reload()
    assert address.assignee_id is None
    assert client.primary_ips.update(address, name="other").name == "other"
    assert client.primary_ips.delete(address)


def test_a_server_takes_no_address_of_another_place(client: Any) -> None:
    far = client.primary_ips.create("ipv4", "far", location=Location(name="ash")).primary_ip
    with refused("invalid_input"):
        new_server(client, public_net=ServerCreatePublicNetwork(ipv4=far))
