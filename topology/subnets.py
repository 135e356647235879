"""Where a link's subnet lies.

An address is a function of names alone, so that adding a service moves no address of another one: a link's
subnet is found by hashing ``client>server`` into the pool. Two links that fall on one subnet are an error with the
line that mends it (``network.subnets``), never a silent move.
"""

import hashlib
from ipaddress import IPv4Network

from settings.stack import Settings
from topology.names import NODE_EXPORTER, PROMETHEUS

RESERVED_SLOTS, SWARM_RESERVED_SLOTS = 16, 32
"""The pool's first sixteen /29s are the program's own: egress, ingress and room for what may come. On a Swarm its first
thirty-two /26s: egress, ingress, what Swarm takes for itself, and the exporter that is on each machine."""
EVERYWHERE = (1024, 24)
"""Offset and prefix of the link to that exporter: two addresses for each machine."""
LINK_PREFIX, SWARM_LINK_PREFIX = 29, 26
"""Sizes of a link's subnet. A Swarm takes an address for each replica, each machine, and each one that is replaced."""


class SubnetClashError(ValueError):
    """Two links hash to one subnet: one of them needs a line in ``network.subnets``."""

    def __init__(self, link: str, other: str, free: IPv4Network) -> None:
        super().__init__(f"{link} and {other} fall on the same subnet: add  {link}: {free}")
        self.link, self.free = link, free


def link_prefix(settings: Settings) -> int:
    """Length of the prefix of a link's subnet."""
    return SWARM_LINK_PREFIX if settings.is_swarm else LINK_PREFIX


def slot(client: str, server: str, pool: IPv4Network, prefix: int = LINK_PREFIX) -> IPv4Network:
    """The subnet that a link's name hashes to."""
    free = 2 ** (prefix - pool.prefixlen) - _reserved(prefix)
    digest = hashlib.sha256(f"{client}>{server}".encode()).digest()
    return nth(pool, _reserved(prefix) + int.from_bytes(digest[:8], "big") % free, prefix)


def _reserved(prefix: int) -> int:
    return RESERVED_SLOTS if prefix == LINK_PREFIX else SWARM_RESERVED_SLOTS


def reserved(pool: IPv4Network, prefix: int) -> IPv4Network:
    """What the program keeps of the pool for itself, with links of that length of prefix."""
    return IPv4Network((int(pool.network_address), prefix - (_reserved(prefix) - 1).bit_length()))


def own_subnets(pool: IPv4Network) -> dict[str, str]:
    """The link that has a task on each machine at one end, so that it is larger than others."""
    offset, prefix = EVERYWHERE
    return {f"{PROMETHEUS}>{NODE_EXPORTER}": str(IPv4Network((int(pool.network_address) + offset, prefix)))}


def nth(pool: IPv4Network, index: int, prefix: int = LINK_PREFIX) -> IPv4Network:
    """The pool's subnet of so many, of that length of prefix."""
    return IPv4Network((int(pool.network_address) + 2 ** (32 - prefix) * index, prefix))


def subnets_of(
    pool: IPv4Network, pairs: list[tuple[str, str]], pinned: dict[str, str], prefix: int
) -> dict[tuple[str, str], IPv4Network]:
    """Each link's subnet. Raises ``SubnetClashError`` where two links need the same one."""
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
    return next(candidate for index in order if (candidate := nth(pool, index, prefix)) not in used)
