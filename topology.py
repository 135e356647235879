"""From the services map to networks, subnets, addresses and routes. Pure: the same settings give the same plan.

An address is a function of names alone, so that adding a service moves no address of another one: a link's
subnet is found by hashing ``client>server`` into the pool. Two links that fall on one subnet are an error with the
line that mends it (``network.subnets``), never a silent move.

On a Swarm a container's address is known only once it runs, so that networks are larger and names stand for members.
"""

import hashlib
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from settings.backup import R2_HOST
from settings.intrusion import Intrusion
from settings.nodes import Machine, is_mesh
from settings.route import Route
from settings.service import Service
from settings.stack import Settings

GATEWAY, CLOUDFLARED, RESOLVER, PROXY = "gateway", "cloudflared", "resolver", "egress-proxy"
CROWDSEC, EDGE_BANS, BACKUP = "crowdsec", "edge-bans", "backup"
PROMETHEUS, ALERTMANAGER, NODE_EXPORTER = "prometheus", "alertmanager", "node-exporter"
PROBER, MAIL_RELAY, LOG_SHIPPER = "prober", "mail-relay", "log-shipper"
WATCH = (PROMETHEUS, ALERTMANAGER, NODE_EXPORTER, PROBER, MAIL_RELAY, LOG_SHIPPER)
OWN = (GATEWAY, CLOUDFLARED, RESOLVER, PROXY, CROWDSEC, EDGE_BANS, BACKUP, *WATCH)
"""The program's own nodes."""
RESERVED = (*OWN, "secrets", "self", "ingress", "egress", "internal")
"""Names that no service may take: the program's own nodes, networks, and words of references."""
GATEWAY_PORT = 8080
SYSLOG_PORT = 5514
EGRESS_PORT = 3128
MAIL_PORT = 465
"""Mail with TLS from the first byte: what a proxy that reads TLS greetings can let through by name."""
WATCHED_PRESETS = ("postgres", "redis")
"""Presets that have an exporter beside them."""
DASHBOARDS_PRESET = "grafana"
"""The preset that shows measurements: its services reach Prometheus."""
COMMUNITY_DOMAINS = ("api.crowdsec.net", "hub-data.crowdsec.net")
"""Where CrowdSec's shared blocklists come from."""
RESERVED_SLOTS, SWARM_RESERVED_SLOTS = 16, 32
"""The pool's first sixteen /29s are the program's own: egress, ingress and room for what may come. On a Swarm its first
thirty-two /26s: egress, ingress, what Swarm takes for itself, and the exporter that is on each machine."""
EVERYWHERE = (1024, 24)
"""Offset and prefix of the link to that exporter: two addresses for each machine."""
# A network's second address is the one that is called: the server's firewall lets nobody call another one.
EGRESS_ADDRESSES = {RESOLVER: 2, PROXY: 3, CLOUDFLARED: 4}
INGRESS_ADDRESSES = {GATEWAY: 2, CLOUDFLARED: 3}
LINK_PREFIX, SWARM_LINK_PREFIX = 29, 26
"""Sizes of a link's subnet. A Swarm takes an address for each replica, each machine, and each one that is replaced."""
SWARM_RESOLVERS = 3
"""Names are asked for at three addresses at most: more are not read."""
ANY = IPv4Address(0)
"""A member's address where Swarm gives it one when it starts: whoever listens there listens to all of its own."""


@dataclass(frozen=True)
class Network:
    """One private network. ``members`` are its node names with their fixed addresses."""

    name: str
    kind: Literal["egress", "ingress", "link"]
    subnet: IPv4Network
    members: dict[str, IPv4Address]
    client: str = ""
    server: str = ""
    tasks: IPv4Network | None = None
    """Part of the subnet that Swarm gives addresses from; None where all are fixed."""

    @property
    def internal(self) -> bool:
        """Without a route out. Only the egress network has one."""
        return self.kind != "egress"

    def host(self, member: str) -> str:
        """What another member calls it by: its address, or its name where Swarm gives addresses."""
        address = self.members[member]
        return member if address == ANY else str(address)


@dataclass(frozen=True)
class Cluster:
    """The machines of a Swarm. ``through``: the one that deployments go through. ``data``: the one that keeps what the
    program itself has to keep. ``resolvers``: node → its machine."""

    machines: tuple[Machine, ...]
    through: str
    data: str
    gateways: int
    resolvers: dict[str, str]

    @property
    def is_mesh(self) -> bool:
        """Whether the machines reach each other by WireGuard, and not by one private network."""
        return is_mesh(self.machines)


@dataclass(frozen=True)
class Upstream:
    """A route of the gateway with the addresses of the instances that serve it."""

    service: str
    route: Route
    addresses: tuple[IPv4Address, ...]
    port: int


@dataclass(frozen=True)
class Node:
    """One container's place: the networks it is on, with its address in each."""

    name: str
    service: str
    addresses: dict[str, IPv4Address] = field(default_factory=dict)


@dataclass(frozen=True)
class Topology:
    """The whole plan."""

    networks: tuple[Network, ...]
    nodes: dict[str, Node]
    upstreams: tuple[Upstream, ...]
    cluster: Cluster | None = None
    """None where there is one server."""

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Every public host name, sorted."""
        return tuple(sorted({upstream.route.host for upstream in self.upstreams}))

    @cached_property
    def admin_hosts(self) -> tuple[str, ...]:
        """Hosts that exist for operators only: each of their routes is an admin route."""
        visitors = {upstream.route.host for upstream in self.upstreams if not upstream.route.admin}
        return tuple(host for host in self.hosts if host not in visitors)

    @cached_property
    def visitor_hosts(self) -> tuple[str, ...]:
        """Hosts that exist for everyone."""
        return tuple(host for host in self.hosts if host not in self.admin_hosts)

    @cached_property
    def gateway_url(self) -> str:
        """Where the connector finds the gateway."""
        return f"http://{self.network('ingress').host(GATEWAY)}:{GATEWAY_PORT}"

    def network(self, name: str) -> Network:
        """A network by name. Raises ``KeyError`` where there is none."""
        return self._by_name[name]

    def servers(self, node: str) -> dict[str, IPv4Address]:
        """Addresses of what a node calls, by name: lines of its hosts file. None on a Swarm."""
        called = [network for network in self.networks if network.client == node]
        found = {network.server: network.members[network.server] for network in called}
        return {server: address for server, address in found.items() if address != ANY}

    def instances(self, name: str, service: Service) -> tuple[str, ...]:
        """Node names of a service: one for each replica; on a Swarm, which counts replicas itself, one for all."""
        return (name,) if self.cluster else instances(name, service)

    @cached_property
    def resolvers(self) -> tuple[IPv4Address, ...]:
        """Addresses at which names are asked for."""
        members = self.network("egress").members
        return tuple(members[node] for node in (self.cluster.resolvers if self.cluster else (RESOLVER,)))

    @cached_property
    def _by_name(self) -> dict[str, Network]:
        return {network.name: network for network in self.networks}


class SubnetClashError(ValueError):
    """Two links hash to one subnet: one of them needs a line in ``network.subnets``."""

    def __init__(self, link: str, other: str, free: IPv4Network) -> None:
        super().__init__(f"{link} and {other} fall on the same subnet: add  {link}: {free}")
        self.link, self.free = link, free


def instances(name: str, service: Service) -> tuple[str, ...]:
    """Node names of a service's replicas. The first bears the service's name, so a second one moves nothing."""
    return (name, *(f"{name}-{index}" for index in range(2, service.replicas + 1)))


def nodes_of(settings: Settings, name: str) -> tuple[str, ...]:
    """Node names of a service: one for each replica; on a Swarm, which counts replicas itself, one for all."""
    return (name,) if settings.is_swarm else instances(name, settings.services[name])


def resolvers(settings: Settings) -> dict[str, str]:
    """Node → machine of each internal resolver of a Swarm. They are on machines, not on Swarm, for a fixed address."""
    chosen = [machine.name for machine in settings.machines if machine.is_manager][:SWARM_RESOLVERS]
    return {RESOLVER if index == 1 else f"{RESOLVER}-{index}": name for index, name in enumerate(chosen, start=1)}


def cluster(settings: Settings) -> Cluster | None:
    """The machines of a stack; None where there is one server."""
    if not settings.is_swarm:
        return None
    through = settings.through.name
    held = [settings.services[name].node for name in copied(settings)]
    data = next((node for node in held if node), through)
    return Cluster(settings.machines, through, data, settings.swarm.gateways, resolvers(settings))


def copied(settings: Settings) -> tuple[str, ...]:
    """Names of the services that are backed up."""
    if settings.backup is None:
        return ()
    return tuple(name for name, service in sorted(settings.services.items()) if service.backup in ("postgres", "files"))


def copier(service: str) -> str:
    """Node that makes a service's copies."""
    return f"{service}-{BACKUP}"


def standby_of(service: str) -> str:
    """Node that follows a database."""
    return f"{service}-standby"


def followed(settings: Settings) -> tuple[str, ...]:
    """Names of the services that have a standby."""
    return tuple(name for name, service in sorted(settings.services.items()) if service.standby)


def links(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every link between two nodes, as (client, server): the program's own, then those that services declare."""
    yield from _intrusion_links(settings.intrusion)
    yield from _backup_links(settings)
    yield from _monitoring_links(settings)
    yield from ((standby_of(name), name) for name in followed(settings))
    for name, service in sorted(settings.services.items()):
        for node in nodes_of(settings, name):
            if service.routes:
                yield GATEWAY, node
            if service.egress:
                yield node, PROXY
            for used in sorted(set(service.uses)):
                yield from ((node, server) for server in nodes_of(settings, used))


def _intrusion_links(intrusion: Intrusion) -> Iterator[tuple[str, str]]:
    """The gateway sends its log to CrowdSec and asks it whom to refuse."""
    yield GATEWAY, CROWDSEC
    if intrusion.community:
        yield CROWDSEC, PROXY
    if intrusion.edge_token:
        yield EDGE_BANS, CROWDSEC
        yield EDGE_BANS, PROXY


def _backup_links(settings: Settings) -> Iterator[tuple[str, str]]:
    """Databases are dumped over the network; what is kept leaves through the egress proxy."""
    if settings.backup is None:
        return
    if settings.backup.store != "volume":
        yield BACKUP, PROXY
    for name in copied(settings):
        if settings.services[name].backup == "postgres":
            yield copier(name), name


def exporter(node: str) -> str:
    """Node that makes measurements of a database."""
    return f"{node}-exporter"


def measured(settings: Settings) -> dict[str, str]:
    """Node that has an exporter → its service."""
    return {
        node: name
        for name, service in sorted(settings.services.items())
        if service.preset in WATCHED_PRESETS
        for node in nodes_of(settings, name)
    }


def dashboards(settings: Settings) -> tuple[str, ...]:
    """Nodes that show measurements."""
    found = (name for name, each in sorted(settings.services.items()) if each.preset == DASHBOARDS_PRESET)
    return tuple(node for name in found for node in nodes_of(settings, name))


def _monitoring_links(settings: Settings) -> Iterator[tuple[str, str]]:
    """Prometheus asks everyone, and nobody but dashboards asks Prometheus."""
    monitoring = settings.monitoring
    yield from ((PROMETHEUS, node) for node in (GATEWAY, CROWDSEC, NODE_EXPORTER, ALERTMANAGER))
    if settings.is_tunnelled:
        yield PROMETHEUS, CLOUDFLARED
    for node in measured(settings):
        yield PROMETHEUS, exporter(node)
        yield exporter(node), node
    yield from ((node, PROMETHEUS) for node in dashboards(settings))
    if probed(settings):
        yield PROMETHEUS, PROBER
        yield PROBER, PROXY
    if monitoring.domains:
        yield ALERTMANAGER, PROXY
    if monitoring.mail:
        yield ALERTMANAGER, MAIL_RELAY
        yield MAIL_RELAY, PROXY
    if monitoring.logs:
        yield GATEWAY, LOG_SHIPPER
        yield LOG_SHIPPER, PROXY


def probed(settings: Settings) -> tuple[str, ...]:
    """Hosts for everyone, which are asked for from outside as visitors do. Behind Access there is only a login page."""
    routes = [route for service in settings.services.values() for route in service.routes]
    hosts = {route.host for route in routes if not route.admin}
    return tuple(sorted(hosts)) if settings.target == "cloud" else ()


def egress(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Node → domains that it may call through the egress proxy, on port 443 unless a domain says another one."""
    found: dict[str, tuple[str, ...]] = dict(_monitoring_egress(settings))
    if settings.intrusion.community:
        found[CROWDSEC] = COMMUNITY_DOMAINS
    if settings.intrusion.edge_token:
        found[EDGE_BANS] = ("api.cloudflare.com",)
    if settings.backup and settings.backup.store == "s3" and settings.backup.s3:
        found[BACKUP] = (settings.backup.s3.endpoint,)
    elif settings.backup and settings.backup.store == "r2" and settings.cloudflare:
        found[BACKUP] = (f"{settings.cloudflare.account_id}.{R2_HOST}",)
    for name, service in sorted(settings.services.items()):
        if service.egress:
            found |= dict.fromkeys(nodes_of(settings, name), service.egress)
    return found


def _monitoring_egress(settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    monitoring = settings.monitoring
    if monitoring.domains:
        yield ALERTMANAGER, monitoring.domains
    if monitoring.mail:
        yield MAIL_RELAY, (f"{monitoring.mail.server}:{MAIL_PORT}",)
    if monitoring.logs:
        yield LOG_SHIPPER, (monitoring.logs.domain,)
    if probed(settings):
        yield PROBER, probed(settings)


def plan(settings: Settings) -> Topology:
    """The plan of a stack. Raises ``SubnetClashError`` where two links need the same subnet."""
    pool = IPv4Network(settings.network.pool)
    pairs = list(links(settings))
    machines = cluster(settings)
    pinned = settings.network.subnets if machines is None else {**_own(pool), **settings.network.subnets}
    subnets = _subnets(pool, pairs, pinned, link_prefix(settings))
    shared = _shared(pool) if machines is None else _shared_on_swarm(pool, machines)
    make = _link if machines is None else _link_on_swarm
    networks = (*shared, *(make(pair, subnets[pair]) for pair in pairs))
    nodes = _nodes(settings, networks)
    return Topology(networks, nodes, tuple(_upstreams(settings, nodes)), machines)


def link_prefix(settings: Settings) -> int:
    """Length of the prefix of a link's subnet."""
    return SWARM_LINK_PREFIX if settings.is_swarm else LINK_PREFIX


def slot(client: str, server: str, pool: IPv4Network, prefix: int = LINK_PREFIX) -> IPv4Network:
    """The subnet that a link's name hashes to."""
    free = 2 ** (prefix - pool.prefixlen) - _reserved(prefix)
    digest = hashlib.sha256(f"{client}>{server}".encode()).digest()
    return _slot(pool, _reserved(prefix) + int.from_bytes(digest[:8], "big") % free, prefix)


def _reserved(prefix: int) -> int:
    return RESERVED_SLOTS if prefix == LINK_PREFIX else SWARM_RESERVED_SLOTS


def _own(pool: IPv4Network) -> dict[str, str]:
    """The link that has a task on each machine at one end, so that it is larger than others."""
    offset, prefix = EVERYWHERE
    return {f"{PROMETHEUS}>{NODE_EXPORTER}": str(IPv4Network((int(pool.network_address) + offset, prefix)))}


def _slot(pool: IPv4Network, index: int, prefix: int = LINK_PREFIX) -> IPv4Network:
    return IPv4Network((int(pool.network_address) + 2 ** (32 - prefix) * index, prefix))


def _subnets(
    pool: IPv4Network, pairs: list[tuple[str, str]], pinned: dict[str, str], prefix: int
) -> dict[tuple[str, str], IPv4Network]:
    taken: dict[IPv4Network, str] = {IPv4Network(subnet): link for link, subnet in pinned.items()}
    found: dict[tuple[str, str], IPv4Network] = {}
    for client, server in pairs:
        link = f"{client}>{server}"
        subnet = IPv4Network(pinned[link]) if link in pinned else slot(client, server, pool, prefix)
        owner = taken.setdefault(subnet, link)
        if owner != link:
            raise SubnetClashError(link, owner, _next_free(pool, subnet, taken, pairs))
        found[client, server] = subnet
    return found


def _next_free(
    pool: IPv4Network, start: IPv4Network, taken: dict[IPv4Network, str], pairs: list[tuple[str, str]]
) -> IPv4Network:
    prefix = start.prefixlen
    used = {*taken, *(slot(client, server, pool, prefix) for client, server in pairs)}
    size = 2 ** (prefix - pool.prefixlen)
    first = (int(start.network_address) - int(pool.network_address)) // start.num_addresses
    kept = _reserved(prefix)
    order = (kept + (first + step) % (size - kept) for step in range(size))
    return next(candidate for index in order if (candidate := _slot(pool, index, prefix)) not in used)


def _shared(pool: IPv4Network) -> tuple[Network, Network]:
    return _egress(pool), _ingress(pool)


def _shared_on_swarm(pool: IPv4Network, machines: Cluster) -> tuple[Network, Network]:
    """Egress has fixed addresses in its lower half, where no task is put; ingress is twice as large as a link."""
    egress = IPv4Network((int(pool.network_address), 24))
    fixed = {node: egress[offset] for offset, node in enumerate(machines.resolvers, start=2)}
    ingress = IPv4Network((int(pool.network_address) + 256, 25))
    return (
        Network(
            "egress",
            "egress",
            egress,
            {**fixed, PROXY: ANY, CLOUDFLARED: ANY},
            tasks=IPv4Network((int(egress[128]), 25)),
        ),
        Network("ingress", "ingress", ingress, {GATEWAY: ANY, CLOUDFLARED: ANY}, tasks=ingress),
    )


def _egress(pool: IPv4Network) -> Network:
    subnet = IPv4Network((int(pool.network_address), 28))
    return Network("egress", "egress", subnet, _members(subnet, EGRESS_ADDRESSES))


def _ingress(pool: IPv4Network) -> Network:
    subnet = _slot(pool, 2)
    return Network("ingress", "ingress", subnet, _members(subnet, INGRESS_ADDRESSES))


def _link(pair: tuple[str, str], subnet: IPv4Network) -> Network:
    client, server = pair
    members = _members(subnet, {server: 2, client: 3})
    return Network(f"link-{client}-{server}", "link", subnet, members, client, server)


def _link_on_swarm(pair: tuple[str, str], subnet: IPv4Network) -> Network:
    client, server = pair
    return Network(f"link-{client}-{server}", "link", subnet, {server: ANY, client: ANY}, client, server, subnet)


def _members(subnet: IPv4Network, offsets: dict[str, int]) -> dict[str, IPv4Address]:
    return {name: ipaddress.IPv4Address(int(subnet.network_address) + offset) for name, offset in offsets.items()}


def _nodes(settings: Settings, networks: tuple[Network, ...]) -> dict[str, Node]:
    nodes = {name: Node(name, name) for name in (*OWN, *resolvers(settings))}
    for name in sorted(settings.services):
        nodes |= {node: Node(node, name) for node in nodes_of(settings, name)}
    nodes |= {copier(name): Node(copier(name), name) for name in copied(settings)}
    nodes |= {standby_of(name): Node(standby_of(name), name) for name in followed(settings)}
    nodes |= {exporter(node): Node(exporter(node), name) for node, name in measured(settings).items()}
    for network in networks:
        for member, address in network.members.items():
            nodes[member].addresses[network.name] = address
    return nodes


def _upstreams(settings: Settings, nodes: dict[str, Node]) -> Iterator[Upstream]:
    for name, service in sorted(settings.services.items()):
        serving = nodes_of(settings, name)
        addresses = tuple(nodes[node].addresses.get(f"link-{GATEWAY}-{node}", IPv4Address(0)) for node in serving)
        for route in service.routes:
            yield Upstream(name, route, addresses, service.port or 0)
