"""The resolver's files, from values. Pure: the same values give the same texts."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from components.resolver.names import ZONE, Record, nodes, records, reverse_zones
from components.template import with_snippets
from settings.blocklist import blocked
from settings.resolver import Resolver
from settings.stack import Settings
from topology.model import Topology
from topology.names import RESOLVER

FOLDER = Path(__file__).parent
CONFIG = "/etc/zero-exposure/resolver"
SCRATCH = "/run/resolver"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
ROOT_ANCHORS = (
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
)
"""Digests of the root zone's key-signing keys of 2017 and 2024."""
PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "::1/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "fc00::/7",
    "fe80::/10",
)
"""Networks that no name from outside may point to (RFC 6890)."""


@dataclass(frozen=True)
class Values:
    """Everything that the files are made of. ``clients`` is the network that may ask."""

    address: IPv4Address
    clients: IPv4Network
    pool: IPv4Network
    records: list[Record]
    nodes: list[Record]
    resolver: Resolver
    blocked: list[str]
    anchors: tuple[str, ...] = ROOT_ANCHORS
    authorities: str = AUTHORITIES
    folder: str = CONFIG
    scratch: str = SCRATCH


def values(settings: Settings, topology: Topology) -> Values:
    """The values of a stack."""
    egress = topology.network("egress")
    return Values(
        address=egress.members[RESOLVER],
        clients=egress.subnet,
        pool=IPv4Network(settings.network.pool),
        records=records(topology),
        nodes=nodes(topology),
        resolver=settings.resolver,
        blocked=blocked(settings.resolver.blocklists, settings.resolver.exceptions),
    )


def files(given: Values) -> dict[str, str]:
    """Path in the container → text."""
    return {f"{CONFIG}/{name}": text for name, text in with_snippets(FOLDER, "unbound.conf", _context(given)).items()}


def _context(given: Values) -> dict[str, Any]:
    own = ("address", "clients", "records", "nodes", "blocked", "anchors", "authorities", "folder", "scratch")
    return {
        **{key: getattr(given, key) for key in own},
        "zone": ZONE,
        "reverse_zones": reverse_zones(given.pool),
        "short": sorted({record.name.removesuffix(f".{ZONE}") for record in given.nodes}),
        "private": PRIVATE,
        "upstreams": given.resolver.upstreams,
        "exceptions": given.resolver.exceptions,
    }
