"""The network plan: who can reach whom, and that nothing moves."""

from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from settings.load import SettingsError
from settings.stack import Settings
from tests.samples import local_stack, service, settings
from topology.model import Topology
from topology.names import ALERTMANAGER, CROWDSEC, GATEWAY, NODE_EXPORTER, PROMETHEUS, PROXY
from topology.nodes import exporter, instances, measured
from topology.plan import plan
from topology.subnets import (
    LINK_PREFIX,
    RESERVED_SLOTS,
    SWARM_LINK_PREFIX,
    SWARM_RESERVED_SLOTS,
    SubnetClashError,
    nth,
    reserved,
)

NAMES = st.from_regex(r"[a-z][a-z0-9]{1,8}", fullmatch=True)


@st.composite
def service_maps(draw: st.DrawFn) -> dict[str, Any]:
    """Services that use only those before them, so there is no cycle."""
    names = draw(st.lists(NAMES, min_size=1, max_size=8, unique=True))
    found: dict[str, Any] = {}
    for index, name in enumerate(names):
        uses = draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else []
        routes = [{"host": f"{name}.example.org"}] if draw(st.booleans()) else []
        egress = ["api.example.net"] if draw(st.booleans()) else []
        found[name] = service(uses=uses, routes=routes, egress=egress, replicas=draw(st.integers(1, 2)))
    return found


def _settings(services: dict[str, Any]) -> Settings:
    """Random names may be reserved or clash: those are errors of their own, tested elsewhere."""
    try:
        return settings(local_stack(services=services))
    except SettingsError:
        assume(False)
        raise


ALWAYS_WATCHED = (GATEWAY, CROWDSEC, NODE_EXPORTER, ALERTMANAGER)


def _declared(stack: Settings) -> set[frozenset[str]]:
    """Pairs of nodes that the stack file lets meet."""
    pairs = {frozenset((GATEWAY, CROWDSEC))} | {frozenset((PROMETHEUS, node)) for node in ALWAYS_WATCHED}
    for node in measured(stack):
        pairs |= {frozenset((PROMETHEUS, exporter(node))), frozenset((exporter(node), node))}
    for name, entry in stack.services.items():
        for node in instances(name, entry):
            pairs |= {frozenset((node, GATEWAY))} if entry.routes else set()
            pairs |= {frozenset((node, PROXY))} if entry.egress else set()
            for used in entry.uses:
                pairs |= {frozenset((node, server)) for server in instances(used, stack.services[used])}
    return pairs


def _addresses(topology: Topology) -> dict[tuple[str, str], IPv4Address]:
    return {(network.name, node): ip for network in topology.networks for node, ip in network.members.items()}


@given(service_maps())
def test_no_address_is_used_twice_and_no_two_subnets_overlap(services: dict[str, Any]) -> None:
    topology = plan(_settings(services))
    addresses = list(_addresses(topology).values())
    assert len(addresses) == len(set(addresses))
    assert not any(a.subnet.overlaps(b.subnet) for a, b in combinations(topology.networks, 2))


@given(service_maps())
def test_two_services_share_a_network_only_where_a_link_is_declared(services: dict[str, Any]) -> None:
    stack = _settings(services)
    meeting = {
        frozenset(pair)
        for network in plan(stack).networks
        if network.kind == "link"
        for pair in combinations(network.members, 2)
    }
    assert meeting == _declared(stack)


@given(service_maps(), NAMES, st.data())
def test_adding_a_service_moves_no_address_of_another_one(
    services: dict[str, Any], name: str, data: st.DataObject
) -> None:
    assume(name not in services)
    uses = data.draw(st.lists(st.sampled_from(sorted(services)), unique=True))
    before = _addresses(plan(_settings(services)))
    after = _addresses(plan(_settings({**services, name: service(uses=uses, routes=[{"host": "new.example.org"}])})))
    assert before.items() <= after.items()


@given(service_maps(), st.randoms())
def test_the_order_of_the_stack_file_changes_nothing(services: dict[str, Any], random: Any) -> None:
    shuffled = list(services.items())
    random.shuffle(shuffled)
    assert plan(_settings(services)) == plan(_settings(dict(shuffled)))


@given(service_maps())
def test_every_address_is_a_host_of_its_subnet_and_not_the_bridge(services: dict[str, Any]) -> None:
    for network in plan(_settings(services)).networks:
        assert set(network.members.values()) <= set(network.subnet.hosts()) - {network.subnet[1]}


def test_a_link_holds_exactly_its_two_members_on_a_slash_29() -> None:
    topology = plan(settings(local_stack()))
    network = topology.network("link-api-postgres")
    assert (set(network.members), network.subnet.prefixlen, network.internal) == ({"api", "postgres"}, 29, True)


def test_only_the_egress_network_leads_out() -> None:
    topology = plan(settings(local_stack()))
    assert [network.name for network in topology.networks if not network.internal] == ["egress"]


def test_no_service_is_on_egress_or_ingress() -> None:
    topology = plan(settings(local_stack()))
    assert set(topology.network("egress").members) == {"resolver", "egress-proxy", "cloudflared"}
    assert set(topology.network("ingress").members) == {"gateway", "cloudflared"}


def test_a_second_replica_moves_nothing_and_is_linked_like_the_first() -> None:
    one, two = local_stack(), local_stack()
    two["services"]["api"]["replicas"] = 2
    before, after = _addresses(plan(settings(one))), _addresses(plan(settings(two)))
    assert before.items() <= after.items()
    assert {name for name, _ in after.keys() - before.keys()} == {"link-gateway-api-2", "link-api-2-postgres"}


def test_routes_lead_to_every_replica() -> None:
    stack = local_stack()
    stack["services"]["api"]["replicas"] = 2
    topology = plan(settings(stack))
    upstream = next(upstream for upstream in topology.upstreams if upstream.service == "api")
    expected = {topology.nodes[node].addresses[f"link-gateway-{node}"] for node in ("api", "api-2")}
    assert set(upstream.addresses) == expected


def test_a_host_is_an_admin_host_only_if_all_its_routes_are() -> None:
    stack = local_stack()
    stack["services"]["admin"]["routes"].append({"host": "api.example.org", "path": "/admin", "admin": True})
    topology = plan(settings(stack))
    assert (topology.admin_hosts, topology.visitor_hosts) == (("admin.example.org",), ("api.example.org",))


def _clashing() -> dict[str, Any]:
    """Enough links for a small pool that two of them fall on one subnet."""
    services: dict[str, Any] = {f"app-{index}": service(uses=["store"]) for index in range(60)}
    return local_stack(services={"store": service(), **services}, network={"pool": "10.200.0.0/20"})


def test_a_clash_of_two_links_is_an_error_with_the_line_that_mends_it() -> None:
    stack = _clashing()
    with pytest.raises(SettingsError, match=r"network\.subnets: app-\d+>store and .* fall on the same subnet: add"):
        settings(stack)


def test_the_suggested_lines_settle_every_clash() -> None:
    stack = _clashing()
    loose = Settings.model_validate(stack)
    pins: dict[str, str] = {}
    for _ in range(60):
        try:
            topology = plan(loose.model_copy(update={"network": loose.network.model_copy(update={"subnets": pins})}))
            break
        except SubnetClashError as clash:
            pins[clash.link] = str(clash.free)
    assert pins
    assert topology.network(f"link-{next(iter(pins)).replace('>', '-')}").subnet == IPv4Network(
        next(iter(pins.values()))
    )


@pytest.mark.parametrize("prefix", [LINK_PREFIX, SWARM_LINK_PREFIX])
def test_what_the_program_keeps_ends_where_links_begin(prefix: int) -> None:
    pool = IPv4Network("10.128.0.0/9")
    kept = reserved(pool, prefix)
    first = RESERVED_SLOTS if prefix == LINK_PREFIX else SWARM_RESERVED_SLOTS
    assert (nth(pool, first - 1, prefix).subnet_of(kept), nth(pool, first, prefix).overlaps(kept)) == (True, False)


def test_the_first_subnet_behind_what_the_program_keeps_may_be_pinned() -> None:
    topology = plan(settings(local_stack(network={"subnets": {"api>postgres": "10.128.0.128/29"}})))
    assert not any(a.subnet.overlaps(b.subnet) for a, b in combinations(topology.networks, 2))
