"""The simulated Hetzner Cloud's firewalls, by Hetzner's own client."""

from typing import Any

import pytest
from hcloud.firewalls.domain import FirewallResource, FirewallRule
from hcloud.servers.domain import Server

from tests.simulators.hetzner.client import OUT, new_server, refused


def test_a_firewall_obeys_an_empty_list_of_rules(client: Any) -> None:
    """That old rules stay is the provider's doing: it does not make this call."""
    wall = client.firewalls.create("wall", rules=[OUT]).firewall
    assert [rule.port for rule in wall.rules] == ["443"]
    for action in client.firewalls.set_rules(wall, []):
        action.wait_until_finished()
    assert client.firewalls.get_by_id(wall.id).rules == []
    assert client.firewalls.delete(wall)
    assert client.firewalls.get_all() == []


def test_a_firewall_in_use_is_not_deleted(client: Any) -> None:
    wall = client.firewalls.create("wall", rules=[OUT]).firewall
    server = new_server(client, firewalls=[wall])
    with refused("resource_in_use"):
        client.firewalls.delete(wall)
    for action in client.firewalls.remove_from_resources(wall, [FirewallResource("server", server=server)]):
        action.wait_until_finished()
    assert client.firewalls.delete(wall)


def test_a_firewall_is_applied_later_and_once(client: Any) -> None:
    wall, server = client.firewalls.create("wall", rules=[OUT]).firewall, new_server(client)
    for action in client.firewalls.apply_to_resources(wall, [FirewallResource("server", server=server)]):
        action.wait_until_finished()
    assert [applied.server.id for applied in client.firewalls.get_by_id(wall.id).applied_to] == [server.id]
    with refused("firewall_already_applied"):
        client.firewalls.apply_to_resources(wall, [FirewallResource("server", server=server)])
    with refused("firewall_resource_not_found"):
        client.firewalls.apply_to_resources(wall, [FirewallResource("server", server=Server(id=1))])


@pytest.mark.parametrize(
    "rule",
    [
        FirewallRule("out", "tcp", destination_ips=["0.0.0.0/0"]),
        FirewallRule("out", "tcp", port="99999", destination_ips=["0.0.0.0/0"]),
        FirewallRule("out", "icmp", port="1", destination_ips=["0.0.0.0/0"]),
        FirewallRule("out", "tcp", port="443", source_ips=["0.0.0.0/0"]),
        FirewallRule("in", "tcp", port="443", source_ips=["10.0.0.1/8"]),
        FirewallRule("sideways", "tcp", port="443", destination_ips=["0.0.0.0/0"]),
    ],
)
def test_a_rule_that_can_not_be_is_refused(client: Any, rule: FirewallRule) -> None:
    with refused("invalid_input"):
        client.firewalls.create("wall", rules=[rule])
