"""Stack rules: from a public name through the tunnel to the gateway, and Access before admin hosts."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from . import tokens
from .dns import verifies
from .graph import Stack
from .model import UNKNOWN, Finding, PropertyValue, Resource, StackRule
from .reading import labels, maps, strings
from .task import NODE

ADMIN_HOSTS: Final = "zero-exposure.admin-hosts"
"""Label of the gateway's container: its admin hosts, separated by commas."""


@dataclass(frozen=True)
class Entrance:
    """One ingress rule of a tunnel with a host name."""

    config: Resource
    hostname: str
    service: str
    access_required: PropertyValue
    """As it is declared. Only a true one that is known makes the connector ask."""

    @property
    def url(self) -> SplitResult:
        """As the connector reads it: a scheme in upper case is the same scheme. Without one where it can't be read."""
        try:
            return urlsplit(self.service)
        except ValueError:
            return SplitResult("", "", "", "", "")

    @property
    def is_ssh(self) -> bool:
        return self.url.scheme == "ssh"

    @property
    def is_web(self) -> bool:
        return self.url.scheme in {"http", "https"}

    @property
    def has_access(self) -> bool:
        return self.access_required not in (None, False)

    @property
    def is_guarded(self) -> bool:
        return self.access_required is True

    @property
    def is_answer(self) -> bool:
        """The connector answers by itself, with a status."""
        return self.service.startswith("http_status:")


def entrances(stack: Stack) -> list[Entrance]:
    """Every ingress rule that has a known host name and a service."""
    return [entrance for config in stack.of(*tokens.TUNNEL_CONFIGS) for entrance in _of_config(config)]


def _of_config(config: Resource) -> Iterator[Entrance]:
    for rule in maps(_rules(config)):
        hostname, service = rule.get("hostname"), rule.get("service")
        if isinstance(hostname, str) and hostname and isinstance(service, str):
            origin = rule.get("originRequest")
            access = origin.get("access") if isinstance(origin, Mapping) else None
            required = access.get("required") if isinstance(access, Mapping) else None
            yield Entrance(config, hostname.lower(), service, required)


def _rules(config: Resource) -> object:
    inner = config.props.get("config")
    return inner.get("ingresses") if isinstance(inner, Mapping) else None


def names(stack: Stack) -> dict[str, Resource]:
    """Public names that lead to a tunnel, wildcards too, without verification records."""
    return dict(_named(stack))


def _named(stack: Stack) -> Iterator[tuple[str, Resource]]:
    for record in stack.of(*tokens.DNS_RECORDS):
        name, kind = record.props.get("name"), record.props.get("type")
        is_cname = isinstance(kind, str) and kind.upper() == "CNAME"
        if is_cname and isinstance(name, str) and not verifies(record.props):
            yield name.lower().rstrip("."), record


def covers(pattern: str, host: str) -> bool:
    """True if a DNS name or an Access domain covers a host. `*` stands for one label or more."""
    pattern = pattern.lower().split("/")[0]
    if pattern == "*" or pattern == host:
        return True
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and host != pattern[2:]
    return "." not in pattern and host.startswith(f"{pattern}.")


def dns_source(stack: Stack) -> Iterator[Finding]:
    tunnels = {tunnel.urn for tunnel in stack.of(*tokens.TUNNELS)}
    for _, record in _named(stack):
        if not any(source.urn in tunnels for source in stack.sources(record, "content")):
            yield Finding(record.urn, "content: not from a tunnel of this stack")


def config_source(stack: Stack) -> Iterator[Finding]:
    tunnels = {tunnel.urn for tunnel in stack.of(*tokens.TUNNELS)}
    configured: set[str] = set()
    for config in stack.of(*tokens.TUNNEL_CONFIGS):
        own = {source.urn for source in stack.sources(config, "tunnelId")} & tunnels
        if not own:
            yield Finding(config.urn, "tunnelId: not a tunnel of this stack")
        configured |= own
    for urn in sorted(tunnels - configured):
        yield Finding(urn, "no configuration in this stack, so its ingress is unknown")


def names_agree(stack: Stack) -> Iterator[Finding]:
    public, hosts = names(stack), entrances(stack)
    for entrance in hosts:
        leading = [name for name in public if covers(name, entrance.hostname)]
        nearest = max(leading, key=len, default="")
        if not nearest or not _same_tunnel(stack, public[nearest], entrance.config):
            yield Finding(entrance.config.urn, "hostname: an ingress rule whose name does not lead to this tunnel")
    for name, record in public.items():
        if not any(covers(name, entrance.hostname) for entrance in hosts):
            yield Finding(record.urn, "name: no ingress rule answers to it")


def _same_tunnel(stack: Stack, record: Resource, config: Resource) -> bool:
    to = {source.urn for source in stack.sources(record, "content")}
    return any(source.urn in to for source in stack.sources(config, "tunnelId") if source.type in tokens.TUNNELS)


def admin_hosts(stack: Stack) -> dict[str, Resource]:
    """Hosts for operators only → where they are declared.

    Those of SSH, those with an Access check in the connector, those that only a wildcard record covers
    (an admin host is in no zone listing), and those that the gateway's label names.
    """
    own = {name for name in names(stack) if not name.startswith("*")}
    found = {
        entrance.hostname: entrance.config
        for entrance in entrances(stack)
        if entrance.is_ssh or entrance.has_access or not any(covers(name, entrance.hostname) for name in own)
    }
    for gateway in stack.with_role("gateway"):
        declared = labels(gateway.resource.props).get(ADMIN_HOSTS, "")
        found |= {host.strip().lower(): gateway.resource for host in declared.split(",") if host.strip()}
    return found


def admin_access(stack: Stack) -> Iterator[Finding]:
    if not any(stack.of(*tokens.TUNNEL_CONFIGS)):
        return  # without a tunnel of its own the stack has no public name
    protected = [domain for app in stack.of(*tokens.ACCESS_APPLICATIONS) for domain in _domains(app)]
    hosts = admin_hosts(stack)
    for host, resource in hosts.items():
        if not any(covers(domain, host) for domain in protected):
            yield Finding(resource.urn, "an admin host without an Access application before it")
    for entrance in entrances(stack):
        leads_in = not entrance.is_answer and any(covers(entrance.hostname, host) for host in hosts)
        if leads_in and not entrance.is_guarded:
            message = "originRequest.access.required: not true for an admin host, so the connector checks nothing"
            yield Finding(entrance.config.urn, message)


def policy_source(stack: Stack) -> Iterator[Finding]:
    policies = {policy.urn for policy in stack.of(*tokens.ACCESS_POLICIES)}
    for application in stack.of(*tokens.ACCESS_APPLICATIONS):
        named = [entry for entry in maps(application.props.get("policies")) if entry.get("decision") is None]
        own = {source.urn for source in stack.sources(application, "policies")} & policies
        if len(own) < len(named):
            yield Finding(application.urn, "policies: one that is not of this stack, so nobody checks whom it lets in")


def group_source(stack: Stack) -> Iterator[Finding]:
    groups = {group.urn for group in stack.of(*tokens.ACCESS_GROUPS)}
    for resource in stack.of(*tokens.ACCESS_POLICIES, *tokens.ACCESS_GROUPS, *tokens.ACCESS_APPLICATIONS):
        prop = "policies" if resource.type in tokens.ACCESS_APPLICATIONS else "includes"
        own = {source.urn for source in stack.sources(resource, prop)} & groups
        if len(own) < len(_groups(resource)):
            yield Finding(resource.urn, f"{prop}: a group that is not of this stack, so nobody checks who is in it")


def _groups(resource: Resource) -> list[PropertyValue]:
    """The groups that a policy, a group, or an application's own policies let in."""
    policies = [entry for entry in [resource.props, *maps(resource.props.get("policies"))] if _lets_in(entry)]
    includes = [include for entry in policies for include in maps(entry.get("includes"))]
    return [include["group"] for include in includes if include.get("group") is not None]


def _lets_in(policy: Mapping[str, PropertyValue]) -> bool:
    return policy.get("decision") != "deny"


def _domains(application: Resource) -> Iterator[str]:
    domain = application.props.get("domain")
    if isinstance(domain, str) and "/" not in domain.rstrip("/"):
        yield domain.rstrip("/")
    for destination in maps(application.props.get("destinations")):
        uri = destination.get("uri")
        if isinstance(uri, str) and "/" not in uri.rstrip("/"):
            yield uri.rstrip("/")


def leads_to_gateway(stack: Stack, entrance: Entrance) -> bool:
    """True if an ingress rule's target is the gateway: its name, host name, alias or fixed address."""
    host = (entrance.url.hostname or "").lower()
    return any(host in addresses(gateway.resource) for gateway in stack.with_role("gateway"))


def addresses(container: Resource) -> set[str]:
    """The names and addresses under which a container is reached on its networks."""
    found = [container.props.get("name"), container.props.get("hostname"), labels(container.props).get(NODE)]
    for entry in maps(container.props.get("networksAdvanced")):
        found += [entry.get("ipv4Address"), *strings(entry.get("aliases"))]
    return {text.lower() for text in found if isinstance(text, str) and text}


def central(stack: Stack) -> Iterator[Finding]:
    for config in stack.of(*tokens.TUNNEL_CONFIGS):
        if len(maps(_rules(config))) == 0 or maps(_rules(config)) != _rules(config):
            yield Finding(config.urn, "config.ingresses: can't be read, so nothing vouches for where it leads")
    for entrance in entrances(stack):
        led = entrance.is_ssh or entrance.is_answer or (entrance.is_web and leads_to_gateway(stack, entrance))
        if not led:
            yield Finding(entrance.config.urn, "service: an ingress rule that does not lead to the gateway")


def ssh_is_local(stack: Stack) -> Iterator[Finding]:
    for entrance in entrances(stack):
        if entrance.is_ssh and not _is_loopback(entrance.url.hostname or ""):
            yield Finding(entrance.config.urn, "service: SSH to another machine than the connector's own")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def internal_names(stack: Stack) -> Iterator[Finding]:
    nodes = {container.node for container in stack.running if container.role != "gateway"}
    for record in stack.of(*tokens.DNS_RECORDS):
        content = record.props.get("content")
        if content is not UNKNOWN and isinstance(content, str) and content.split(".")[0] in nodes:
            yield Finding(record.urn, "content: a public record that names an internal node")


RULES = (
    StackRule(
        id="stack-dns-source",
        severity="critical",
        claim="Every public name leads to a tunnel of this stack.",
        remediation="Make the content from the tunnel's id.",
        threat="discovery",
        check=dns_source,
        waivable=False,
    ),
    StackRule(
        id="stack-tunnel-config",
        severity="critical",
        claim="Every tunnel of this stack has its configuration here, and every configuration its tunnel.",
        remediation="Add a ZeroTrustTunnelCloudflaredConfig with the tunnel's id.",
        threat="tunnel",
        check=config_source,
        waivable=False,
    ),
    StackRule(
        id="stack-names",
        severity="high",
        claim="Every ingress rule has a public name that leads to its tunnel, and every public name has a rule.",
        remediation="Make both from the services map.",
        threat="discovery",
        check=names_agree,
    ),
    StackRule(
        id="stack-admin-access",
        severity="critical",
        claim="Every admin and SSH host has an Access application for the whole host, and the connector checks it too.",
        remediation="Add a ZeroTrustAccessApplication for the host, without a path; require access in its rules.",
        threat="admin",
        check=admin_access,
        waivable=False,
    ),
    StackRule(
        id="stack-access-policy",
        severity="critical",
        claim="Every Access application lets in by policies of this stack, which are checked.",
        remediation="Pass the id of a ZeroTrustAccessPolicy of this stack.",
        threat="admin",
        check=policy_source,
        waivable=False,
    ),
    StackRule(
        id="stack-access-group",
        severity="critical",
        claim="Every group that Access lets in is one of this stack, whose members are checked.",
        remediation="Pass the id of a ZeroTrustAccessGroup of this stack, or name the people in the policy.",
        threat="admin",
        check=group_source,
        waivable=False,
    ),
    StackRule(
        id="stack-central-ingress",
        severity="critical",
        claim="Every public web host leads to the one gateway.",
        remediation="Point the ingress rule at the gateway; route behind it.",
        threat="gateway",
        check=central,
        waivable=False,
    ),
    StackRule(
        id="stack-ssh-local",
        severity="critical",
        claim="SSH through a tunnel ends on the connector's own machine.",
        remediation="Use ssh://localhost:22 on the admin tunnel.",
        threat="admin",
        check=ssh_is_local,
        waivable=False,
    ),
    StackRule(
        id="stack-internal-names",
        severity="medium",
        claim="No public record names an internal node.",
        remediation="Remove the record; the internal resolver answers internal names.",
        threat="discovery",
        check=internal_names,
    ),
)
