"""What the machines of a Swarm share: one wall, one way to each other, and hardware apart from each other.

In one network zone the way is the provider's private network. A private network ends at its zone: machines in several
have public addresses that outlive them, and WireGuard between these.
"""

from typing import TypedDict

import pulumi
import pulumi_hcloud as hcloud

from components.host.component import firewall, operator_keys
from settings import cloud
from settings.nodes import Machine, is_mesh

GROUP_SIZE = 10
"""Servers that one spread group takes. https://docs.hetzner.com/cloud/placement-groups/faq"""


class FleetArgs(TypedDict):
    """``network`` is the CIDR of the machines' own addresses."""

    stack: str
    machines: tuple[Machine, ...]
    network: str
    operators: cloud.Operators


class Fleet(pulumi.ComponentResource):
    """The provider's firewall does not filter the private network: each machine's own does (root/etc/nftables.conf)."""

    firewall: hcloud.Firewall
    operators: list[hcloud.SshKey]
    subnet: hcloud.NetworkSubnet | None
    """None where machines are in several zones."""
    addresses: dict[str, hcloud.PrimaryIp]
    """Machine → its public address there; none where a private network joins them."""
    groups: dict[str, hcloud.PlacementGroup]
    """Machine → its placement group: no two of one group share a host of the provider."""

    def __init__(self, name: str, args: FleetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Fleet", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = {"zero-exposure": args["stack"]}
        mesh = is_mesh(args["machines"])
        self.addresses = _addresses(name, args["machines"], labels, child) if mesh else {}
        self.firewall = firewall(name, labels, child, [each.ip_address for each in self.addresses.values()])
        self.operators = operator_keys(name, args["operators"], labels, child)
        self.subnet = None if mesh else _subnet(name, args, labels, child)
        self.groups = _groups(name, args["machines"], labels, child)
        self.register_outputs({"machines": [machine.name for machine in args["machines"]]})


def _subnet(name: str, args: FleetArgs, labels: dict[str, str], opts: pulumi.ResourceOptions) -> hcloud.NetworkSubnet:
    network = hcloud.Network(f"{name}-network", ip_range=args["network"], labels=labels, opts=opts)
    return hcloud.NetworkSubnet(
        f"{name}-subnet",
        network_id=network.id.apply(int),
        type="cloud",
        network_zone=args["machines"][0].zone,
        ip_range=args["network"],
        opts=opts,
    )


def _addresses(
    name: str, machines: tuple[Machine, ...], labels: dict[str, str], opts: pulumi.ResourceOptions
) -> dict[str, hcloud.PrimaryIp]:
    """Known before there is a server, so that the wall names them, and kept when it is replaced: nobody is told."""
    return {
        machine.name: hcloud.PrimaryIp(
            f"{name}-address-{machine.name}",
            type="ipv4",
            location=machine.location,
            auto_delete=False,
            labels=labels,
            opts=opts,
        )
        for machine in machines
    }


def _groups(
    name: str, machines: tuple[Machine, ...], labels: dict[str, str], opts: pulumi.ResourceOptions
) -> dict[str, hcloud.PlacementGroup]:
    made: dict[str, hcloud.PlacementGroup] = {}
    found: dict[str, hcloud.PlacementGroup] = {}
    counted: dict[str, int] = {}
    for machine in machines:
        kind = f"{machine.group}-{machine.location}"
        counted[kind] = counted.get(kind, 0) + 1
        title = f"{name}-{kind}-{-(-counted[kind] // GROUP_SIZE)}"
        if title not in made:
            made[title] = hcloud.PlacementGroup(title, type="spread", labels=labels, opts=opts)
        found[machine.name] = made[title]
    return found
