"""Which nodes a stack has: a service's replicas, and what stands beside them."""

from settings.service import Service
from settings.stack import Settings
from topology.names import BACKUP, RESOLVER

WATCHED_PRESETS = ("postgres", "redis")
"""Presets that have an exporter beside them."""
DASHBOARDS_PRESET = "grafana"
"""The preset that shows measurements: its services reach Prometheus."""
SWARM_RESOLVERS = 3
"""Names are asked for at three addresses at most: more are not read."""


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


def probed(settings: Settings) -> tuple[str, ...]:
    """Hosts for everyone, which are asked for from outside as visitors do. Behind Access there is only a login page."""
    routes = [route for service in settings.services.values() for route in service.routes]
    hosts = {route.host for route in routes if not route.admin}
    return tuple(sorted(hosts)) if settings.target == "cloud" else ()
