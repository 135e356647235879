"""The ten items of the model, each decided from the graph, each with its evidence."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from . import command, container_isolation, container_mounts, container_ports, edge, firewall, hetzner, tokens
from .graph import CONFIG, Container, Stack
from .model import ChecklistItem, Finding, Resource, ResourceCheck, Severity, StackRule
from .reading import has_label, maps, strings
from .service import no_ports as service_ports
from .stack_ingress import addresses, entrances, names
from .stack_network import bridges, egress, ingress, links
from .stack_source import server_firewall

Verdict = tuple[bool, str]

WATCHED: Final = ("gateway", "cloudflared", "crowdsec")
"""Roles that monitoring asks: proxy errors, the tunnel's connections, security events."""
HEADERS: Final = (
    "strict-transport-security",
    "content-security-policy",
    "x-frame-options",
    "referrer-policy",
)
TLS_SETTINGS: Final = ("always_use_https", "min_tls_version", "ssl")


@dataclass(frozen=True)
class Item:
    """One item: its number, its text, and how the graph decides it."""

    number: int
    id: str
    text: str
    remediation: str
    threat: str
    decide: Callable[[Stack], Verdict]
    severity: Severity = "high"


def failing(check: ResourceCheck, resources: Iterable[Resource]) -> list[Resource]:
    """Resources of which a check finds anything. One that can't be checked fails."""
    return [resource for resource in resources if _fails(check, resource)]


def _fails(check: ResourceCheck, resource: Resource) -> bool:
    try:
        return any(True for _ in check(resource))
    except Exception:
        return True


def no_inbound(stack: Stack) -> Verdict:
    firewalls, servers = list(stack.of(tokens.FIREWALL)), list(stack.of(tokens.SERVER))
    containers = [container.resource for container in stack.containers]
    bad = len(failing(firewall.no_inbound, firewalls))
    open_servers = len(list(server_firewall(stack)))
    publishing = len(failing(container_ports.no_ports, containers))
    publishing += len(failing(service_ports, stack.of(tokens.SERVICE)))
    balancers = len(failing(hetzner.balancer_private, stack.of(*hetzner.BALANCERS)))
    forwarded = len(list(stack.of(edge.SPECTRUM)))
    evidence = (
        f"{len(firewalls)} firewalls, {bad} with an inbound rule; {len(servers)} servers, {open_servers} not behind "
        f"them; {len(containers)} containers, {publishing} publish a port"
    )
    return not (bad or open_servers or publishing or balancers or forwarded), evidence


def connector(stack: Stack) -> Verdict:
    connectors = stack.with_role("cloudflared")
    checks = (
        container_isolation.strictly_non_root,
        container_isolation.capabilities,
        container_isolation.security_options,
        container_isolation.read_only,
    )
    bad = {c.node for c in connectors for check in checks if _fails(check, c.resource)}
    if not connectors and entrances(stack) and any(entrance.is_web for entrance in entrances(stack)):
        return False, "public hosts, and no container with the role cloudflared"
    if not connectors:
        return True, "no connector in this stack"
    return not bad, f"{len(connectors)} connectors, {len(bad)} with root, capabilities or a writable root"


def one_bridge(stack: Stack) -> Verdict:
    found = bridges(stack)
    services = stack.with_role("service")
    nodes = ", ".join(sorted(container.node for container in found)) or "none"
    ok = [container.role for container in found] == ["gateway"] or not (found or services)
    return ok, f"on ingress and services' networks: {nodes}"


def isolated(stack: Stack) -> Verdict:
    wrong = [*links(stack), *egress(stack), *ingress(stack)]
    lonely = [container for container in stack.running if container.foreign]
    return not wrong and not lonely, (
        f"{len(stack.of_purpose('link'))} links of two, {len(wrong)} with other members; "
        f"{len(lonely)} containers on undeclared networks"
    )


def tls_everywhere(stack: Stack) -> Verdict:
    if not names(stack):
        return True, "no public host in this stack"
    settings = list(stack.of(tokens.ZONE_SETTING))
    good = {s.props.get("settingId") for s in settings if not _fails(edge.zone_setting, s)}
    missing = [name for name in TLS_SETTINGS if name not in good]
    return not missing, f"zone settings {', '.join(TLS_SETTINGS)}; missing or weak: {', '.join(missing) or 'none'}"


def security_headers(stack: Stack) -> Verdict:
    gateways = {container.node for container in stack.with_role("gateway")}
    if not gateways:
        return not stack.with_role("service"), "no gateway in this stack"
    texts = [
        text for c in stack.containers if c.node in gateways for text in (*uploaded(c.resource), *configs(stack, c))
    ]
    missing = [header for header in HEADERS if not any(header in text.lower() for text in texts)]
    return not missing, f"{len(texts)} files of the gateway set {len(HEADERS) - len(missing)} of {len(HEADERS)} headers"


def uploaded(container: Resource) -> Iterator[str]:
    """The known texts of a container's uploads."""
    for upload in maps(container.props.get("uploads")):
        content, encoded = upload.get("content"), upload.get("contentBase64")
        if isinstance(content, str):
            yield content
        if isinstance(encoded, str) and re.fullmatch(r"[A-Za-z0-9+/=\s]*", encoded):
            yield base64.b64decode(encoded + "==").decode(errors="replace")


def configs(stack: Stack, container: Container) -> Iterator[str]:
    """The known texts of a service's configs."""
    for source in stack.sources(container.resource, "uploads"):
        if source.type == tokens.SERVICE_CONFIG:
            yield from uploaded(replace(source, props={"uploads": [{"contentBase64": source.props.get("data")}]}))


def intrusion(stack: Stack) -> Verdict:
    detectors, gateways = stack.with_role("crowdsec"), stack.with_role("gateway")
    fed = [d for d in detectors if any(d.networks & g.networks for g in gateways)]
    return bool(fed), f"{len(detectors)} detectors, {len(fed)} linked to the gateway"


def internal_dns(stack: Stack) -> Verdict:
    resolvers = stack.with_role("resolver")
    known = {address for resolver in resolvers for address in addresses(resolver.resource)}
    clients = [container for container in stack.running if container.role != "resolver"]
    elsewhere = [container for container in clients if not _asks_only(container, known)]
    return bool(resolvers) and not elsewhere, (
        f"{len(resolvers)} resolvers; {len(elsewhere)} of {len(clients)} containers ask elsewhere"
    )


def _asks_only(container: Container, resolvers: set[str]) -> bool:
    given = container.resource.props.get("dns")
    servers = strings(given)
    return bool(servers) and servers == given and resolvers.issuperset(servers)


def versioned(stack: Stack) -> Verdict:
    remote = list(stack.of(*command.REMOTE))
    carriers = [container for container in stack.containers if container.carrier]
    unmarked = [c for c in carriers if not has_label(c.resource.props, CONFIG)]
    running = [container.resource for container in stack.running]
    changeable = {
        resource.urn
        for check in (container_isolation.read_only, container_mounts.named_volumes_only)
        for resource in failing(check, running)
    }
    return not (remote or unmarked or changeable), (
        f"{len(carriers)} carriers, {len(unmarked)} without a digest; {len(changeable)} containers that can change; "
        f"{len(remote)} remote commands"
    )


def monitored(stack: Stack) -> Verdict:
    watching, alerts = stack.with_role("monitoring"), list(stack.of(tokens.NOTIFICATION))
    asked = [container for container in stack.with_role(*WATCHED) if _is_asked(stack, container, watching)]
    blind = len(stack.with_role(*WATCHED)) - len(asked)
    proxies = stack.with_role("egress-proxy")
    heard = [each for each in watching if any(each.networks & proxy.networks for proxy in proxies)]
    outside = not any(stack.of(*tokens.TUNNELS)) or (bool(alerts) and bool(heard))
    return bool(watching) and not blind and outside, (
        f"{len(watching)} monitoring containers, {len(heard)} with a way out; {blind} of gateway, connector and "
        f"detector that none of them asks; {len(alerts)} notifications of the edge"
    )


def _is_asked(stack: Stack, container: Container, watching: list[Container]) -> bool:
    nodes = {watcher.node for watcher in watching}
    links = (stack.networks[urn] for urn in container.networks)
    return any(link.server == container.node and link.client in nodes for link in links)


ITEMS: Final = (
    Item(
        1,
        "checklist-1-no-inbound",
        "no inbound port open at the perimeter; every service reached through the tunnel only",
        "Remove inbound rules and published ports; put every server behind this stack's firewall.",
        "perimeter",
        no_inbound,
        "critical",
    ),
    Item(
        2,
        "checklist-2-connector",
        "the connector runs as a non-root user with minimal permissions",
        "Give the connector a user, a read-only root and no capabilities.",
        "tunnel",
        connector,
    ),
    Item(
        3,
        "checklist-3-gateway",
        "the reverse proxy is the only container with access to both the external-facing and the internal networks",
        "Take the other containers off the ingress network.",
        "gateway",
        one_bridge,
        "critical",
    ),
    Item(
        4,
        "checklist-4-isolation",
        "every service on isolated Docker networks, without cross-service connectivity that it does not need",
        "Make networks from declared links only.",
        "lateral-movement",
        isolated,
        "critical",
    ),
    Item(
        5,
        "checklist-5-tls",
        "TLS enforced on every external route; HTTP redirects to HTTPS at the proxy",
        "Set always_use_https on, min_tls_version 1.2 and ssl strict.",
        "edge",
        tls_everywhere,
    ),
    Item(
        6,
        "checklist-6-headers",
        "security headers on everything: HSTS, CSP, X-Frame-Options, Referrer-Policy",
        "Set the four headers in the gateway's configuration.",
        "gateway",
        security_headers,
        "medium",
    ),
    Item(
        7,
        "checklist-7-intrusion",
        "intrusion detection active and fed with the proxy's real log",
        "Add the intrusion component and its link to the gateway.",
        "gateway",
        intrusion,
        "medium",
    ),
    Item(
        8,
        "checklist-8-names",
        "an internal DNS server for all local resolution; no public DNS for internal names",
        "Add the resolver and set each container's dns to its address.",
        "exfiltration",
        internal_dns,
        "medium",
    ),
    Item(
        9,
        "checklist-9-versioned",
        "all service configuration in version control; nothing changed by hand on the host",
        "Deliver files by carriers with a digest; remove remote commands.",
        "operations",
        versioned,
        "medium",
    ),
    Item(
        10,
        "checklist-10-monitoring",
        "monitoring and alerting for tunnel connectivity, proxy errors and security events",
        "Link monitoring to gateway, connector and detector; give alerts a way out; notify of the tunnel's health.",
        "operations",
        monitored,
        "medium",
    ),
)


def evaluate(stack: Stack) -> tuple[ChecklistItem, ...]:
    """All ten items. One whose decision raises does not hold."""
    return tuple(_evaluate(item, stack) for item in ITEMS)


def _evaluate(item: Item, stack: Stack) -> ChecklistItem:
    try:
        ok, evidence = item.decide(stack)
    except Exception as error:
        ok, evidence = False, f"could not be decided ({type(error).__name__})"
    return ChecklistItem(item.number, item.text, ok, evidence)


def _check(item: Item) -> Callable[[Stack], Iterator[Finding]]:
    def check(stack: Stack) -> Iterator[Finding]:
        result = _evaluate(item, stack)
        if not result.ok:
            yield Finding("", result.evidence)

    return check


RULES = tuple(
    StackRule(
        id=item.id,
        severity=item.severity,
        claim=f"{item.text[0].upper()}{item.text[1:]}.",
        remediation=item.remediation,
        threat=item.threat,
        check=_check(item),
        waivable=item.number not in (1, 3, 4),
    )
    for item in ITEMS
)
