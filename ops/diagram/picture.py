"""What a picture of a stack shows: boxes and arrows. Pure; knows roles and components, no container by name."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ops.recorded import Entrance, Network, Node, Stack

Kind = Literal["people", "edge", "way-in", "own", "service", "data", "host", "internet"]
Way = Literal["request", "tunnel", "link", "out"]
REQUEST_PATH = ("gateway", "cloudflared", "service")
"""Roles whose links are what the stack is for. They are never drawn apart."""
MANY = 6
"""A component of the program's own that opens this many links gets a picture of its own: it watches, and its links
would cover those of the request path."""
VISITORS, OPERATORS, EDGE, HOST, INTERNET = "(visitors)", "(operators)", "(edge)", "(host)", "(internet)"
"""Boxes that are no containers. No container's name has brackets."""


@dataclass(frozen=True)
class Box:
    """One box. ``lines`` stand below its name; ``public`` and ``admin`` are the host names that it serves."""

    id: str
    name: str
    kind: Kind
    lines: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()

    @property
    def inside(self) -> bool:
        """On the server."""
        return self.kind not in ("people", "edge", "internet")


@dataclass(frozen=True)
class Arrow:
    """From who opens a connection to who takes it, over one network. A tunnel carries requests the other way."""

    client: str
    server: str
    way: Way
    network: str


@dataclass(frozen=True)
class Picture:
    """``concern`` is empty for the main picture. ``notes`` say what is drawn elsewhere."""

    stack: str
    concern: str
    frame: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """A heading."""
        return f"Stack {self.stack}: {self.concern or 'who may talk to whom'}"

    @property
    def description(self) -> str:
        """The picture in words, for who does not see it."""
        names = {box.id: box.name for box in self.boxes}
        parts = [f"{names[arrow.client]} to {names[arrow.server]}" for arrow in self.arrows]
        return f"{len(self.boxes)} boxes. An arrow leads from who opens a connection: {'; '.join(parts)}."


def pictures(stack: Stack) -> tuple[Picture, ...]:
    """The main picture, and one for each component that watches many. Each arrow is in exactly one of them."""
    boxes = {box.id: box for box in _boxes(stack)}
    arrows = list(dict.fromkeys(_arrows(stack)))
    apart = _apart(stack)
    of = {name: node.layer for name, node in stack.nodes.items() if node.role not in REQUEST_PATH}
    main = [arrow for arrow in arrows if of.get(arrow.client) not in apart]
    ends = {end for arrow in main for end in (arrow.client, arrow.server)}
    kept = [box for box in boxes.values() if box.id in ends or of.get(box.id) not in apart]
    notes = tuple(f"{layer}: {count} links, in a picture of its own" for layer, count in apart.items())
    first = Picture(stack.name, "", _frame(stack), tuple(kept), tuple(main), notes)
    return first, *(_concern(stack, layer, boxes, [a for a in arrows if of.get(a.client) == layer]) for layer in apart)


def _concern(stack: Stack, layer: str, boxes: dict[str, Box], arrows: list[Arrow]) -> Picture:
    ends = {end for arrow in arrows for end in (arrow.client, arrow.server)}
    kept = [box for box in boxes.values() if box.id in ends]
    return Picture(stack.name, layer, _frame(stack), tuple(kept), tuple(arrows))


def _apart(stack: Stack) -> dict[str, int]:
    """Component → its links, of those that get a picture of their own."""
    clients = [stack.nodes[network.client] for network in stack.networks if network.client in stack.nodes]
    opened = Counter(node.layer for node in clients if node.role not in REQUEST_PATH)
    return {layer: count for layer, count in sorted(opened.items()) if layer and count >= MANY}


def _frame(stack: Stack) -> str:
    if not stack.server:
        return "this machine's Docker Engine"
    return f"server {stack.server}: {stack.inbound_rules} inbound rules"


def _boxes(stack: Stack) -> Iterator[Box]:
    if _connectors(stack):
        yield from _people(stack)
        yield Box(EDGE, "Cloudflare", "edge", tuple(_edge_lines(stack)))
    yield from (_box(node, stack) for node in stack.nodes.values())
    entrances = _host_entrances(stack)
    for service in dict.fromkeys(entrance.service for entrance in entrances):
        scheme, _, address = service.partition("://")
        hosts = tuple(entrance.host for entrance in entrances if entrance.service == service)
        yield Box(
            HOST, "host's connector", "host", (f"one on each of {len(hosts)} machines",) if len(hosts) > 1 else ()
        )
        yield Box(service, f"{scheme} {address}", "host", admin=hosts)
    open_networks = [network for network in stack.networks if not network.internal]
    if open_networks:
        yield Box(INTERNET, "internet", "internet", tuple(f"through {network.name}" for network in open_networks))


def _people(stack: Stack) -> Iterator[Box]:
    if any(not route.admin for route in stack.routes):
        yield Box(VISITORS, "visitors", "people")
    if any(route.admin for route in stack.routes) or _host_entrances(stack):
        yield Box(OPERATORS, "operators", "people")


def _edge_lines(stack: Stack) -> Iterator[str]:
    if stack.zone_settings or stack.rulesets:
        yield f"{stack.zone_settings} settings, {stack.rulesets} rule sets"
    if stack.guarded:
        yield f"Access before {len(stack.guarded)} {'name' if len(stack.guarded) == 1 else 'names'}"


def _box(node: Node, stack: Stack) -> Box:
    public = tuple(route.text for route in stack.routes if node.name in route.nodes and not route.admin)
    admin = tuple(route.text for route in stack.routes if node.name in route.nodes and route.admin)
    layer = [node.layer] if node.role != "service" and node.layer != node.name else []
    tasks = {0: ["on each machine"], 1: []}.get(node.replicas, [f"{node.replicas} tasks"])
    lines = (*layer, *tasks, *(f"may call {domain}" for domain in node.calls))
    return Box(node.name, node.name, _kind(node), lines, public, admin)


def _kind(node: Node) -> Kind:
    if node.role in ("gateway", "cloudflared"):
        return "way-in"
    if node.role == "service":
        return "data" if node.data else "service"
    return "own"


def _connectors(stack: Stack) -> list[str]:
    return [node.name for node in stack.nodes.values() if node.role == "cloudflared"]


def _host_entrances(stack: Stack) -> list[Entrance]:
    """Names that lead to the server itself, not to a container, which a Swarm knows by its name."""
    addresses = set(stack.nodes) | {address for node in stack.nodes.values() for address in node.addresses.values()}
    return [
        entrance
        for entrance in stack.entrances
        if entrance.service.partition("://")[2].rpartition(":")[0] not in addresses
    ]


def _arrows(stack: Stack) -> Iterator[Arrow]:
    if _connectors(stack):
        yield from (Arrow(box.id, EDGE, "request", "the internet") for box in _people(stack))
    yield from (arrow for network in stack.networks for arrow in _of_network(network, stack))
    for entrance in _host_entrances(stack):
        yield Arrow(HOST, EDGE, "tunnel", "the internet")
        yield Arrow(HOST, entrance.service, "request", "loopback")


def _of_network(network: Network, stack: Stack) -> Iterator[Arrow]:
    """One arrow for a network of two, one for each member of a network that leads out."""
    shown = f"{network.name} {network.subnet}"
    connectors = _connectors(stack)
    if network.client and network.server:
        yield Arrow(network.client, network.server, "link", shown)
    elif not network.internal:
        for member in network.members:
            tunnel = member in connectors
            yield Arrow(member, EDGE if tunnel else INTERNET, "tunnel" if tunnel else "out", shown)
    else:
        ways_in = [member for member in network.members if member in connectors]
        others = [member for member in network.members if member not in connectors]
        yield from (Arrow(client, server, "request", shown) for client in ways_in for server in others)
