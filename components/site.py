"""What every container of one stack shares."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pulumi
import pulumi_docker as docker

from topology.model import Cluster


@dataclass(frozen=True)
class SwarmSite:
    """What is different on a Swarm.

    ``engines`` are the machines' own, by name; ``networks`` maps the topology's network names to Swarm's ids.
    """

    cluster: Cluster
    resolvers: tuple[IPv4Address, ...]
    engines: dict[str, docker.Provider]
    networks: dict[str, pulumi.Output[str]]


@dataclass(frozen=True)
class Site:
    """The place that containers are put in.

    ``digest_key`` is a secret text that keys the digests of files, so that a digest in a label tells nothing of a
    secret that can be guessed. ``carrier_images`` maps machines to the id of what carriers are made of there; one
    server's name is empty. ``networks`` maps the topology's network names to Docker's.
    """

    stack: str
    digest_key: pulumi.Output[str]
    carrier_images: dict[str, pulumi.Output[str]]
    resolver: IPv4Address
    networks: dict[str, pulumi.Output[str]] = field(default_factory=dict)
    swarm: SwarmSite | None = None
    """None where there is one server."""

    def named(self, node: str) -> str:
        """Docker's name of a node's container: stacks on one Engine do not collide."""
        return f"{self.stack}-{node}"

    def on(self, machine: str, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        """Options of what one machine's own Engine makes: a volume, or a container that Swarm does not move."""
        if self.swarm is None or not machine:
            return opts
        return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=self.swarm.engines[machine]))

    @property
    def data_machine(self) -> str:
        """The machine that keeps what the program itself has to keep; empty where there is one server."""
        return self.swarm.cluster.data if self.swarm else ""
