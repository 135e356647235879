"""Cloudflare rulesets and their predecessors: nothing that skips a check or sends a request elsewhere."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from .model import Resource, Rule
from .reading import View
from .tokens import RULESET

PAGE_RULE: Final = "cloudflare:index/pageRule:PageRule"
FIREWALL_RULE: Final = "cloudflare:index/firewallRule:FirewallRule"
ACCESS_RULE: Final = "cloudflare:index/accessRule:AccessRule"
PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "block": frozenset({"response"}),
    "challenge": frozenset(),
    "managed_challenge": frozenset(),
    "js_challenge": frozenset(),
    "force_connection_close": frozenset(),
    "log": frozenset(),
    "execute": frozenset({"id"}),
    "redirect": frozenset({"fromValue"}),
}
"""Action → its parameters. A managed ruleset is executed as it is: each override can switch a part of it off."""
BOT_CHALLENGE: Final = "http_request_sbfm"
ONE_HOST: Final = re.compile(r'^\(?(?:lower\(http\.host\)|http\.host) eq "[a-z0-9.-]+"\)?$')
OFF: Final = {"off", "flexible", "essentially_off"}


def actions(resource: Resource) -> Iterator[str]:
    for rule in View(resource.props).views("rules"):
        action = rule.text("action")
        if action == "skip" and _spares_one_host(rule):
            continue
        if action not in PARAMETERS:
            yield f"{rule.at('action')}: not in the list; others let requests past a check, or weaken an answer"
        yield from _parameters(rule.view("actionParameters"), PARAMETERS.get(action, frozenset()))


def _spares_one_host(rule: View) -> bool:
    """A skip of the bot challenge alone, on one host: a program that connects to SSH can't answer a challenge."""
    given = {key: value for key, value in rule.view("actionParameters").props.items() if value is not None}
    return given == {"phases": [BOT_CHALLENGE]} and bool(ONE_HOST.match(rule.text("expression").strip()))


def _parameters(parameters: View, known: frozenset[str]) -> Iterator[str]:
    for key, value in parameters.props.items():
        if value is not None and key not in known:
            yield f"{parameters.at(key)}: not a parameter in the list; others weaken a setting or switch a check off"
    if "fromValue" in parameters.props:
        target = parameters.view("fromValue").view("targetUrl")
        if not target.text("value").lower().startswith("https://"):
            yield f"{target.at('value')}: does not lead to HTTPS"


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
        claim="Rulesets block, challenge, lead to HTTPS, run a managed one, or skip one host's bot challenge.",
        remediation="Use block, a challenge, or a redirect to an https:// address; remove overrides and parameters.",
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
