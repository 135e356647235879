"""Stack rules: who shares a network with whom."""

from collections.abc import Iterator
from typing import Final

from .graph import CONFIG, Container, Network, Stack
from .model import Finding, StackRule
from .reading import has_label

ROLES: Final = {
    "service",
    "gateway",
    "cloudflared",
    "resolver",
    "egress-proxy",
    "crowdsec",
    "monitoring",
    "backup",
    "carrier",
}
EGRESS_ROLES: Final = {"cloudflared", "resolver", "egress-proxy"}
INGRESS_ROLES: Final = {"cloudflared", "gateway"}


def roles(stack: Stack) -> Iterator[Finding]:
    for container in stack.containers:
        if container.role not in ROLES or not container.node:
            yield Finding(container.resource.urn, "labels: no zero-exposure.role and node of the known ones")
        elif (container.role == "carrier") != container.carrier:
            yield Finding(container.resource.urn, "labels: a carrier never runs, and what never runs is a carrier")
        if container.foreign:
            yield Finding(container.resource.urn, "networksAdvanced: a network that this stack does not declare")


def links(stack: Stack) -> Iterator[Finding]:
    for network in stack.of_purpose("link"):
        nodes = sorted(container.node for container in stack.members[network.resource.urn])
        if nodes != sorted((network.client, network.server)):
            yield Finding(network.resource.urn, f"its members are {nodes}, not the declared two")


def one_link_a_pair(stack: Stack) -> Iterator[Finding]:
    seen: set[frozenset[str]] = set()
    for network in stack.of_purpose("link"):
        pair = frozenset((network.client, network.server))
        if pair in seen:
            yield Finding(network.resource.urn, "a second network of the same two nodes")
        seen.add(pair)


def egress(stack: Stack) -> Iterator[Finding]:
    yield from _only(stack, "egress", EGRESS_ROLES)
    if len(stack.of_purpose("egress")) > 1:
        yield Finding("", "more than one network has a route out")


def ingress(stack: Stack) -> Iterator[Finding]:
    yield from _only(stack, "ingress", INGRESS_ROLES)
    if len(stack.of_purpose("ingress")) > 1:
        yield Finding("", "more than one network leads from the connector to a gateway")


def _only(stack: Stack, purpose: str, allowed: set[str]) -> Iterator[Finding]:
    for network in stack.of_purpose(purpose):
        for container in stack.members[network.resource.urn]:
            if container.role not in allowed:
                yield Finding(container.resource.urn, f"a {container.role or 'container'} on the {purpose} network")


def bridges(stack: Stack) -> list[Container]:
    """Containers on both the ingress network and a link that leads on: the way from outside to the services."""
    found = []
    for container in stack.running:
        networks = [stack.networks[urn] for urn in container.networks]
        on_ingress = any(network.purpose == "ingress" for network in networks)
        if on_ingress and any(_leads_on(stack, container, network) for network in networks):
            found.append(container)
    return found


def _leads_on(stack: Stack, container: Container, network: Network) -> bool:
    """A link leads from its client to its server. The connector may be the server of one: of monitoring's."""
    if network.purpose != "link" or container.role != "cloudflared" or network.server != container.node:
        return network.purpose == "link"
    others = [member for member in stack.members[network.resource.urn] if member is not container]
    return not all(other.role == "monitoring" and other.node == network.client for other in others)


def one_bridge(stack: Stack) -> Iterator[Finding]:
    gateways = stack.with_role("gateway")
    if len(gateways) > 1 or (not gateways and stack.with_role("service")):
        yield Finding("", f"{len(gateways)} gateways; all services share exactly one")
    for container in bridges(stack):
        if container.role != "gateway":
            yield Finding(container.resource.urn, "bridges ingress and services, and is not the gateway")
    egress_urns = {network.resource.urn for network in stack.of_purpose("egress")}
    for container in gateways:
        if container.networks & egress_urns:
            yield Finding(container.resource.urn, "the gateway has a route out")


def one_container_a_node(stack: Stack) -> Iterator[Finding]:
    seen: set[str] = set()
    for container in stack.running:
        if container.node in seen:
            yield Finding(container.resource.urn, "a second container of the same node")
        seen.add(container.node)


def configured(stack: Stack) -> Iterator[Finding]:
    for container in stack.containers:
        if container.carrier and not has_label(container.resource.props, CONFIG):
            yield Finding(container.resource.urn, f"labels: no {CONFIG}, so a changed file would not replace it")


RULES = (
    StackRule(
        id="stack-roles",
        severity="high",
        claim="Every container says its role and node, and is only on networks of this stack.",
        remediation="Set the labels zero-exposure.role and zero-exposure.node; declare the network.",
        threat="lateral-movement",
        check=roles,
    ),
    StackRule(
        id="stack-links",
        severity="critical",
        claim="Two containers share a network only where a link of exactly these two is declared.",
        remediation="Declare the link with uses: in the services map; take the third container off.",
        threat="lateral-movement",
        check=links,
        waivable=False,
    ),
    StackRule(
        id="stack-one-link-a-pair",
        severity="medium",
        claim="Two nodes share at most one link.",
        remediation="Remove the second network.",
        threat="lateral-movement",
        check=one_link_a_pair,
    ),
    StackRule(
        id="stack-egress",
        severity="critical",
        claim="Only the connector, the resolver and the egress proxy are on the one network with a route out.",
        remediation="Name the domains with egress: in the services map; the service gets a link to the proxy.",
        threat="exfiltration",
        check=egress,
        waivable=False,
    ),
    StackRule(
        id="stack-ingress",
        severity="critical",
        claim="Only the connector and the gateway are on the one ingress network.",
        remediation="Give the service a route; the gateway reaches it over its link.",
        threat="gateway",
        check=ingress,
        waivable=False,
    ),
    StackRule(
        id="stack-one-gateway",
        severity="critical",
        claim="Exactly one gateway leads from ingress to the services, and it has no route out.",
        remediation="Route every service through the one gateway.",
        threat="gateway",
        check=one_bridge,
        waivable=False,
    ),
    StackRule(
        id="stack-one-container-a-node",
        severity="medium",
        claim="Every node is one container.",
        remediation="Give each replica a node of its own.",
        threat="lateral-movement",
        check=one_container_a_node,
    ),
    StackRule(
        id="stack-configuration",
        severity="medium",
        claim="Every carrier bears the digest of its files.",
        remediation=f"Set the label {CONFIG} to the keyed digest of the files.",
        threat="operations",
        check=configured,
    ),
)
