"""Who reaches whom: what the recorded topology declares, and what real connections show."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ops.preview.record import Recording
from policy.rules.model import Resource
from tests.live.docker.deployed import CONTAINER, Deployed
from tests.live.docker.internet import EDGE, EDGE_PORT, METADATA, OUTSIDE, OUTSIDE_PORTS, SERVER
from tests.live.docker.probe import REACHED, Result, Target, listening, probe

NETWORK = "docker:index/network:Network"
OTHER_PORTS = (22, 23, 111, 2375, 2376)
"""Ports that nobody should have: SSH, telnet, portmapper, the Engine."""


@dataclass(frozen=True, order=True)
class Way:
    """One direction between two nodes, to one port."""

    client: str
    server: str
    port: int


def addresses(stack: Deployed) -> dict[str, str]:
    """Address → node, of every running container on every network that it really is on."""
    return {
        network["IPAddress"]: node
        for node in stack.nodes
        for network in stack.inspect(node)["NetworkSettings"]["Networks"].values()
        # A container without a network has no address that others could try; it tries theirs.
        if network["IPAddress"]
    }


def gateways(recording: Recording) -> list[str]:
    """The host's own address on each network."""
    return [config["gateway"] for network in recording.of_type(NETWORK) for config in network.props["ipamConfigs"]]


def declared(recording: Recording) -> set[tuple[str, str]]:
    """(client, server) of every link, of the connector and the gateway, and of who may ask the resolver."""
    links = {
        (labels["client"], labels["server"]) for labels in map(_labels, recording.of_type(NETWORK)) if len(labels) > 1
    }
    egress = {node for network, node in _members(recording) if network.endswith("-egress")}
    return links | {("cloudflared", "gateway")} | {(node, "resolver") for node in egress - {"resolver"}}


def open_ports(stack: Deployed) -> dict[str, set[int]]:
    """Ports on which each container listens, on whatever address that is not loopback."""
    found: dict[str, set[int]] = {}
    for node in stack.nodes:
        sockets = listening(_netns(stack, node))
        found[node] = {port for kind, (address, port) in sockets if kind == "tcp" and not address.startswith("127.")}
    return found


def offered(stack: Deployed) -> set[Way]:
    """What the declared links lead to: where the server listens on an address that it shares a network with."""
    return {
        Way(client, server, port)
        for client, server in declared(stack.recording)
        for kind, (address, port) in listening(_netns(stack, server))
        if kind == "tcp" and address in {"0.0.0.0", "::", *_shared(stack, client, server)}  # noqa: S104 - every address
    }


def _shared(stack: Deployed, client: str, server: str) -> set[str]:
    """Addresses of the server on networks that both are on."""
    own, theirs = (stack.inspect(node)["NetworkSettings"]["Networks"] for node in (server, client))
    return {network["IPAddress"] for name, network in own.items() if name in theirs}


def between_containers(stack: Deployed) -> dict[Way, Result]:
    """Every container to every address of every other one, on all ports that anyone listens on and a few more."""
    known = addresses(stack)
    ports = {port for found in open_ports(stack).values() for port in found} | set(OTHER_PORTS)
    results: dict[Way, Result] = {}
    for client, found in _from_each(stack, [(address, port) for address in known for port in ports]).items():
        _take(results, client, known, found)
    # So many at once are more than the kernel queues on a busy machine. What must be there is asked for again, alone.
    for way in offered(stack):
        if results.get(way) == "silent":
            targets = [(address, way.port) for address, node in known.items() if node == way.server]
            _take(results, way.client, known, probe(_netns(stack, way.client), targets))
    return results


def _take(results: dict[Way, Result], client: str, known: dict[str, str], found: dict[Target, Result]) -> None:
    for (address, port), result in found.items():
        way = Way(client, known[address], port)
        if way.server == client:
            continue
        # Of several addresses the one that is reached counts.
        if way not in results or (result in REACHED and results[way] != "open"):
            results[way] = result


def to_the_host(stack: Deployed, ports: tuple[int, ...]) -> dict[tuple[str, Target], Result]:
    """Every container to every address of the host."""
    return _to(stack, [(address, port) for address in (*gateways(stack.recording), SERVER) for port in ports])


def to_the_outside(stack: Deployed) -> dict[tuple[str, Target], Result]:
    """Every container to the edge, to another machine out there, and to the metadata service."""
    return _to(stack, [(EDGE, EDGE_PORT), *((host, port) for host in (OUTSIDE, METADATA) for port in OUTSIDE_PORTS)])


def reached(results: dict[Way, Result]) -> set[tuple[str, str]]:
    """Pairs between which any packet got through."""
    return {(way.client, way.server) for way, result in results.items() if result in REACHED}


def _to(stack: Deployed, targets: list[Target]) -> dict[tuple[str, Target], Result]:
    found = _from_each(stack, targets)
    return {(node, target): result for node, results in found.items() for target, result in results.items()}


def _from_each(stack: Deployed, targets: list[Target]) -> dict[str, dict[Target, Result]]:
    """The same targets from every container at the same time."""
    with ThreadPoolExecutor(len(stack.nodes)) as pool:
        found = pool.map(lambda node: probe(_netns(stack, node), targets), stack.nodes)
        return dict(zip(stack.nodes, found, strict=True))


def _netns(stack: Deployed, node: str) -> str:
    return f"/proc/{stack.pid(node)}/ns/net"


def _members(recording: Recording) -> set[tuple[str, str]]:
    return {
        (network["name"], container.name)
        for container in recording.of_type(CONTAINER)
        for network in container.props.get("networksAdvanced", [])
    }


def _labels(network: Resource) -> dict[str, str]:
    return {label["label"].removeprefix("zero-exposure."): label["value"] for label in network.props["labels"]}
