"""The four metrics of the model, computed from the graph and never written down."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from . import container_isolation, firewall, hetzner, tokens, user_data
from .checklist import evaluate, failing
from .graph import Stack
from .model import Exposure, Finding, Resource, StackRule
from .stack_ingress import admin_access, central, dns_source, entrances, names
from .stack_network import links, one_bridge
from .stack_source import server_firewall

ALL_PORTS: Final = 65_535
MIN_LAYERS: Final = 5
SPAN: Final = re.compile(r"^([0-9]{1,5})(?:-([0-9]{1,5}))?$")
HARDENED: Final = (
    container_isolation.non_root,
    container_isolation.read_only,
    container_isolation.capabilities,
    container_isolation.security_options,
    container_isolation.no_host_namespaces,
)


def open_inbound_ports(stack: Stack) -> int:
    """Ports that answer from outside: of firewall rules, unguarded servers, published ports, load balancers."""
    rules = sum(_inbound_ports(resource) for resource in stack.of(tokens.FIREWALL))
    servers = ALL_PORTS * len(list(server_firewall(stack)))
    published = sum(_published(container.resource) for container in stack.containers)
    meshed = sum(_meshed(resource) for resource in stack.of(tokens.SERVICE))
    balanced = len(failing(hetzner.balancer_private, stack.of(*hetzner.BALANCERS)))
    return min(ALL_PORTS, rules + servers + published + meshed + balanced)


def _inbound_ports(resource: Resource) -> int:
    rules = resource.props.get("rules")
    if not isinstance(rules, list):
        return len(failing(firewall.no_inbound, [resource])) * ALL_PORTS
    return sum(
        _span(rule.get("port") if isinstance(rule, Mapping) else None)
        for rule in rules
        if not isinstance(rule, Mapping) or rule.get("direction") != "out"
    )


def _span(port: object) -> int:
    span = SPAN.match(str(port))
    if not span:
        return ALL_PORTS
    return max(1, int(span[2] or span[1]) - int(span[1]) + 1)


def _published(resource: Resource) -> int:
    ports = resource.props.get("ports")
    count = len(ports) if isinstance(ports, list) else int(ports is not None)
    return count + int(resource.props.get("publishAllPorts") not in (None, False))


def _meshed(resource: Resource) -> int:
    endpoint = resource.props.get("endpointSpec")
    ports = endpoint.get("ports") if isinstance(endpoint, Mapping) else None
    return len(ports) if isinstance(ports, list) else 0


LAYERS: Final[Mapping[str, Callable[[Stack], bool]]] = {
    "edge": lambda stack: any(stack.of(tokens.ZONE_SETTING)) and any(stack.of(tokens.RULESET)),
    "tunnel": lambda stack: any(stack.of(*tokens.TUNNELS)) and not any(dns_source(stack)),
    "perimeter firewall": lambda stack: any(stack.of(tokens.SERVER)) and not any(server_firewall(stack)),
    "hardened host": lambda stack: (
        any(stack.of(tokens.SERVER)) and not failing(user_data.closed, stack.of(tokens.SERVER))
    ),
    "identity": lambda stack: any(stack.of(*tokens.ACCESS_APPLICATIONS)) and not any(admin_access(stack)),
    "network isolation": lambda stack: bool(stack.of_purpose("link")) and not any(links(stack)),
    "gateway": lambda stack: bool(stack.with_role("gateway")) and not any((*one_bridge(stack), *central(stack))),
    "container isolation": lambda stack: (
        bool(stack.running) and not any(failing(check, (c.resource for c in stack.running)) for check in HARDENED)
    ),
    "intrusion detection": lambda stack: bool(stack.with_role("crowdsec")),
}
"""Layers that hold on their own: to get past one says nothing about the next."""


def layers(stack: Stack) -> list[str]:
    """The names of the layers that this stack has."""
    return [name for name, holds in LAYERS.items() if _holds(holds, stack)]


def _holds(layer: Callable[[Stack], bool], stack: Stack) -> bool:
    try:
        return layer(stack)
    except Exception:
        return False


def tls_termination_points(stack: Stack) -> int:
    """Places where a visitor's TLS ends: one for each zone, one for each target that speaks TLS itself."""
    zones = {str(record.props.get("zoneId")) for record in names(stack).values()}
    behind = {entrance.service for entrance in entrances(stack) if entrance.url.scheme == "https"}
    balancers = [s for s in stack.of(hetzner.BALANCERS[1]) if s.props.get("protocol") == "https"]
    return len(zones) + len(behind) + len(balancers)


def centralized_ingress_percent(stack: Stack) -> int:
    """How many of the ways in lead to the one gateway, in whole percent rounded down."""
    web = [entrance for entrance in entrances(stack) if entrance.is_web]
    astray = len(list(central(stack))) + sum(_published(c.resource) for c in stack.containers)
    total = len(web) + sum(_published(c.resource) for c in stack.containers)
    return 100 * max(0, total - astray) // total if total else 100 * (not astray)


def score(stack: Stack) -> Exposure:
    """The metrics and the checklist."""
    return Exposure(
        open_inbound_ports=open_inbound_ports(stack),
        security_layers=len(layers(stack)),
        tls_termination_points=tls_termination_points(stack),
        centralized_ingress_percent=centralized_ingress_percent(stack),
        checklist=evaluate(stack),
        layers=tuple(layers(stack)),
    )


def metrics(stack: Stack) -> Iterator[Finding]:
    ports, percent = open_inbound_ports(stack), centralized_ingress_percent(stack)
    if ports:
        yield Finding("", f"{ports} open inbound ports, not 0")
    if percent < 100:
        yield Finding("", f"{percent} % of the ways in lead to the gateway, not 100")
    if any(stack.of(tokens.SERVER)) and len(layers(stack)) < MIN_LAYERS:
        yield Finding("", f"{len(layers(stack))} independent layers, fewer than {MIN_LAYERS}")
    if names(stack) and tls_termination_points(stack) != 1:
        yield Finding("", f"{tls_termination_points(stack)} places where TLS ends, not 1")


RULES = (
    StackRule(
        id="stack-metrics",
        severity="critical",
        claim="No open inbound port, five layers or more on a server, one place where TLS ends, one way in.",
        remediation="See the checklist for what is missing.",
        threat="perimeter",
        check=metrics,
        waivable=False,
    ),
)
