"""One of the two outbound connections: a tunnel, what it serves, and the token that its connector runs with."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_random as random

from components.tunnel import render
from settings import cloud

SECRET_LENGTH = 48
"""Letters and digits: 285 bits."""


@dataclass(frozen=True)
class Connector:
    """``config`` is there before anything may point at the tunnel; ``token`` is secret."""

    tunnel: cloudflare.ZeroTrustTunnelCloudflared
    config: cloudflare.ZeroTrustTunnelCloudflaredConfig
    token: pulumi.Output[str]


def connector(
    name: str,
    title: pulumi.Input[str],
    account: cloud.Cloudflare,
    rules: tuple[render.Rule, ...],
    audiences: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> Connector:
    """A tunnel with its ingress. ``audiences``: guarded host → audience tag of its Access application."""
    # Not RandomBytes: the provider makes its value the resource's id, which is plain text in the state.
    password = random.RandomPassword(f"{name}-secret", length=SECRET_LENGTH, special=False, opts=opts)
    secret: pulumi.Output[str] = pulumi.Output.secret(password.result.apply(render.secret))
    tunnel = cloudflare.ZeroTrustTunnelCloudflared(
        f"{name}-tunnel",
        account_id=account.account_id,
        name=title,
        # The default, local, would leave the ingress to a file on the server, where no preview sees it.
        config_src="cloudflare",
        tunnel_secret=secret,
        opts=opts,
    )
    config = cloudflare.ZeroTrustTunnelCloudflaredConfig(
        f"{name}-config",
        account_id=account.account_id,
        tunnel_id=tunnel.id,
        source="cloudflare",
        config=cloudflare.ZeroTrustTunnelCloudflaredConfigConfigArgs(
            ingresses=[_ingress(rule, account.team, audiences) for rule in rules]
        ),
        opts=opts,
    )
    # The id is taken from the configuration: no connector starts before its ingress is in place.
    parts = pulumi.Output.all(account.account_id, config.tunnel_id, secret)
    return Connector(tunnel, config, pulumi.Output.secret(parts.apply(lambda found: render.token(*found))))


def _ingress(
    rule: render.Rule, team: str, audiences: Mapping[str, pulumi.Input[str]]
) -> cloudflare.ZeroTrustTunnelCloudflaredConfigConfigIngressArgs:
    ingress = cloudflare.ZeroTrustTunnelCloudflaredConfigConfigIngressArgs
    if not rule.guarded and rule.connect_timeout is None:
        return ingress(service=rule.service, hostname=rule.hostname)
    # Per rule: the same setting at the top of the configuration is ignored without a word.
    access = (
        cloudflare.ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequestAccessArgs(
            required=True, team_name=team, aud_tags=[audiences[rule.hostname or ""]]
        )
        if rule.guarded
        else None
    )
    request = cloudflare.ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequestArgs(
        access=access, connect_timeout=rule.connect_timeout
    )
    return ingress(service=rule.service, hostname=rule.hostname, origin_request=request)
