"""Checks of machines, and of what services ask of them. Each yields (path of the key, what is right)."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import Final

from settings.nodes import MOST, Machine, is_mesh
from settings.stack import Settings
from topology.nodes import resolvers, standby_of

Problem = tuple[str, str]
MANAGERS: Final = (1, 3, 5, 7)
"""An even number survives no more losses than the odd one below it; more than seven slow each other down."""
ENGINE_POOLS: Final = (IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
"""What Docker may take for bridges of its own."""
LARGEST_PREFIX: Final = 18
"""Of the pool: what the program keeps of it for itself is a small part."""
CONFIG_BYTES, SECRET_BYTES = 1_000_000, 500_000
"""What Swarm takes in one config and in one secret: https://docs.docker.com/engine/swarm/configs/."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Every problem that has to do with machines; later checks lean on earlier ones."""
    if not settings.is_swarm:
        yield from _one_server(settings)
    elif settings.target == "local":
        yield "nodes", "needs target: cloud: this machine is one"
    elif settings.host is not None:
        yield from (problem for check in CHECKS for problem in check(settings))


def _one_server(settings: Settings) -> Iterator[Problem]:
    for name, service in settings.services.items():
        for key in ("node", "placement", "standby"):
            if getattr(service, key):
                yield f"services.{name}.{key}", "goes with nodes: without them there is one server"


def _managers(settings: Settings) -> Iterator[Problem]:
    managers = sum(machine.is_manager for machine in settings.machines)
    if managers not in MANAGERS:
        yield "nodes", f"{managers} managers: let there be 1, 3, 5 or 7; three survive the loss of one"
    if len(settings.machines) < settings.swarm.gateways:
        yield "nodes", f"{len(settings.machines)} machines for {settings.swarm.gateways} gateways (swarm.gateways)"


def _addresses(settings: Settings) -> Iterator[Problem]:
    owners: dict[str, Machine] = {}
    for machine in settings.machines:
        other = owners.setdefault(str(machine.address), machine)
        if other.name != machine.name:
            yield f"nodes.{machine.group}", f"{machine.name} and {other.name} fall on one address: choose another name"


def _network(settings: Settings) -> Iterator[Problem]:
    network = IPv4Network(settings.swarm.network)
    for other in (IPv4Network(settings.network.pool), *ENGINE_POOLS):
        if network.overlaps(other):
            yield "swarm.network", f"{network} overlaps with {other}, which containers have"
    if IPv4Network(settings.network.pool).prefixlen > LARGEST_PREFIX:
        yield "network.pool", f"at least a /{LARGEST_PREFIX} with nodes: a link needs more addresses there"
    if is_mesh(settings.machines) and len(settings.machines) > MOST:
        yield "nodes", f"{len(settings.machines)} machines in several zones: {MOST} reach each other at most"


def _through(settings: Settings) -> Iterator[Problem]:
    managers = [machine.name for machine in settings.machines if machine.is_manager]
    if settings.swarm.through and settings.swarm.through not in managers:
        yield "swarm.through", f"no such manager; there are: {', '.join(managers)}"
    if settings.tunnel.ssh_host:
        yield "tunnel.ssh_host", "with nodes each machine has a name of its own: ssh-STACK-MACHINE.DOMAIN"


def _services(settings: Settings) -> Iterator[Problem]:
    names = [machine.name for machine in settings.machines]
    for name, service in settings.services.items():
        if name in resolvers(settings):
            yield f"services.{name}", "this name is one of the program's own resolvers"
        if service.volumes and service.node is None:
            yield f"services.{name}.node", f"needed: its volumes are on one machine; there are: {', '.join(names)}"
        if service.node and service.node not in names:
            yield f"services.{name}.node", f"no such machine; there are: {', '.join(names)}"
        wanted = service.placement.items()
        if not any(wanted <= machine.labels.items() for machine in settings.machines):
            yield f"services.{name}.placement", "no machine has these labels"


def _standbys(settings: Settings) -> Iterator[Problem]:
    names = [machine.name for machine in settings.machines]
    for name, service in settings.services.items():
        path, given = f"services.{name}.standby", service.standby
        if given and service.preset != "postgres":
            yield path, "goes with preset: postgres"
        if given and given.node not in names:
            yield f"{path}.node", f"no such machine; there are: {', '.join(names)}"
        if given and given.node == service.node:
            yield f"{path}.node", f"{name} is on this machine itself, and would be lost with it: choose another one"
        if given and standby_of(name) in settings.services:
            yield f"services.{standby_of(name)}", f"this name is taken by the standby of {name}"


def _backup(settings: Settings) -> Iterator[Problem]:
    """What is copied and who keeps it share a volume, and a volume is on one machine."""
    kept = {name: one.node for name, one in settings.services.items() if one.backup in ("postgres", "files")}
    if settings.backup and len(set(kept.values())) > 1:
        yield (
            "backup",
            f"what is backed up has to be on one machine: {', '.join(f'{n} on {m}' for n, m in kept.items())}",
        )


def _sizes(settings: Settings) -> Iterator[Problem]:
    for name, service in settings.services.items():
        for key, texts, most in (("files", service.files, CONFIG_BYTES), ("secrets", service.secrets, SECRET_BYTES)):
            for entry, text in texts.items():
                if len(text.encode()) > most:
                    yield f"services.{name}.{key}.{entry}", f"longer than the {most} bytes that Swarm takes"


CHECKS: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _managers,
    _addresses,
    _network,
    _through,
    _services,
    _standbys,
    _backup,
    _sizes,
)
