"""CrowdSec beside the gateway, and the worker that tells the edge whom it bans."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pulumi
import pulumi_random as random

from components.container import Deployed, deploy
from components.intrusion.render import API_PORT, COMMUNITY_FILE, CONFIG, SECRETS, STATE, community, files, values
from components.site import Site
from components.spec import ContainerSpec
from settings.cloud import Operators
from settings.intrusion import Intrusion as IntrusionSettings
from settings.service import Limits
from topology.model import Topology
from topology.names import CROWDSEC, EDGE_BANS, EGRESS_PORT, PROXY

USER, WORKER_USER = "65530:65530", "65531:65531"
"""Users of their own: the kernel counts processes by user, across containers."""
WORKER = "/etc/zero-exposure/edge-bans"
CLOUDFLARE_API = "https://api.cloudflare.com/client/v4/accounts"


@dataclass(frozen=True)
class EdgeList:
    """The list at Cloudflare that an edge rule blocks, and a token that may write it."""

    account_id: str
    list_id: pulumi.Output[str]
    token: pulumi.Output[str]


class IntrusionArgs(TypedDict):
    """``secrets`` are the stack's by name. ``edge`` is None where bans stay at the gateway."""

    intrusion: IntrusionSettings
    topology: Topology
    operators: Operators
    site: Site
    secrets: dict[str, pulumi.Output[str]]
    edge: EdgeList | None


class Intrusion(pulumi.ComponentResource):
    """CrowdSec on the gateway's log. Its API is on internal links alone."""

    key: pulumi.Output[str]
    """Secret that opens the decisions to the gateway."""
    container: Deployed

    def __init__(self, name: str, args: IntrusionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Intrusion", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.key = _key(f"{name}-gateway-key", child)
        keys = {"gateway": self.key}
        if args["edge"]:
            keys[EDGE_BANS] = _key(f"{name}-edge-key", child)
        self.container = deploy(_crowdsec(args, keys), args["site"], child)
        if args["edge"]:
            after = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[self.container]))
            deploy(_worker(args["topology"], args["intrusion"], args["edge"], keys[EDGE_BANS]), args["site"], after)
        self.register_outputs({"container": self.container.name})


def _key(name: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    return pulumi.Output.secret(random.RandomPassword(name, length=40, special=False, opts=opts).result)


def _crowdsec(args: IntrusionArgs, keys: dict[str, pulumi.Output[str]]) -> ContainerSpec:
    topology = args["topology"]
    given = values(topology, args["intrusion"], args["operators"].networks)
    proxied = f"link-{CROWDSEC}-{PROXY}" in topology.nodes[CROWDSEC].addresses
    return ContainerSpec(
        node=CROWDSEC,
        role="crowdsec",
        image=args["intrusion"].image,
        networks=topology.nodes[CROWDSEC].addresses,
        user=USER,
        entrypoint=("/bin/sh",),
        command=(f"{CONFIG}/start.sh", f"{CONFIG}/config.yaml", STATE, SECRETS),
        env={"HTTPS_PROXY": _proxy(topology, CROWDSEC)} if proxied else {},
        files={
            **files(given),
            **{f"{SECRETS}/reader-{reader}": key for reader, key in keys.items()},
            **_community(args),
        },
        tmpfs={STATE: "256m"},
        # nginx looks up where its log goes when it starts, and never again.
        virtual=True,
        limits=Limits(memory="512m", cpus=1.0, pids=200),
    )


def _proxy(topology: Topology, client: str) -> str:
    return f"http://{topology.network(f'link-{client}-{PROXY}').host(PROXY)}:{EGRESS_PORT}"


def _community(args: IntrusionArgs) -> dict[str, pulumi.Output[str]]:
    chosen = args["intrusion"].community
    if chosen is None:
        return {}
    both = pulumi.Output.all(args["secrets"][chosen.login], args["secrets"][chosen.password])
    return {COMMUNITY_FILE: pulumi.Output.secret(both.apply(lambda pair: community(*pair)))}


def _worker(topology: Topology, intrusion: IntrusionSettings, edge: EdgeList, key: pulumi.Output[str]) -> ContainerSpec:
    source = Path(__file__).with_name("edge_bans.py").read_text(encoding="utf-8")
    api = topology.network(f"link-{EDGE_BANS}-{CROWDSEC}").host(CROWDSEC)
    lists = f"{CLOUDFLARE_API}/{edge.account_id}/rules/lists"
    plain = {
        "decisions_url": f"http://{api}:{API_PORT}/v1/decisions",
        "key_file": f"{SECRETS}/crowdsec-key",
        "operations_url": f"{lists}/bulk_operations",
        "token_file": f"{SECRETS}/cloudflare-token",
        "proxy": _proxy(topology, EDGE_BANS),
    }
    settings = edge.list_id.apply(lambda found: json.dumps(plain | {"list_url": f"{lists}/{found}/items"}))
    return ContainerSpec(
        node=EDGE_BANS,
        role="crowdsec",
        image=intrusion.worker_image,
        networks=topology.nodes[EDGE_BANS].addresses,
        user=WORKER_USER,
        entrypoint=("python", "-I"),
        command=(f"{WORKER}/edge_bans.py", f"{WORKER}/settings.json"),
        files={
            f"{WORKER}/edge_bans.py": source,
            f"{WORKER}/settings.json": settings,
            f"{SECRETS}/crowdsec-key": key,
            f"{SECRETS}/cloudflare-token": edge.token,
        },
        limits=Limits(memory="64m", cpus=0.5, pids=20),
    )
