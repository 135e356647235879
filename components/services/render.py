"""From a service's settings to the values of its containers. Pure."""

from ipaddress import IPv4Address

from components.services import standby
from settings.reference import Credential, split
from settings.service import Service
from topology.model import Topology
from topology.names import PROMETHEUS

SECRETS = "/run/secrets"

Parts = list[str | Credential]


def files(name: str, services: dict[str, Service]) -> dict[str, Parts]:
    """Every file of a service as literal parts and credentials: path → parts."""
    service = services[name]
    own = service.files | {f"{SECRETS}/{file}": text for file, text in service.secrets.items()}
    texts = own | standby.leading_files(service)
    return {path: split(text, name, services) for path, text in sorted(texts.items())}


def standby_files(name: str, services: dict[str, Service]) -> dict[str, Parts]:
    """Every file of the standby of a service."""
    return {path: split(text, name, services) for path, text in sorted(standby.following_files().items())}


def hosts(node: str, services: dict[str, Service], topology: Topology) -> dict[str, IPv4Address]:
    """Addresses of what a node uses, by name. Docker's own DNS is the Engine: while that restarts it answers nobody.

    A service with replicas is left to DNS, which knows all of them, and on a Swarm so is every other.
    """
    single = {name for name, service in services.items() if service.replicas == 1} | {PROMETHEUS}
    return {server: address for server, address in topology.servers(node).items() if server in single}


def start_order(services: dict[str, Service]) -> list[str]:
    """Names with those that are used before those that use them; settings have made sure that there is no cycle."""
    order: dict[str, None] = {}
    waiting = [(name, False) for name in sorted(services, reverse=True)]
    while waiting:
        name, used_are_there = waiting.pop()
        if used_are_there:
            order[name] = None
        elif name not in order:
            waiting.append((name, True))
            waiting.extend((used, False) for used in sorted(services[name].uses, reverse=True))
    return list(order)
