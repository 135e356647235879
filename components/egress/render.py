"""The egress proxy's files, from values. Pure: the same values give the same texts."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from components.template import with_snippets
from settings.egress import Egress
from settings.stack import Settings
from topology.egress import egress as topology_egress
from topology.model import ANY, Network, Topology
from topology.names import EGRESS_PORT, PROXY

FOLDER = Path(__file__).parent
CONFIG = "/etc/zero-exposure/egress"
SECRETS = "/run/secrets"
HTTPS_PORT = 443
CERTIFICATE, KEY = "refusal.pem", "refusal-key.pem"
PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
    "::/127",
    "64:ff9b::/96",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
)
"""Destinations that are not the internet (RFC 6890), multicast among them."""


@dataclass(frozen=True)
class Domain:
    """One domain that a node may call. ``id`` names it in the configuration."""

    id: str
    pattern: str
    port: int = HTTPS_PORT

    @property
    def wildcard(self) -> bool:
        """True where every name below the base is meant, and not the base itself."""
        return self.pattern.startswith("*.")

    @property
    def base(self) -> str:
        """The pattern without its ``*.``."""
        return self.pattern.removeprefix("*.")

    @property
    def regex(self) -> str:
        """Every name below the base."""
        return rf"^([a-z0-9_-]+\.)+{re.escape(self.base)}$"


@dataclass(frozen=True)
class Client:
    """A node on its link to the proxy: where it calls from, the proxy's address, and what it may call.

    On a Swarm a call comes from anywhere on the link, which has no other member, and the proxy listens everywhere.
    """

    node: str
    address: IPv4Address | IPv4Network
    proxy: IPv4Address
    domains: tuple[Domain, ...]


@dataclass(frozen=True)
class Values:
    """Everything that the files are made of. Without a client there is nothing to run."""

    clients: tuple[Client, ...]
    resolvers: tuple[IPv4Address, ...]
    egress: Egress
    folder: str = CONFIG
    secrets: str = SECRETS
    log: str = "/dev/stdout"
    errors: str = "/dev/stderr"


def values(settings: Settings, topology: Topology) -> Values:
    """The values of a stack."""
    allowed = topology_egress(settings)
    clients = (_client(network, allowed) for network in topology.networks if network.server == PROXY)
    return Values(tuple(clients), topology.resolvers, settings.egress)


def _client(network: Network, allowed: dict[str, tuple[str, ...]]) -> Client:
    node = network.client
    domains = (_domain(f"{node}_{index}", text) for index, text in enumerate(sorted(set(allowed[node]))))
    address = network.members[node]
    source = network.subnet if address == ANY else address
    return Client(node, source, network.members[PROXY], tuple(domains))


def _domain(identity: str, text: str) -> Domain:
    pattern, _, port = text.partition(":")
    return Domain(identity, pattern, int(port or HTTPS_PORT))


def files(given: Values) -> dict[str, str]:
    """Path in the container → text, without the certificate and its key."""
    return {f"{CONFIG}/{name}": text for name, text in with_snippets(FOLDER, "squid.conf", _context(given)).items()}


def domains(given: Values) -> dict[str, list[str]]:
    """Node → the domains that it may call."""
    return {client.node: [domain.pattern for domain in client.domains] for client in given.clients}


def _context(given: Values) -> dict[str, Any]:
    own = ("clients", "resolvers", "folder", "secrets", "log", "errors")
    return {
        **{key: getattr(given, key) for key in own},
        "node": PROXY,
        "listens": list(dict.fromkeys(client.proxy for client in given.clients)),
        "everywhere": any(client.proxy == ANY for client in given.clients),
        "port": EGRESS_PORT,
        "ports": sorted({domain.port for client in given.clients for domain in client.domains}),
        "private": PRIVATE,
        "certificate": CERTIFICATE,
        "key": KEY,
    }
