"""Cloudflare rulesets and their predecessors: nothing that skips a check or sends a request elsewhere."""

import re
from collections.abc import Iterator
from typing import Final

from .model import Resource, Rule
from .reading import View
from .tokens import RULESET

PAGE_RULE: Final = "cloudflare:index/pageRule:PageRule"
FIREWALL_RULE: Final = "cloudflare:index/firewallRule:FirewallRule"
ACCESS_RULE: Final = "cloudflare:index/accessRule:AccessRule"
SAFE_ACTIONS: Final = {
    "block",
    "challenge",
    "managed_challenge",
    "js_challenge",
    "log",
    "execute",
    "redirect",
    "rewrite",
    "score",
    "serve_error",
    "set_config",
    "set_cache_settings",
    "compress_response",
    "ddos_dynamic",
    "force_connection_close",
    "log_custom_field",
}
BOT_CHALLENGE: Final = "http_request_sbfm"
ONE_HOST: Final = re.compile(r'^\(?(?:lower\(http\.host\)|http\.host) eq "[a-z0-9.-]+"\)?$')
OFF: Final = {"off", "flexible", "essentially_off"}


def actions(resource: Resource) -> Iterator[str]:
    for rule in View(resource.props).views("rules"):
        action = rule.text("action")
        if action == "skip" and _spares_one_host(rule):
            continue
        if action not in SAFE_ACTIONS:
            yield f"{rule.at('action')}: not in the list; skip and route let requests past a check"
        yield from _parameters(rule.view("actionParameters"))


def _spares_one_host(rule: View) -> bool:
    """A skip of the bot challenge alone, on one host: a program that connects to SSH can't answer a challenge."""
    given = {key: value for key, value in rule.view("actionParameters").props.items() if value is not None}
    return given == {"phases": [BOT_CHALLENGE]} and bool(ONE_HOST.match(rule.text("expression").strip()))


def _parameters(parameters: View) -> Iterator[str]:
    for key in ("ssl", "securityLevel"):
        if parameters.text(key) in OFF:
            yield f"{parameters.at(key)}: weaker than the zone's own setting"
    for key in ("bic", "hotlinkProtection", "automaticHttpsRewrites"):
        if parameters.known(key) is False:
            yield f"{parameters.at(key)}: weaker than the zone's own setting"
    for key in ("hostHeader", "origin", "sni", "phases", "products"):
        if parameters.given(key):
            yield f"{parameters.at(key)}: past the gateway, or past a check"
    if parameters.view("overrides").known("enabled") is False:
        yield f"{parameters.at('overrides')}.enabled: switches a managed ruleset off"
    target = parameters.view("fromValue").view("targetUrl")
    if target.text("value").lower().startswith("http://"):
        yield f"{target.at('value')}: leads away from HTTPS"


def page_rule(resource: Resource) -> Iterator[str]:
    given = View(resource.props).view("actions")
    for key in ("ssl", "securityLevel", "browserCheck", "waf", "automaticHttpsRewrites"):
        if given.text(key) in OFF:
            yield f"{given.at(key)}: weaker than the zone's own setting"
    for key in ("disableSecurity", "resolveOverride", "hostHeaderOverride"):
        if given.given(key):
            yield f"{given.at(key)}: past a check, or past the gateway"
    if given.view("forwardingUrl").text("url").lower().startswith("http://"):
        yield f"{given.at('forwardingUrl')}.url: leads away from HTTPS"


def address_rule(resource: Resource) -> Iterator[str]:
    view = View(resource.props)
    if resource.type == ACCESS_RULE and view.text("mode") not in {
        "block",
        "challenge",
        "js_challenge",
        "managed_challenge",
    }:
        yield "mode: lets addresses past every check of the edge"
    if resource.type == FIREWALL_RULE and view.text("action") not in {
        "block",
        "challenge",
        "js_challenge",
        "managed_challenge",
        "log",
    }:
        yield "action: lets requests past a check"


RULES = (
    Rule(
        id="ruleset-action",
        severity="high",
        claim="No ruleset weakens a setting, evades the gateway, or skips more than one host's bot challenge.",
        remediation="Use block, challenge, rewrite or redirect to HTTPS; remove the exception.",
        threat="edge",
        types=(RULESET,),
        check=actions,
    ),
    Rule(
        id="page-rule",
        severity="high",
        claim="No page rule weakens a setting or sends a request past the gateway.",
        remediation="Remove the action, or use a Ruleset.",
        threat="edge",
        types=(PAGE_RULE,),
        check=page_rule,
    ),
    Rule(
        id="edge-address-rule",
        severity="high",
        claim="No address or filter is let past the edge's checks.",
        remediation="Use block or a challenge.",
        threat="edge",
        types=(ACCESS_RULE, FIREWALL_RULE),
        check=address_rule,
    ),
)
