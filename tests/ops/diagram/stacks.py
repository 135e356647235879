"""Stacks to draw, made without running the program."""

from collections.abc import Iterable
from dataclasses import replace

from ops.recorded import Entrance, Network, Node, Route, Stack

GATEWAY_ADDRESS = "10.0.0.2"


def node(name: str, role: str = "service", layer: str = "services", *networks: str) -> Node:
    """A container on some networks."""
    addresses = {network: f"10.9.{index}.2" for index, network in enumerate(networks)}
    return Node(name, role, layer, "example/app:1.0", "1000:1000", 256, "", "", addresses, (), ())


def link(client: str, server: str) -> Network:
    """The private network of two."""
    name = f"x-link-{client}-{server}"
    return Network(name, "link", "10.1.0.0/29", True, tuple(sorted((client, server))), client, server)


def stack(links: Iterable[tuple[str, str]] = (), *, more: Iterable[Node] = ()) -> Stack:
    """A rented server with a gateway, its connector and a resolver; and services with these links."""
    pairs = list(links)
    own = [
        replace(node("gateway", "gateway", "gateway"), addresses={"x-ingress": GATEWAY_ADDRESS}),
        node("cloudflared", "cloudflared", "gateway"),
        node("resolver", "resolver", "resolver"),
    ]
    given = {each.name: each for each in [*own, *more]}
    services = {name: node(name) for pair in pairs for name in pair if name not in given}
    nodes = {**given, **services}
    networks = (
        Network("x-egress", "egress", "10.0.1.0/28", False, ("cloudflared", "resolver")),
        Network("x-ingress", "ingress", "10.0.0.0/29", True, ("cloudflared", "gateway")),
        *(link(client, server) for client, server in pairs),
    )
    first = next(iter(services), "gateway")
    routes = (Route("api.example.org", "/v2", False, (first,)), Route("admin.example.org", "/", True, (first,)))
    entrances = (
        Entrance("api.example.org", f"http://{GATEWAY_ADDRESS}:8080"),
        Entrance("admin.example.org", f"http://{GATEWAY_ADDRESS}:8080"),
        Entrance("ssh.example.org", "ssh://127.0.0.1:22"),
    )
    return Stack("x", "cloud", nodes, networks, routes, entrances, ("ssh.example.org",), (), "cx33 in fsn1", 0, 11, 2)


def watched(services: int) -> Stack:
    """A watcher that asks every service, beside a component of the program's own with one link."""
    names = [f"service-{index}" for index in range(services)]
    watcher, guard = node("prometheus", "monitoring", "monitoring"), node("crowdsec", "crowdsec", "intrusion")
    pairs = [("gateway", names[0]), ("gateway", "crowdsec"), *(("prometheus", name) for name in (*names, "gateway"))]
    pairs += [(name, "postgres") for name in names]
    return stack(pairs, more=[watcher, guard])
