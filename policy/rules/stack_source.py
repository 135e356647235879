"""Stack rules: where values come from that a resource rule could not know yet."""

from collections.abc import Iterator
from typing import Final

from . import tokens
from .graph import Container, Stack
from .model import UNKNOWN, Finding, PropertyValue, StackRule, has_unknown
from .reading import maps
from .stack_data import SHARING_ROLES

OWN_SECRETS: Final = ("random:", "tls:")
USER_DATA_SOURCES: Final = (*OWN_SECRETS, *tokens.TUNNELS, *tokens.TUNNEL_CONFIGS, "hcloud:index/volume:")


def server_firewall(stack: Stack) -> Iterator[Finding]:
    firewalls = {resource.urn for resource in stack.of(tokens.FIREWALL)}
    for server in stack.of(tokens.SERVER):
        named = server.props.get("firewallIds")
        named = [named] if named is UNKNOWN else named
        sources = {source.urn for source in stack.sources(server, "firewallIds")} & firewalls
        wanted = len(named) if isinstance(named, list) else 1
        if not named or len(sources) < wanted:
            yield Finding(server.urn, "firewallIds: a firewall that is not of this stack, so nobody checks its rules")


def image_source(stack: Stack) -> Iterator[Finding]:
    for container in stack.of(tokens.CONTAINER):
        sources = stack.sources(container, "image")
        if container.props.get("image") is UNKNOWN and not any(
            source.type == tokens.REMOTE_IMAGE for source in sources
        ):
            yield Finding(container.urn, "image: unknown, and not from a RemoteImage of this stack")


def user_data_source(stack: Stack) -> Iterator[Finding]:
    for server in stack.of(tokens.SERVER):
        if not has_unknown(server.props.get("userData")):
            continue
        sources = stack.sources(server, "userData")
        if not sources or not all(source.type.startswith(USER_DATA_SOURCES) for source in sources):
            yield Finding(server.urn, "userData: unknown, and not from this stack's keys, secrets and tunnels alone")


def command_source(stack: Stack) -> Iterator[Finding]:
    for command in stack.of(tokens.LOCAL_COMMAND):
        for step in ("create", "update", "delete"):
            sources = stack.sources(command, step)
            own = sources and all(source.type.startswith(OWN_SECRETS) for source in sources)
            if command.props.get(step) is UNKNOWN and not own:
                yield Finding(command.urn, f"{step}: unknown, and not from this stack's keys alone")


def volume_source(stack: Stack) -> Iterator[Finding]:
    declared = {volume.props.get("name") for volume in stack.of(tokens.VOLUME)} - {None, UNKNOWN}
    for container in stack.containers:
        names = _volumes(container)
        known = [name for name in names if name is not UNKNOWN]
        made_of = [source for source in stack.sources(container.resource, "volumes") if source.type == tokens.VOLUME]
        spare = [source for source in made_of if source.props.get("name") not in known]
        if len(names) - len(known) > len(spare):
            yield Finding(container.resource.urn, "volumes: a name that is unknown, and not of a volume of this stack")
        nameless = [source for source in spare if source.props.get("name") not in declared]
        if len([name for name in known if name not in declared]) > len(nameless):
            yield Finding(container.resource.urn, "volumes: a name that no volume of this stack has")


def _volumes(container: Container) -> list[PropertyValue]:
    """Names of what is mounted. Without those that each machine of a Swarm makes for whoever watches or saves it."""
    shares = container.role in SHARING_ROLES
    entries = maps(container.resource.props.get("volumes"))
    kept = [entry.get("volumeName") for entry in entries if not (shares and entry.get("owner"))]
    return [name for name in kept if name not in (None, "")]


def private_network(stack: Stack) -> Iterator[Finding]:
    """Whoever is on it reaches what a machine's own firewall lets members reach."""
    for joined in stack.of(tokens.SERVER_NETWORK):
        for prop, token in (("serverId", tokens.SERVER), ("subnetId", tokens.PRIVATE_SUBNET)):
            if not any(source.type == token for source in stack.sources(joined, prop)):
                yield Finding(joined.urn, f"{prop}: not of this stack, so nobody checks its packet filter")


def docker_host_source(stack: Stack) -> Iterator[Finding]:
    for provider in stack.of(tokens.DOCKER_PROVIDER):
        if provider.props.get("host") is not UNKNOWN:
            continue
        if not any(source.type == tokens.LOCAL_COMMAND for source in stack.sources(provider, "host")):
            yield Finding(provider.urn, "host: unknown, and not from the command that waits for the admin tunnel")


RULES = (
    StackRule(
        id="stack-server-firewall",
        severity="critical",
        claim="Every server is behind firewalls of this stack, whose rules are checked.",
        remediation="Pass the id of this stack's firewall in firewallIds.",
        threat="perimeter",
        check=server_firewall,
        waivable=False,
    ),
    StackRule(
        id="stack-image-source",
        severity="high",
        claim="An image that is not known yet comes from a RemoteImage of this stack, whose name is pinned.",
        remediation="Pass the RemoteImage's image_id.",
        threat="supply-chain",
        check=image_source,
    ),
    StackRule(
        id="stack-user-data-source",
        severity="high",
        claim="User data that is not known yet is made from this stack's keys, secrets and tunnels alone.",
        remediation="Make user data from values of this stack.",
        threat="host",
        check=user_data_source,
    ),
    StackRule(
        id="stack-volume-source",
        severity="high",
        claim="What a container mounts is a volume of this stack, whose driver is checked.",
        remediation="Declare the Volume and pass its name.",
        threat="containers",
        check=volume_source,
    ),
    StackRule(
        id="stack-command-source",
        severity="high",
        claim="A command that is not known yet is made from this stack's keys alone.",
        remediation="Write the command as text; take nothing but the host key from another resource.",
        threat="operations",
        check=command_source,
    ),
    StackRule(
        id="stack-private-network",
        severity="critical",
        claim="Servers on a private network, and the network, are this stack's.",
        remediation="Pass the ids of this stack's Server and NetworkSubnet.",
        threat="perimeter",
        check=private_network,
        waivable=False,
    ),
    StackRule(
        id="stack-docker-host-source",
        severity="high",
        claim="A Docker host that is not known yet comes from the command that waits for the admin tunnel.",
        remediation="Take the host from the readiness command's output.",
        threat="admin",
        check=docker_host_source,
    ),
)
