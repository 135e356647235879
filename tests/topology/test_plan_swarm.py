"""The network plan of a Swarm: the same links, with names in the place of addresses."""

from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from settings.load import SettingsError
from settings.nodes import MOST
from settings.stack import Settings
from tests.samples import cloud_stack, service, settings, swarm_stack
from tests.topology.test_plan import service_maps
from topology.links import links
from topology.model import ANY
from topology.names import CLOUDFLARED, GATEWAY, RESOLVER
from topology.nodes import instances
from topology.plan import plan


def _swarm(services: dict[str, Any]) -> Settings:
    """Random names may be reserved or clash: those are errors of their own, tested elsewhere."""
    raw = swarm_stack()
    raw["services"] = services
    try:
        return settings(raw)
    except SettingsError:
        assume(False)
        raise


@given(service_maps())
def test_a_link_is_of_services_and_not_of_replicas(services: dict[str, Any]) -> None:
    stack = _swarm(services)
    found = {(network.client, network.server) for network in plan(stack).networks if network.kind == "link"}
    one_each = cloud_stack(services={name: {**given, "replicas": 1} for name, given in services.items()})
    assert found == set(links(settings(one_each)))


@given(service_maps())
def test_no_two_networks_overlap_and_all_lie_in_the_pool(services: dict[str, Any]) -> None:
    stack = _swarm(services)
    subnets = [network.subnet for network in plan(stack).networks]
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))
    assert all(subnet.subnet_of(IPv4Network(stack.network.pool)) for subnet in subnets)


@given(service_maps(), st.integers(2, 9))
def test_another_service_or_replica_moves_no_network(services: dict[str, Any], replicas: int) -> None:
    before = {network.name: network.subnet for network in plan(_swarm(services)).networks}
    more = {name: {**given, "replicas": replicas} for name, given in services.items()}
    after = {network.name: network.subnet for network in plan(_swarm({**more, "newcomer": service()})).networks}
    assert before.items() <= after.items()


def test_only_resolvers_have_addresses_and_tasks_are_put_elsewhere() -> None:
    topology = plan(settings(swarm_stack()))
    egress = topology.network("egress")
    fixed = {node: address for node, address in egress.members.items() if address != ANY}
    assert topology.cluster is not None
    assert topology.cluster.resolvers == {RESOLVER: "manager-1", "resolver-2": "manager-2", "resolver-3": "manager-3"}
    assert set(fixed) == set(topology.cluster.resolvers)
    assert topology.resolvers == tuple(fixed.values())
    assert egress.tasks is not None
    assert not any(address in egress.tasks for address in (*fixed.values(), egress.subnet[1]))
    others = [network for network in topology.networks if network.kind != "egress"]
    assert {address for network in others for address in network.members.values()} == {ANY}


def test_names_stand_for_members() -> None:
    topology = plan(settings(swarm_stack()))
    assert topology.gateway_url == "http://gateway:8080"
    assert topology.network("link-api-postgres").host("postgres") == "postgres"
    assert topology.servers("api") == {}


def test_an_address_stands_for_a_member_on_one_server() -> None:
    topology = plan(settings(cloud_stack()))
    assert topology.cluster is None
    assert topology.network("ingress").host(GATEWAY) == "10.128.0.18"
    assert topology.resolvers == (IPv4Address("10.128.0.2"),)


def test_replicas_of_a_service_are_one_node() -> None:
    raw = swarm_stack()
    raw["services"]["api"]["replicas"] = 3
    stack = settings(raw)
    assert plan(stack).instances("api", stack.services["api"]) == ("api",)
    assert instances("api", stack.services["api"]) == ("api", "api-2", "api-3")


def test_the_largest_services_fit_into_a_link_while_both_are_updated() -> None:
    """One address for each task, one more for each that is replaced, one for each machine that has any of them."""
    most = 9 + 1
    tasks = 2 * most
    assert 2 * tasks <= IPv4Network("10.128.4.0/26").num_addresses - 3


def test_ingress_has_room_for_every_gateway_and_connector() -> None:
    topology = plan(settings(swarm_stack()))
    ingress = topology.network("ingress")
    assert set(ingress.members) == {GATEWAY, CLOUDFLARED}
    assert ingress.subnet.num_addresses - 3 >= 3 * (20 + 1)


def test_the_exporter_on_each_machine_has_room_for_the_most_machines() -> None:
    topology = plan(settings(swarm_stack()))
    measured = topology.network("link-prometheus-node-exporter")
    assert measured.subnet.num_addresses - 3 >= 2 * MOST + 2
    assert not any(measured.subnet.overlaps(IPv4Network(own)) for own in ("10.128.0.0/23", "10.128.2.0/23"))


def test_what_the_program_keeps_lies_beside_what_is_backed_up() -> None:
    raw = swarm_stack()
    raw["backup"] = {"store": "r2"}
    raw["services"]["postgres"] = {"preset": "postgres", "node": "worker-2"}
    cluster = plan(settings(raw)).cluster
    assert cluster is not None
    assert (cluster.data, cluster.through) == ("worker-2", "manager-1")


@pytest.mark.parametrize("lost", ["manager-2", "manager-3"])
def test_deployments_go_through_another_manager_where_one_is_named(lost: str) -> None:
    cluster = plan(settings(swarm_stack(swarm={"through": lost}))).cluster
    assert cluster is not None
    assert cluster.through == lost
