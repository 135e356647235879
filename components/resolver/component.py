"""The internal resolver: the one DNS server that containers ask."""

from typing import TypedDict

import pulumi
import pulumi_docker as docker

from components.container import ContainerSpec, deploy
from components.resolver.names import ZONE
from components.resolver.render import CONFIG, SCRATCH, Values, files
from components.site import Site
from settings.service import Healthcheck, Limits
from topology import RESOLVER

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

    container: docker.Container

    def __init__(self, name: str, args: ResolverArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Resolver", name, None, opts)
        self.container = deploy(_spec(args["values"]), args["site"], pulumi.ResourceOptions(parent=self))
        self.register_outputs({"container": self.container.name})


def _spec(values: Values) -> ContainerSpec:
    return ContainerSpec(
        node=RESOLVER,
        role="resolver",
        image=values.resolver.image,
        networks={"egress": values.address},
        user=USER,
        entrypoint=("unbound",),
        command=("-d", "-p", "-c", f"{CONFIG}/unbound.conf"),
        files=files(values),
        tmpfs={SCRATCH: "1m"},
        healthcheck=Healthcheck(command=HEALTH_COMMAND, start_period="10s"),
        limits=Limits(memory="256m", cpus=0.5, pids=64),
        # Itself, for whoever looks something up in its container. unbound knows its upstreams by address.
        dns=("127.0.0.1",),
    )
