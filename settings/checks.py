"""Checks that need more than one key of the stack file. Each yields (path of the key, what is right)."""

from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network

from settings.backup import Backup
from settings.blocklist import covers, names
from settings.egress import problem as egress_problem
from settings.monitoring import waivers
from settings.node_checks import problems as node_problems
from settings.preset import preset
from settings.reference import SECRETS, SELF, Reference, credentials, exports, mistyped, references
from settings.service import Service
from settings.stack import Settings
from topology.egress import egress
from topology.links import links
from topology.names import RESERVED
from topology.nodes import DASHBOARDS_PRESET, copied, copier, exporter, measured, nodes_of
from topology.plan import plan
from topology.subnets import SubnetClashError, link_prefix, reserved

Problem = tuple[str, str]
CONNECTOR_NAMES = ("region1.v2.argotunnel.com", "region2.v2.argotunnel.com", "api.cloudflare.com")
"""What cloudflared asks for: https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/."""


def problems(settings: Settings) -> list[Problem]:
    """Every problem of a stack file whose single keys are well-formed; later checks lean on earlier ones."""
    found = [problem for check in CHECKS for problem in check(settings)]
    return found or list(_subnets(settings))


def _cloud_sections(settings: Settings) -> Iterator[Problem]:
    if settings.target == "local":
        return
    for key in ("cloudflare", "host"):
        if getattr(settings, key) is None:
            yield key, "needed with target: cloud"
    if not settings.operators.ssh_keys:
        yield "operators.ssh_keys", "needed with target: cloud: name at least one operator's public key"
    if not settings.operators.emails:
        yield "operators.emails", "needed with target: cloud: name at least one identity for Cloudflare Access"


def _names(settings: Settings) -> Iterator[Problem]:
    count = Counter(node for name in settings.services for node in nodes_of(settings, name))
    for name in settings.services:
        if name in RESERVED:
            yield f"services.{name}", f"this name is the program's own; taken are: {', '.join(RESERVED)}"
        for node in nodes_of(settings, name):
            if count[node] > 1 and node == name:
                yield f"services.{name}", "another service's replica has this name"


def _links(settings: Settings) -> Iterator[Problem]:
    for name, service in settings.services.items():
        for index, used in enumerate(service.uses):
            path = f"services.{name}.uses[{index}]"
            if used == name:
                yield path, "a service needs no link to itself"
            elif used not in settings.services:
                yield path, f"no service is called {used}; there are: {', '.join(sorted(settings.services))}"
            elif settings.services[used].port is None:
                yield f"services.{used}.port", f"needed: {name} uses it"


def _cycles(settings: Settings) -> Iterator[Problem]:
    """Start order follows ``uses``, so a cycle has no order to start in."""
    done: set[str] = set()
    for name in sorted(settings.services):
        cycle = _cycle_from(name, settings.services, done)
        if cycle:
            yield f"services.{cycle[0]}.uses", f"a cycle: {' → '.join(cycle)}; leave one link out"
            return


def _cycle_from(start: str, services: dict[str, Service], done: set[str]) -> list[str]:
    """Depth first without recursion, since a chain of services may be longer than the stack."""
    trail: list[str] = [start]
    branches = [iter(_known_uses(start, services))]
    while trail:
        used = next(branches[-1], None)
        if used is None:
            done.add(trail.pop())
            branches.pop()
        elif used in trail:
            return [*trail[trail.index(used) :], used]
        elif used not in done:
            trail.append(used)
            branches.append(iter(_known_uses(used, services)))
    return []


def _known_uses(name: str, services: dict[str, Service]) -> list[str]:
    return [used for used in sorted(set(services[name].uses)) if used in services and used != name]


def _routes(settings: Settings) -> Iterator[Problem]:
    owners: dict[tuple[str, str], str] = {}
    for name, service in settings.services.items():
        for index, route in enumerate(service.routes):
            path = f"services.{name}.routes[{index}]"
            owner = owners.setdefault((route.host, route.path), path)
            if owner != path:
                yield path, f"{owner} has the same host and path: {route.host}{route.path}"
            yield from ((f"{path}.host", text) for text in _host_problems(route.host, settings))
        if service.routes and service.port is None:
            yield f"services.{name}.port", "needed: the service has routes"


def _api_keys(settings: Settings) -> Iterator[Problem]:
    known = [*settings.secrets, *settings.generated]
    for name, service in settings.services.items():
        for index, route in enumerate(service.routes):
            if route.api_key is not None and route.api_key not in known:
                yield (
                    f"services.{name}.routes[{index}].api_key",
                    f"no such secret; there are: {', '.join(known) or 'none'}",
                )


def _intrusion(settings: Settings) -> Iterator[Problem]:
    known = [*settings.secrets, *settings.generated]
    intrusion, community = settings.intrusion, settings.intrusion.community
    wanted = {"edge_token": intrusion.edge_token}
    if community:
        wanted |= {"community.login": community.login, "community.password": community.password}
    for key, name in wanted.items():
        if name is not None and name not in known:
            yield f"intrusion.{key}", f"no such secret; there are: {', '.join(known) or 'none'}"
    if intrusion.edge_token and settings.target == "local":
        yield "intrusion.edge_token", "there is no edge with target: local"
    if intrusion.edge_token and not settings.edge.manage_zone:
        yield "intrusion.edge_token", "needs edge.manage_zone: the rule that blocks the list is the zone's"


def _backup(settings: Settings) -> Iterator[Problem]:
    backup = settings.backup
    if backup is None:
        return
    yield from _backup_store(settings, backup)
    known = [*settings.secrets, *settings.generated]
    wanted = {"password": backup.password}
    if backup.keys:
        wanted |= {"keys.id": backup.keys.id, "keys.secret": backup.keys.secret}
    for key, name in wanted.items():
        if name is not None and name not in known:
            yield f"backup.{key}", f"no such secret; there are: {', '.join(known) or 'none'}"


def _backup_store(settings: Settings, backup: Backup) -> Iterator[Problem]:
    if backup.store == "s3" and backup.keys is None:
        yield "backup.keys", "needed with store: s3"
    if backup.store == "volume" and backup.keys is not None:
        yield "backup.keys", "a volume needs none"
    if backup.store == "r2" and settings.target == "local":
        yield "backup.store", "with target: local there is no account for a bucket: choose s3 or volume"
    if backup.password is not None and backup.passwords > 1:
        yield (
            "backup.passwords",
            "counts those that the program makes; yours is changed by hand: docs/rotation.md",
        )
    if (backup.store == "s3") != (backup.s3 is not None):
        yield "backup.s3", "goes with store: s3, and with no other"


def _backed_up(settings: Settings) -> Iterator[Problem]:
    """What is to be backed up has to be said of every volume, so that none is forgotten."""
    for name, service in settings.services.items():
        path = f"services.{name}.backup"
        if settings.backup is not None and service.volumes and service.backup is None:
            yield path, "the service has volumes: say how they are backed up (files), or that they are not (none)"
        if service.backup == "postgres" and service.preset != "postgres":
            yield path, "postgres goes with preset: postgres"
        if service.backup == "files" and not service.volumes:
            yield path, "there are no volumes to copy"
    taken = {node for name in settings.services for node in nodes_of(settings, name)}
    for name in copied(settings):
        if copier(name) in taken:
            yield f"services.{copier(name)}", f"this name is taken by the container that backs up {name}"


def _monitoring(settings: Settings) -> Iterator[Problem]:
    known = [*settings.secrets, *settings.generated]
    for key, name in settings.monitoring.secrets.items():
        if name not in known:
            yield f"monitoring.{key}", f"no such secret; there are: {', '.join(known) or 'none'}"
    if settings.target == "cloud" and not settings.monitoring.is_heard:
        yield "monitoring", "alerts would reach nobody: name ntfy, webhook or mail"
    try:
        waivers()
    except ValueError as error:
        yield "monitoring", str(error)


def _dashboards(settings: Settings) -> Iterator[Problem]:
    """Grafana asks for no password: the route is what keeps strangers out."""
    for name, service in settings.services.items():
        for index, route in enumerate(service.routes):
            if service.preset == DASHBOARDS_PRESET and not route.admin:
                yield f"services.{name}.routes[{index}].admin", "dashboards are for operators alone: admin: true"


def _exporters(settings: Settings) -> Iterator[Problem]:
    taken = {node for name in settings.services for node in nodes_of(settings, name)}
    for node in measured(settings):
        if exporter(node) in taken:
            yield f"services.{exporter(node)}", f"this name is taken by the container that measures {node}"


def _host_problems(host: str, settings: Settings) -> Iterator[str]:
    if host != settings.domain and not host.endswith(f".{settings.domain}"):
        yield f"{host} is not in the stack's domain {settings.domain}"
    elif "." in host.removesuffix(settings.domain).rstrip("."):
        yield f"{host}: Cloudflare's certificate covers {settings.domain} and one label before it, no more"


def _ssh_host(settings: Settings) -> Iterator[Problem]:
    host = settings.tunnel.ssh_host
    if host is None:
        return
    yield from (("tunnel.ssh_host", text) for text in _host_problems(host, settings))
    if any(host == route.host for service in settings.services.values() for route in service.routes):
        yield "tunnel.ssh_host", f"{host} is a route's host already"


def _admin_routes(settings: Settings) -> Iterator[Problem]:
    if settings.operators.networks:
        return
    for name, service in settings.services.items():
        for index, route in enumerate(service.routes):
            if route.admin:
                yield f"services.{name}.routes[{index}].admin", "needs operators.networks: nobody could reach it"


def _error_bodies(settings: Settings) -> Iterator[Problem]:
    """Beside an admin path every error has one body, or the service's own would tell which paths exist."""
    hiding = {route.host for service in settings.services.values() for route in service.routes if route.admin}
    for name, service in settings.services.items():
        for index, route in enumerate(service.routes):
            if route.errors == "service" and route.host in hiding:
                path = f"services.{name}.routes[{index}].errors"
                yield (
                    path,
                    f"{route.host} has admin paths, so its errors are the gateway's: give admin a host of its own",
                )


def _replicas(settings: Settings) -> Iterator[Problem]:
    for name, service in settings.services.items():
        if service.replicas > 1 and service.volumes:
            yield f"services.{name}.replicas", "a service with volumes has one replica: two would write the same files"


def _users(settings: Settings) -> Iterator[Problem]:
    """The kernel counts processes by uid, over all containers: docs/adr/0052. Root's are not limited at all."""
    own = {name: service.user for name, service in settings.services.items() if _is_presets(service)}
    owners = {_uid(user): name for name, user in own.items() if user}
    for name, service in settings.services.items():
        if name in own or service.user is None or _uid(service.user) == 0:
            continue
        owner = owners.setdefault(_uid(service.user), name)
        if owner != name:
            yield f"services.{name}.user", f"{owner} has uid {_uid(service.user)} already: give each service its own"


def _is_presets(service: Service) -> bool:
    """Whether its user is the one that its preset names."""
    return service.preset is not None and preset(service.preset)["service"].get("user") == service.user


def _uid(user: str) -> int:
    return int(user.partition(":")[0])


def _mounts(settings: Settings) -> Iterator[Problem]:
    for name, service in settings.services.items():
        folders = {path.rpartition("/")[0] for path in service.files} | ({"/run/secrets"} if service.secrets else set())
        count = Counter([*folders, *service.volumes.values(), *service.tmpfs])
        for path in sorted(path for path, times in count.items() if times > 1):
            yield f"services.{name}", f"{path} is mounted twice: files, secrets, volumes and tmpfs need own folders"
        if "" in folders:
            yield f"services.{name}.files", "a file in / would hide the whole image: choose a folder"


def _references(settings: Settings) -> Iterator[Problem]:
    for name, service in settings.services.items():
        for key, texts in (("files", service.files), ("secrets", service.secrets)):
            for entry, text in texts.items():
                yield from ((f"services.{name}.{key}.{entry}", problem) for problem in _read(text, name, settings))
        for entry, text in service.env.items():
            if references(text):
                yield f"services.{name}.env.{entry}", "the environment is no place for secrets: use secrets or files"


def _read(text: str, reader: str, settings: Settings) -> Iterator[str]:
    """What is wrong with the references of one text."""
    for reference in references(text):
        problem = _reference_problem(reference, reader, settings)
        if problem:
            yield problem
    for written in mistyped(text, settings.services):
        yield f"{written}: this would stay as it is; write ${{OWNER.NAME}}, without spaces, NAME of a-z, 0-9 and _"


def _reference_problem(reference: Reference, reader: str, settings: Settings) -> str | None:
    text = f"${{{reference.owner}.{reference.field}}}"
    if reference.owner == SECRETS:
        known = [*settings.secrets, *settings.generated]
        return None if reference.field in known else f"{text}: no such secret; there are: {', '.join(known) or 'none'}"
    owner = reader if reference.owner == SELF else reference.owner
    if owner != reader and owner not in settings.services[reader].uses:
        return f"{text}: {reader} does not use {owner}"
    fields = [*exports(settings.services[owner])] if owner in settings.services else []
    # Its own passwords a service knows, those that are for nobody else among them.
    own = credentials(settings.services[reader]) if owner == reader else ()
    return (
        None if reference.field in (*fields, *own) else f"{text}: not known; there are: {', '.join(fields) or 'none'}"
    )


def _generated(settings: Settings) -> Iterator[Problem]:
    for index, name in enumerate(settings.generated):
        if name in settings.secrets:
            yield f"generated[{index}]", f"{name} is set under secrets already"
        elif name in settings.generated[:index]:
            yield f"generated[{index}]", f"{name} is there already"


def _pins(settings: Settings) -> Iterator[Problem]:
    pool = IPv4Network(settings.network.pool)
    own = reserved(pool, link_prefix(settings))
    for link, subnet in settings.network.subnets.items():
        if not IPv4Network(subnet).subnet_of(pool):
            yield f"network.subnets.{link}", f"{subnet} is not in the pool {pool}"
        if IPv4Network(subnet).prefixlen != link_prefix(settings):
            yield f"network.subnets.{link}", f"a link's subnet is a /{link_prefix(settings)} here"
        if IPv4Network(subnet).overlaps(own):
            yield f"network.subnets.{link}", f"{subnet} lies in {own}, which the program keeps for networks of its own"
    taken = Counter(settings.network.subnets.values())
    yield from (("network.subnets", f"{subnet} is given twice") for subnet, times in taken.items() if times > 1)


def _egress(settings: Settings) -> Iterator[Problem]:
    for name, service in settings.services.items():
        for index, pattern in enumerate(service.egress):
            text = egress_problem(pattern, service.egress)
            if text:
                yield f"services.{name}.egress[{index}]", text


def _blocklists(settings: Settings) -> Iterator[Problem]:
    needed = dict(_called(settings))
    for key, blocklist in settings.resolver.blocklists.items():
        path = f"resolver.blocklists.{key}"
        try:
            listed = names(blocklist) - set(settings.resolver.exceptions)
        except ValueError as error:
            yield path, str(error)
            continue
        for name, caller in needed.items():
            entry = covers(listed, name)
            if entry and not covers(set(settings.resolver.exceptions), name):
                yield path, f"has {entry}, but {caller} needs {name}: add it to resolver.exceptions"


def _called(settings: Settings) -> Iterator[tuple[str, str]]:
    """Names that have to resolve, each with who asks for it."""
    yield from ((name, "the connector") for name in CONNECTOR_NAMES)
    for node, patterns in egress(settings).items():
        yield from ((pattern.removeprefix("*.").partition(":")[0], node) for pattern in patterns)


def _subnets(settings: Settings) -> Iterator[Problem]:
    known = {f"{client}>{server}" for client, server in links(settings)}
    for link in settings.network.subnets:
        if link not in known:
            yield f"network.subnets.{link}", "there is no such link"
    try:
        plan(settings)
    except SubnetClashError as clash:
        yield "network.subnets", str(clash)


CHECKS: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _cloud_sections,
    _names,
    _links,
    _cycles,
    _routes,
    _api_keys,
    _intrusion,
    _ssh_host,
    _admin_routes,
    _error_bodies,
    _replicas,
    _users,
    _mounts,
    _references,
    _generated,
    _pins,
    _egress,
    _blocklists,
    _backup,
    _backed_up,
    _monitoring,
    _exporters,
    _dashboards,
    node_problems,
)
