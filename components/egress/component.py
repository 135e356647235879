"""The egress proxy: the one way out of services, to the domains that they declare."""

from typing import TypedDict

import pulumi
import pulumi_tls as tls

from components.container import Deployed, deploy
from components.egress.render import CERTIFICATE, CONFIG, KEY, SECRETS, Values, domains, files
from components.site import Site
from components.spec import ContainerSpec
from settings.service import Healthcheck, Limits
from topology.model import Topology
from topology.names import EGRESS_PORT, PROXY

USER = "3128:3128"
"""The user that the image names."""
HEALTH_COMMAND = ("curl", "-s", "-o", "/dev/null", "-x", f"http://127.0.0.1:{EGRESS_PORT}", "http://health.invalid/")
"""Refused, like everything that is no tunnel; that there is an answer shows that squid works."""
TEN_YEARS = 10 * 365 * 24
"""In hours."""


class EgressArgs(TypedDict):
    """``values`` are what its files are made of; ``after`` is what it needs to find a name: the resolver."""

    values: Values
    topology: Topology
    site: Site
    after: list[pulumi.Resource]


class Egress(pulumi.ComponentResource):
    """squid between each service with ``egress`` and the internet."""

    container: Deployed

    def __init__(self, name: str, args: EgressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Egress", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        pair = _refusal(name, child)
        after = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=args["after"]))
        self.container = deploy(_spec(args, pair), args["site"], after)
        self.register_outputs({"container": self.container.name, "domains": domains(args["values"])})


def _refusal(name: str, opts: pulumi.ResourceOptions) -> dict[str, pulumi.Output[str]]:
    """squid reads TLS greetings only if it has a certificate; refused clients see this one, and trust it not."""
    key = tls.PrivateKey(f"{name}-refusal-key", algorithm="ECDSA", ecdsa_curve="P256", opts=opts)
    certificate = tls.SelfSignedCert(
        f"{name}-refusal-certificate",
        private_key_pem=key.private_key_pem,
        subject=tls.SelfSignedCertSubjectArgs(common_name="refused-by-egress-proxy"),
        allowed_uses=[],
        validity_period_hours=TEN_YEARS,
        opts=opts,
    )
    secret: pulumi.Output[str] = pulumi.Output.secret(key.private_key_pem)
    return {f"{CONFIG}/{CERTIFICATE}": certificate.cert_pem, f"{SECRETS}/{KEY}": secret}


def _spec(args: EgressArgs, pair: dict[str, pulumi.Output[str]]) -> ContainerSpec:
    values = args["values"]
    return ContainerSpec(
        node=PROXY,
        role="egress-proxy",
        image=values.egress.image,
        networks=args["topology"].nodes[PROXY].addresses,
        user=USER,
        entrypoint=("squid",),
        command=("-N", "-f", f"{CONFIG}/squid.conf"),
        files={**files(values), **pair},
        healthcheck=Healthcheck(command=HEALTH_COMMAND),
        limits=Limits(memory="256m", cpus=0.5, pids=64),
    )
