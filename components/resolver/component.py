"""The internal resolver: the one DNS server that containers ask."""

from dataclasses import replace
from ipaddress import IPv4Address
from typing import TypedDict

import pulumi

from components.container import deploy_container
from components.resolver.names import ZONE
from components.resolver.render import CONFIG, SCRATCH, Values, files
from components.site import Site
from components.spec import ContainerSpec
from settings.service import Healthcheck, Limits
from topology.names import RESOLVER

USER = "101:102"
"""The user that the image names."""
HEALTH_COMMAND = ("drill-hc", "@127.0.0.1", f"{RESOLVER}.{ZONE}")
"""An internal name: while an upstream is down, a deployment must still go through. drill-hc gives drill's 0, or 1."""


class ResolverArgs(TypedDict):
    """``values`` are what its files are made of."""

    values: Values
    site: Site


class Resolver(pulumi.ComponentResource):
    """unbound on the network that leads out: internal names from the plan, everything else over TLS."""

    containers: list[pulumi.Resource]
    """One; on a Swarm one on each of a few machines, since only there it has an address that never changes."""

    def __init__(self, name: str, args: ResolverArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Resolver", name, None, opts)
        child, site = pulumi.ResourceOptions(parent=self), args["site"]
        specs = [_spec(*place, args["values"]) for place in _places(args)]
        made = [deploy_container(spec, site, site.on(spec.machine, child)) for spec in specs]
        self.containers = [*made]
        self.register_outputs({"container": made[0].name})


def _places(args: ResolverArgs) -> list[tuple[str, str, IPv4Address]]:
    """Node, machine and address of each."""
    swarm = args["site"].swarm
    if swarm is None:
        return [(RESOLVER, "", args["values"].address)]
    chosen = swarm.cluster.resolvers.items()
    return [(node, machine, address) for (node, machine), address in zip(chosen, swarm.resolvers, strict=True)]


def _spec(node: str, machine: str, address: IPv4Address, values: Values) -> ContainerSpec:
    return ContainerSpec(
        node=node,
        machine=machine,
        role="resolver",
        image=values.resolver.image,
        networks={"egress": address},
        user=USER,
        entrypoint=("unbound",),
        command=("-d", "-p", "-c", f"{CONFIG}/unbound.conf"),
        files=files(replace(values, address=address)),
        tmpfs={SCRATCH: "1m"},
        healthcheck=Healthcheck(command=HEALTH_COMMAND, start_period="10s"),
        limits=Limits(memory="256m", cpus=0.5, pids=64),
        # Itself, for whoever looks something up in its container. unbound knows its upstreams by address.
        dns=("127.0.0.1",),
    )
