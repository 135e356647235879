"""What a plan is made of: networks, nodes, machines, and the routes that lead to them."""

from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from settings.nodes import Machine, is_mesh
from settings.route import Route
from settings.service import Service
from topology.names import GATEWAY, GATEWAY_PORT, RESOLVER
from topology.nodes import instances

ANY = IPv4Address(0)
"""A member's address where Swarm gives it one when it starts: whoever listens there listens to all of its own."""


@dataclass(frozen=True)
class Network:
    """One private network. ``members`` are its node names with their fixed addresses."""

    name: str
    kind: Literal["egress", "ingress", "link"]
    subnet: IPv4Network
    members: dict[str, IPv4Address]
    client: str = ""
    server: str = ""
    tasks: IPv4Network | None = None
    """Part of the subnet that Swarm gives addresses from; None where all are fixed."""

    @property
    def internal(self) -> bool:
        """Without a route out. Only the egress network has one."""
        return self.kind != "egress"

    def host(self, member: str) -> str:
        """What another member calls it by: its address, or its name where Swarm gives addresses."""
        address = self.members[member]
        return member if address == ANY else str(address)


@dataclass(frozen=True)
class Cluster:
    """The machines of a Swarm. ``through``: the one that deployments go through. ``data``: the one that keeps what the
    program itself has to keep. ``resolvers``: node → its machine."""

    machines: tuple[Machine, ...]
    through: str
    data: str
    gateways: int
    resolvers: dict[str, str]

    @property
    def is_mesh(self) -> bool:
        """Whether the machines reach each other by WireGuard, and not by one private network."""
        return is_mesh(self.machines)


@dataclass(frozen=True)
class Upstream:
    """A route of the gateway with the addresses of the instances that serve it."""

    service: str
    route: Route
    addresses: tuple[IPv4Address, ...]
    port: int


@dataclass(frozen=True)
class Node:
    """One container's place: the networks it is on, with its address in each."""

    name: str
    service: str
    addresses: dict[str, IPv4Address] = field(default_factory=dict)


@dataclass(frozen=True)
class Topology:
    """The whole plan."""

    networks: tuple[Network, ...]
    nodes: dict[str, Node]
    upstreams: tuple[Upstream, ...]
    cluster: Cluster | None = None
    """None where there is one server."""

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Every public host name, sorted."""
        return tuple(sorted({upstream.route.host for upstream in self.upstreams}))

    @cached_property
    def admin_hosts(self) -> tuple[str, ...]:
        """Hosts that exist for operators only: each of their routes is an admin route."""
        visitors = {upstream.route.host for upstream in self.upstreams if not upstream.route.admin}
        return tuple(host for host in self.hosts if host not in visitors)

    @cached_property
    def visitor_hosts(self) -> tuple[str, ...]:
        """Hosts that exist for everyone."""
        return tuple(host for host in self.hosts if host not in self.admin_hosts)

    @cached_property
    def gateway_url(self) -> str:
        """Where the connector finds the gateway."""
        return f"http://{self.network('ingress').host(GATEWAY)}:{GATEWAY_PORT}"

    def network(self, name: str) -> Network:
        """A network by name. Raises ``KeyError`` where there is none."""
        return self._by_name[name]

    def servers(self, node: str) -> dict[str, IPv4Address]:
        """Addresses of what a node calls, by name: lines of its hosts file. None on a Swarm."""
        called = [network for network in self.networks if network.client == node]
        found = {network.server: network.members[network.server] for network in called}
        return {server: address for server, address in found.items() if address != ANY}

    def instances(self, name: str, service: Service) -> tuple[str, ...]:
        """Node names of a service: one for each replica; on a Swarm, which counts replicas itself, one for all."""
        return (name,) if self.cluster else instances(name, service)

    @cached_property
    def resolvers(self) -> tuple[IPv4Address, ...]:
        """Addresses at which names are asked for."""
        members = self.network("egress").members
        return tuple(members[node] for node in (self.cluster.resolvers if self.cluster else (RESOLVER,)))

    @cached_property
    def _by_name(self) -> dict[str, Network]:
        return {network.name: network for network in self.networks}
