"""What each Cloudflare plan allows, and what of it is used. Pure.

Sources: developers.cloudflare.com, "Availability" of WAF custom rules and of rate limiting rules, and the bots plans.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from settings.cloud import Edge

YEAR = 31_536_000
"""Seconds that browsers remember to use HTTPS only."""
PERIOD = 10
"""Seconds over which requests are counted: the only period that every plan has."""


@dataclass(frozen=True)
class Plan:
    """Limits of a plan.

    ``mitigation``: seconds for which an address stays blocked. ``challenged``: groups of bots that Super Bot Fight
    Mode can challenge. On free there is Bot Fight Mode instead, which no rule can keep off the SSH host, so it is
    not used. On enterprise bots are a contract of their own, whose settings are not known here.
    """

    custom_rules: int
    rate_limits: int
    mitigation: int
    challenged: tuple[str, ...] = ()


PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "free": Plan(custom_rules=5, rate_limits=1, mitigation=10),
        "pro": Plan(custom_rules=20, rate_limits=2, mitigation=60, challenged=("definitely",)),
        "business": Plan(custom_rules=100, rate_limits=5, mitigation=60, challenged=("definitely", "likely")),
        "enterprise": Plan(custom_rules=1000, rate_limits=100, mitigation=60),
    }
)


def zone_settings(edge: Edge) -> dict[str, Any]:
    """Setting id → value. All of them are in every plan."""
    return {
        # A tunnel carries its own encryption, so no certificate is asked of this stack. The value is for the record
        # that somebody adds one day without a tunnel: it then fails, instead of going out in plaintext.
        "ssl": "strict",
        "always_use_https": "on",
        "automatic_https_rewrites": "on",
        "min_tls_version": edge.min_tls,
        "tls_1_3": "on",
        # Data in the first flight can be replayed by anyone who recorded it.
        "0rtt": "off",
        # Plain HTTP would stay plain HTTP in the address bar: always_use_https redirects it.
        "opportunistic_encryption": "off",
        # SSH through Access is a WebSocket. Without this, `cloudflared access ssh` fails with "bad handshake".
        "websockets": "on",
        "browser_check": "on",
        "hotlink_protection": "on" if edge.hotlink_protection else "off",
        "security_header": {"strict_transport_security": _hsts()},
    }


def _hsts() -> dict[str, Any]:
    """On Cloudflare's own answers too (redirects, block pages), which never reach the gateway.

    No preload: browsers would carry the domain in a list that takes months to leave. The keys are the API's own: with
    Pulumi's spelling the difference never settles (pulumi/pulumi-cloudflare#1579).
    """
    return {"enabled": True, "max_age": YEAR, "include_subdomains": True, "nosniff": True, "preload": False}


def bots(edge: Edge, plan: Plan) -> dict[str, Any]:
    """Arguments of BotManagement. ``crawler_protection`` is the labyrinth: links that only AI crawlers follow."""
    chosen: dict[str, Any] = {"ai_bots_protection": "block", "crawler_protection": "enabled"}
    if plan.challenged:
        # "allow" is said, not left out: only so does switching off take effect.
        action = "managed_challenge" if edge.bot_fight else "allow"
        chosen |= {f"sbfm_{group}_automated": action for group in plan.challenged}
        chosen |= {"sbfm_verified_bots": "allow", "sbfm_static_resource_protection": False}
    return chosen


def spares_ssh(edge: Edge, plan: Plan) -> bool:
    """Whether the SSH host needs a rule that keeps the bot challenge off it."""
    return edge.bot_fight and bool(plan.challenged)
