"""The private Docker networks of a stack."""

from ipaddress import IPv4Network
from typing import Final, TypedDict

import pulumi
import pulumi_docker as docker

from components.underlay import mtu
from topology.model import Cluster, Network, Topology

SMALLEST_BITS: Final = 3
"""Of an address within the smallest subnet, a /29."""


class NetworksArgs(TypedDict):
    """``stack`` prefixes Docker's names; ``topology`` decides which networks there are."""

    stack: str
    topology: Topology


class Networks(pulumi.ComponentResource):
    """One Docker network for each network of the topology, with its explicit subnet; only ``egress`` leads out."""

    names: dict[str, pulumi.Output[str]]
    """Network name of the topology → Docker's name, as an Output that waits for the network."""
    ids: dict[str, pulumi.Output[str]]
    """The same → Docker's id, by which services of a Swarm know it."""

    def __init__(self, name: str, args: NetworksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Networks", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        cluster, stack = args["topology"].cluster, args["stack"]
        made = {
            network.name: _overlay(name, network, stack, cluster, child)
            if cluster
            else _network(name, network, stack, child)
            for network in args["topology"].networks
        }
        self.names = {key: network.name for key, network in made.items()}
        self.ids = {key: network.id for key, network in made.items()}
        self.register_outputs({"names": self.names})


def _network(name: str, network: Network, stack: str, opts: pulumi.ResourceOptions) -> docker.Network:
    return docker.Network(
        f"{name}-{network.name}",
        name=f"{stack}-{network.name}",
        driver="bridge",
        internal=network.internal,
        attachable=False,
        ipv6=False,
        ipam_configs=[docker.NetworkIpamConfigArgs(subnet=str(network.subnet), gateway=str(network.subnet[1]))],
        labels=[docker.NetworkLabelArgs(label=f"zero-exposure.{key}", value=value) for key, value in _labels(network)],
        # A container's address on a network must not change hands while the network is replaced.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )


def _overlay(name: str, network: Network, stack: str, cluster: Cluster, opts: pulumi.ResourceOptions) -> docker.Network:
    """The same across machines. What it carries is encrypted on the way, though the way is a private network."""
    fixed = network.tasks != network.subnet
    config = docker.NetworkIpamConfigArgs(
        subnet=str(network.subnet),
        gateway=str(network.subnet[1]),
        # Swarm puts no task where a fixed address is.
        ip_range=str(network.tasks) if fixed else None,
    )
    return docker.Network(
        f"{name}-{network.name}",
        name=f"{stack}-{network.name}",
        driver="overlay",
        internal=network.internal,
        # A container that is no task, the resolver, has a fixed address there.
        attachable=fixed,
        ipv6=False,
        options={
            "encrypted": "true",
            "com.docker.network.driver.mtu": str(mtu(cluster.is_mesh)),
            "com.docker.network.driver.overlay.vxlanid_list": str(_vxlan(network.subnet)),
        },
        ipam_configs=[config],
        labels=[docker.NetworkLabelArgs(label=f"zero-exposure.{key}", value=value) for key, value in _labels(network)],
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )


def _vxlan(subnet: IPv4Network) -> int:
    """The network's number between machines, out of 24 bits. Left to Swarm, it would appear among the options, and the
    provider would make the network anew at every `up` (ADR 121). No two subnets of one pool have the same, and none has
    one of those that Swarm gives by itself, from 4096 on.
    """
    return (int(subnet.network_address) >> SMALLEST_BITS) & 0xFFFFFF


def _labels(network: Network) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = [("network", network.kind)]
    if network.kind == "link":
        found += [("client", network.client), ("server", network.server)]
    return found
