"""The gateway and its connector: the one pair of containers that a visitor's request passes first."""

from typing import Literal, NotRequired, TypedDict

import pulumi

from components.container import Deployed, deploy
from components.gateway import connector
from components.gateway.render import (
    CONFIG,
    CROWDSEC_KEY,
    METRICS_PORT,
    PREFIX,
    SCRATCH,
    SECRETS,
    api_key_file,
    files,
    routes,
    values,
)
from components.site import Site
from components.spec import ContainerSpec
from settings import cloud, gateway
from settings.service import Healthcheck, Limits
from topology.model import Topology
from topology.names import CLOUDFLARED, GATEWAY

USER = "65533:65533"
"""Its own: the limit of processes counts by uid, across containers."""
HEALTH_COMMAND = ("wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{METRICS_PORT}/healthy")
CONNECTOR_USER = "65532:65532"
"""The user that cloudflared's image names."""


class GatewayArgs(TypedDict):
    """``tunnel_token`` is None with target local. ``secrets`` are the stack's by name, for routes with an API key;
    ``crowdsec_key`` opens CrowdSec's list of decisions, and is needed where the topology has a link to CrowdSec.
    ``connector_after`` is what the connector needs to find Cloudflare: the resolver."""

    gateway: gateway.Gateway
    tunnel: cloud.Tunnel
    topology: Topology
    operators: cloud.Operators
    domain: str
    target: Literal["cloud", "local"]
    site: Site
    tunnel_token: pulumi.Output[str] | None
    secrets: NotRequired[dict[str, pulumi.Output[str]]]
    crowdsec_key: NotRequired[pulumi.Output[str] | None]
    connector_after: NotRequired[list[pulumi.Resource]]


class Gateway(pulumi.ComponentResource):
    """OpenResty, and in front of it cloudflared, which alone of the two can reach the internet."""

    container: Deployed
    connector: Deployed | None
    """None where the stack has no tunnel."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Gateway", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.container = deploy(_gateway(args), args["site"], child)
        self.connector = None
        if _is_tunnelled(args):
            before = [self.container, *args.get("connector_after", [])]
            after = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=before))
            self.connector = deploy(_connector(args), args["site"], after)
        self.register_outputs({"container": self.container.name, "routes": routes(args["topology"])})


def _is_tunnelled(args: GatewayArgs) -> bool:
    return args["target"] == "cloud" or args["tunnel"].local == "quick"


def _gateway(args: GatewayArgs) -> ContainerSpec:
    given = values(args["topology"], args["gateway"], args["operators"].networks, tunnelled=_is_tunnelled(args))
    return ContainerSpec(
        node=GATEWAY,
        role="gateway",
        image=args["gateway"].image,
        networks=args["topology"].nodes[GATEWAY].addresses,
        user=USER,
        entrypoint=("openresty",),
        command=("-e", "stderr", "-p", f"{PREFIX}/", "-c", f"{CONFIG}/nginx.conf"),
        files={**files(given), **_secret_files(args)},
        tmpfs={SCRATCH: "128m"},
        healthcheck=Healthcheck(command=HEALTH_COMMAND, interval=_interval(args)),
        limits=Limits(memory="512m", cpus=float(args["gateway"].workers), pids=64),
        replicas=_replicas(args),
        apart=True,
    )


def _interval(args: GatewayArgs) -> str:
    """How often health is asked for. On a Swarm a task that is started elsewhere serves after the first answer."""
    return "3s" if args["topology"].cluster else "10s"


def _replicas(args: GatewayArgs) -> int:
    """How many gateways there are on a Swarm, and connectors."""
    cluster = args["topology"].cluster
    return cluster.gateways if cluster else 1


def _secret_files(args: GatewayArgs) -> dict[str, pulumi.Output[str]]:
    wanted = sorted({up.route.api_key for up in args["topology"].upstreams if up.route.api_key})
    given = args.get("secrets") or {}
    found = {f"{SECRETS}/{api_key_file(name)}": given[name] for name in wanted}
    key = args.get("crowdsec_key")
    return found if key is None else {**found, f"{SECRETS}/{CROWDSEC_KEY}": key}


def _connector(args: GatewayArgs) -> ContainerSpec:
    token = args["tunnel_token"]
    hosts = args["topology"].visitor_hosts or args["topology"].hosts
    return ContainerSpec(
        node=CLOUDFLARED,
        role="cloudflared",
        image=args["tunnel"].image,
        networks=args["topology"].nodes[CLOUDFLARED].addresses,
        user=CONNECTOR_USER,
        entrypoint=("cloudflared",),
        command=connector.command(args["topology"].gateway_url, hosts[0] if token is None and hosts else None),
        files={} if token is None else {connector.TOKEN_FILE: token},
        healthcheck=Healthcheck(
            command=("cloudflared", "tunnel", "--metrics", f"127.0.0.1:{connector.METRICS_PORT}", "ready"),
            interval=_interval(args),
            start_period="60s",
        ),
        limits=Limits(memory="256m", cpus=1.0, pids=200),
        replicas=_replicas(args),
        apart=True,
    )
