"""What machines of a Swarm reach each other by, and how long a packet may be there. Pure.

Docker is told how long a packet of the underlay may be, and takes off itself what its overlays add: VXLAN 50 bytes, and
ESP 26 and up to 3 more where they are encrypted (the overlay driver of libnetwork, ``maxMTU``).
"""

from typing import Final

PUBLIC_MTU: Final = 1500
"""Bytes of a packet between the public addresses of two servers."""
PRIVATE_MTU: Final = 1450
"""The same on the provider's private network. https://docs.hetzner.com/networking/networks/faq"""
WIREGUARD_BYTES: Final = 40 + 8 + 32
"""What WireGuard adds: the outer IPv6 header (IPv4 has 20), UDP, and its own header with the tag."""
WIREGUARD_MTU: Final = PUBLIC_MTU - WIREGUARD_BYTES
"""Bytes that WireGuard carries without a fragment, whichever family is outside."""
WIREGUARD_PORT: Final = 51820
"""UDP, on both ends: what comes from it to it is an answer to what was sent."""
KEEPALIVE: Final = 10
"""Seconds between two packets to each machine. A stateful firewall forgets what it let out: Linux does after 30 seconds
without an answer and 120 with answers; the provider writes down no time of its own."""


def mtu(is_mesh: bool) -> int:
    """Bytes of a packet between two machines."""
    return WIREGUARD_MTU if is_mesh else PRIVATE_MTU
