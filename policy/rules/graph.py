"""A stack as a graph: its resources by type and URN, its containers by role, who is on which network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from . import tokens
from .container_isolation import is_carrier
from .model import UNKNOWN, Resource
from .reading import labels
from .task import NODE, as_container

ROLE = "zero-exposure.role"
CONFIG = "zero-exposure.config"


@dataclass(frozen=True)
class Container:
    """A container, or a service of a Swarm in the form of one, with what the stack rules ask of it.

    `networks` are URNs; `foreign` counts the other ones.
    """

    resource: Resource
    role: str
    node: str
    networks: frozenset[str]
    foreign: int
    carrier: bool


@dataclass(frozen=True)
class Network:
    """A Docker network: its declared purpose, and on a link its two nodes."""

    resource: Resource
    purpose: str
    client: str
    server: str


@dataclass
class Stack:
    """All resources of one stack, indexed once for all stack rules."""

    resources: list[Resource]
    _by_type: dict[str, list[Resource]] = field(init=False, default_factory=dict)
    by_urn: dict[str, Resource] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for resource in self.resources:
            self.by_urn[resource.urn] = resource
            self._by_type.setdefault(resource.type, []).append(resource)

    def of(self, *types: str) -> Iterator[Resource]:
        """Resources of these types."""
        for token in types:
            yield from self._by_type.get(token, ())

    def sources(self, resource: Resource, prop: str) -> list[Resource]:
        """What an input was made from. Without a record of it, everything that the resource depends on."""
        urns = resource.property_dependencies.get(prop)
        if urns is None and not resource.property_dependencies:
            urns = resource.dependencies
        return [self.by_urn[urn] for urn in urns or () if urn in self.by_urn]

    @cached_property
    def networks(self) -> dict[str, Network]:
        """Networks by URN."""
        return {resource.urn: _network(resource) for resource in self.of(tokens.NETWORK)}

    @cached_property
    def containers(self) -> list[Container]:
        """Every container, carriers too, and every service."""
        return [self._container(as_container(resource)) for resource in self.of(tokens.CONTAINER, tokens.SERVICE)]

    @cached_property
    def running(self) -> list[Container]:
        """Containers that run."""
        return [container for container in self.containers if not container.carrier]

    @cached_property
    def members(self) -> dict[str, list[Container]]:
        """Network URN → the containers on it."""
        found: dict[str, list[Container]] = {urn: [] for urn in self.networks}
        for container in self.running:
            for urn in container.networks:
                found[urn].append(container)
        return found

    def with_role(self, *roles: str) -> list[Container]:
        """Running containers of these roles."""
        return [container for container in self.running if container.role in roles]

    def of_purpose(self, purpose: str) -> list[Network]:
        """Networks of this purpose."""
        return [network for network in self.networks.values() if network.purpose == purpose]

    @cached_property
    def _network_by_name(self) -> dict[str, str]:
        return {
            resource.props["name"]: resource.urn
            for resource in self.of(tokens.NETWORK)
            if isinstance(resource.props.get("name"), str)
        }

    def _container(self, resource: Resource) -> Container:
        found = labels(resource.props)
        given = resource.props.get("networksAdvanced")
        entries = given if isinstance(given, list) else [given] * (given is not None)
        names = [entry.get("name") if isinstance(entry, Mapping) else UNKNOWN for entry in entries]
        known = [name for name in names if isinstance(name, str)]
        urns = {self._network_by_name[name] for name in known if name in self._network_by_name}
        sources = {each.urn for each in self.sources(resource, "networksAdvanced") if each.urn in self.networks}
        nameless = {urn for urn in sources if not isinstance(self.networks[urn].resource.props.get("name"), str)}
        elsewhere = len([name for name in known if name not in self._network_by_name]) - len(nameless)
        unexplained = len(names) - len(known) - len(sources - urns)
        return Container(
            resource=resource,
            role=found.get(ROLE, ""),
            node=found.get(NODE, ""),
            networks=frozenset(urns | sources if len(known) < len(names) else urns),
            foreign=max(0, elsewhere) + max(0, unexplained),
            carrier=is_carrier(resource),
        )


def build(resources: Iterable[Resource]) -> Stack:
    """The graph of a stack's resources."""
    return Stack(list(resources))


def _network(resource: Resource) -> Network:
    found = labels(resource.props)
    return Network(
        resource=resource,
        purpose=found.get("zero-exposure.network", ""),
        client=found.get("zero-exposure.client", ""),
        server=found.get("zero-exposure.server", ""),
    )
