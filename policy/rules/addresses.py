"""What counts as inside. Python's `is_private` is wider: it has documentation ranges and the metadata service."""

import ipaddress
from typing import Final

INSIDE: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7")
)


def is_inside(text: str) -> bool:
    """True for a private or loopback address. A name is not an address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in INSIDE)


def is_small_inside(text: str) -> bool:
    """True for a private network of at most 256 IPv4 addresses, or one IPv6 subnet."""
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return False
    smallest = 24 if network.version == 4 else 64
    return network.prefixlen >= smallest and is_inside(str(network.network_address))


def is_single(text: str) -> bool:
    """True for one address, as such or as a network of one."""
    try:
        return ipaddress.ip_network(text).num_addresses == 1
    except ValueError:
        return False
