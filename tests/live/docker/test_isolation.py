"""Who can open connections to whom: every container against every other one, the host and the outside."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from docker.types import IPAMConfig, IPAMPool

from tests.live.docker.deployed import Deployed
from tests.live.docker.internet import EDGE, EDGE_PORT, METADATA, OUTSIDE, SERVER, listener
from tests.live.docker.matrix import between_containers, declared, offered, reached, to_the_host, to_the_outside
from tests.live.docker.namespace import run
from tests.live.docker.probe import REACHED, listening, probe
from tests.live.docker.recorded import STACK

HOST_PORTS = (22, 53, 2375, 8080)


@contextmanager
def _network(stack: Deployed, subnet: str, server: str, client: str, internal: bool) -> Iterator[None]:
    """A network more than the graph has, with two members at the addresses that a link would give them."""
    prefix, _, last = subnet.partition("/")[0].rpartition(".")
    api = stack.engine.client.api
    network = api.create_network(
        "planted", "bridge", internal=internal, ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)])
    )["Id"]
    try:
        for node, offset in ((server, 2), (client, 3)):
            address = f"{prefix}.{int(last) + offset}"
            api.connect_container_to_network(f"{STACK}-{node}", network, ipv4_address=address)
        yield
    finally:
        for node in (server, client):
            api.disconnect_container_from_network(f"{STACK}-{node}", network)
        api.remove_network(network)


@contextmanager
def _without_firewall(stack: Deployed) -> Iterator[None]:
    run("nsenter", f"--net={stack.engine.netns}", "nft", "delete", "table", "inet", "zero_exposure")
    try:
        yield
    finally:
        stack.engine.load_firewall(stack.engine.host.firewall)


def test_containers_reach_each_other_exactly_where_a_link_is_declared(stack: Deployed) -> None:
    results = between_containers(stack)
    assert reached(results) == declared(stack.recording)
    assert len(results) > 500


def test_every_declared_link_works_and_nothing_listens_beside_it(stack: Deployed) -> None:
    opened = {way for way, result in between_containers(stack).items() if result == "open"}
    assert opened == offered(stack)
    assert {(way.client, way.server) for way in opened} == declared(stack.recording)


def test_no_container_reaches_an_address_of_the_host(stack: Deployed) -> None:
    with listener(stack.engine.netns, "0.0.0.0", 2375):  # noqa: S104 - so that there is something to be reached
        results = to_the_host(stack, HOST_PORTS)
    assert {result for result in results.values() if result in REACHED} == set()


def test_only_the_egress_network_leads_out_and_only_to_allowed_ports(stack: Deployed) -> None:
    found = {(node, target) for (node, target), result in to_the_outside(stack).items() if result in REACHED}
    allowed = {(EDGE, EDGE_PORT), (OUTSIDE, 443)}
    on_egress = {node for node, _ in found}
    assert found == {(node, target) for node in on_egress for target in allowed}
    assert on_egress <= {"cloudflared", "resolver", "egress-proxy"}
    assert "cloudflared" in on_egress


def test_nobody_reaches_the_metadata_service(stack: Deployed) -> None:
    results = to_the_outside(stack)
    asked = [result for (_, (address, _)), result in results.items() if address == METADATA]
    assert asked
    assert not set(asked) & set(REACHED)


def test_the_deployment_opens_no_socket_and_forwards_no_port_on_the_host(stack: Deployed) -> None:
    nat = run("nsenter", f"--net={stack.engine.netns}", "iptables", "-t", "nat", "-S")
    assert listening(stack.engine.netns) == set()
    assert "DNAT" not in nat


def test_the_server_answers_nothing_from_outside(stack: Deployed) -> None:
    ports = [*range(1, 1025), 2375, 2376, 3000, 5432, 6379, 8080, 8081, 9090]
    results = probe(stack.engine.internet.path, [(SERVER, port) for port in ports])
    assert set(results.values()) == {"silent"}


def test_control_an_extra_link_shows_in_the_matrix(stack: Deployed) -> None:
    with _network(stack, "10.255.255.0/29", server="queue", client="dashboard", internal=True):
        found = reached(between_containers(stack))
    assert found - declared(stack.recording) == {("dashboard", "queue")}


def test_control_a_network_that_is_not_internal_shows_in_the_matrix(stack: Deployed) -> None:
    with _network(stack, "10.255.255.0/29", server="cache", client="queue", internal=False):
        results = to_the_outside(stack)
    assert {node for (node, target), result in results.items() if result in REACHED} >= {"cache", "queue"}


def test_control_without_the_firewall_links_lead_both_ways_and_the_host_is_open(stack: Deployed) -> None:
    with _without_firewall(stack):
        both_ways = reached(between_containers(stack))
        host = to_the_host(stack, HOST_PORTS)
        scanned = probe(stack.engine.internet.path, [(SERVER, 22)])
    assert {("postgres", "api"), ("api", "imgproxy"), ("gateway", "cloudflared")} <= both_ways
    assert set(host.values()) & set(REACHED)
    assert scanned == {(SERVER, 22): "refused"}


@pytest.mark.parametrize("address", [SERVER, "127.0.0.1"])
def test_control_a_socket_on_the_host_is_seen(stack: Deployed, address: str) -> None:
    with listener(stack.engine.netns, address, 8443):
        assert listening(stack.engine.netns) == {("tcp", (address, 8443))}


def test_control_a_published_port_is_seen(stack: Deployed) -> None:
    api = stack.engine.client.api
    image = stack.inspect("cache")["Image"]
    host = api.create_host_config(port_bindings={6379: 6379})
    identity = api.create_container(image=image, ports=[6379], host_config=host)["Id"]
    try:
        api.start(identity)
        assert "DNAT" in run("nsenter", f"--net={stack.engine.netns}", "iptables", "-t", "nat", "-S")
    finally:
        api.remove_container(identity, force=True)
