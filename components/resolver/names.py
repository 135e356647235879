"""Internal names, forward and reverse, from the plan. Pure.

Every address has one name, NODE.PEER.internal: the node as its peer on that network sees it. On the two networks
of several members the peer is the network: cloudflared.egress.internal. NODE.internal stands for all addresses of a
node.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from topology.model import ANY, Network, Topology

ZONE = "internal"
"""Reserved for private use, so that nobody can own a name below it: ICANN board resolution 2024.07.29.06."""


@dataclass(frozen=True)
class Record:
    """One name of one address."""

    name: str
    address: IPv4Address


def records(topology: Topology) -> list[Record]:
    """The names that also answer in reverse: one for each address."""
    return [Record(f"{node}.{_peer(node, network)}.{ZONE}", address) for network, node, address in _places(topology)]


def nodes(topology: Topology) -> list[Record]:
    """Every node's name with each of its addresses."""
    return [Record(f"{node}.{ZONE}", address) for _, node, address in _places(topology)]


def _places(topology: Topology) -> Iterator[tuple[Network, str, IPv4Address]]:
    for network in topology.networks:
        known = {node: address for node, address in network.members.items() if address != ANY}
        yield from ((network, node, address) for node, address in sorted(known.items()))


def _peer(node: str, network: Network) -> str:
    if network.kind != "link":
        return network.name
    return network.client if node == network.server else network.server


def reverse_zones(pool: IPv4Network) -> list[str]:
    """The reverse zones that cover the pool exactly: what is asked of them never leaves."""
    octets = -(-pool.prefixlen // 8)
    return [_reverse(subnet, octets) for subnet in pool.subnets(new_prefix=8 * octets)]


def _reverse(subnet: IPv4Network, octets: int) -> str:
    return ".".join([*reversed(str(subnet.network_address).split(".")[:octets]), "in-addr.arpa"])
