"""From the services map to networks, subnets, addresses and routes.

On a Swarm a container's address is known only once it runs, so that networks are larger and names stand for members.
"""

import ipaddress
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from settings.stack import Settings
from topology.links import links
from topology.model import ANY, Cluster, Network, Node, Topology, Upstream
from topology.names import CLOUDFLARED, GATEWAY, OWN, PROXY, RESOLVER
from topology.nodes import copied, copier, exporter, followed, measured, nodes_of, resolvers, standby_of
from topology.subnets import link_prefix, nth, own_subnets, subnets_of

# A network's second address is the one that is called: the server's firewall lets nobody call another one.
EGRESS_ADDRESSES = {RESOLVER: 2, PROXY: 3, CLOUDFLARED: 4}
INGRESS_ADDRESSES = {GATEWAY: 2, CLOUDFLARED: 3}


def cluster(settings: Settings) -> Cluster | None:
    """The machines of a stack; None where there is one server."""
    if not settings.is_swarm:
        return None
    through = settings.through.name
    held = [settings.services[name].node for name in copied(settings)]
    data = next((node for node in held if node), through)
    return Cluster(settings.machines, through, data, settings.swarm.gateways, resolvers(settings))


def plan(settings: Settings) -> Topology:
    """The plan of a stack. Raises ``SubnetClashError`` where two links need the same subnet."""
    pool = IPv4Network(settings.network.pool)
    pairs = list(links(settings))
    machines = cluster(settings)
    pinned = settings.network.subnets if machines is None else {**own_subnets(pool), **settings.network.subnets}
    subnets = subnets_of(pool, pairs, pinned, link_prefix(settings))
    shared = _shared(pool) if machines is None else _shared_on_swarm(pool, machines)
    make = _link if machines is None else _link_on_swarm
    networks = (*shared, *(make(pair, subnets[pair]) for pair in pairs))
    nodes = _nodes(settings, networks)
    return Topology(networks, nodes, tuple(_upstreams(settings, nodes)), machines)


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
    subnet = nth(pool, 2)
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
