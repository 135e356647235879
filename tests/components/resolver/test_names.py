"""Internal names come from the plan."""

from ipaddress import IPv4Address, IPv4Network, collapse_addresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.resolver.names import nodes, records, reverse_zones
from tests.samples import cloud_stack, local_stack, service, settings
from topology.model import Topology
from topology.plan import plan


def planned(count: int) -> Topology:
    services = {f"service-{index}": service(uses=[f"service-{index + 1}"]) for index in range(count)}
    services |= {f"service-{count}": service(routes=[{"host": "api.example.org"}])}
    return plan(settings(local_stack(services=services)))


@given(st.integers(1, 30))
def test_every_address_of_the_plan_has_one_name_and_no_name_two_addresses(count: int) -> None:
    topology = planned(count)
    found = records(topology)
    addresses = [address for node in topology.nodes.values() for address in node.addresses.values()]
    assert sorted(record.address for record in found) == sorted(addresses)
    assert len({record.name for record in found}) == len(found)
    assert sorted(record.address for record in nodes(topology)) == sorted(addresses)


@given(st.integers(1, 30))
def test_every_label_fits_into_a_name(count: int) -> None:
    names = [record.name for record in records(planned(count))]
    assert all(len(label) <= 63 for name in names for label in name.split("."))


def test_a_link_is_named_from_either_end() -> None:
    names = {record.name: record.address for record in records(plan(settings(cloud_stack())))}
    link = plan(settings(cloud_stack())).network("link-api-postgres")
    assert names["postgres.api.internal"] == link.members["postgres"]
    assert names["api.postgres.internal"] == link.members["api"]
    assert names["resolver.egress.internal"] == IPv4Address("10.128.0.2")


@pytest.mark.parametrize("pool", ["10.128.0.0/9", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "10.7.16.0/20"])
def test_reverse_zones_cover_the_pool_and_nothing_else(pool: str) -> None:
    covered = [network for zone in reverse_zones(IPv4Network(pool)) for network in [_network(zone)]]
    assert list(collapse_addresses(covered)) == [IPv4Network(pool)]


def _network(zone: str) -> IPv4Network:
    octets = zone.removesuffix(".in-addr.arpa").split(".")[::-1]
    return IPv4Network((".".join([*octets, *["0"] * (4 - len(octets))]), 8 * len(octets)))
