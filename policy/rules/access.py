"""Cloudflare Access: who may come in. Every way of saying 'everyone' is refused."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Final

from .mail import is_public
from .model import UNKNOWN, Resource, Rule
from .reading import View
from .tokens import ACCESS_APPLICATIONS, ACCESS_GROUPS, ACCESS_POLICIES, ACCESS_TOKENS

PEOPLE: Final[Mapping[str, str]] = {
    "authContext": "acId",
    "azureAd": "id",
    "cloudflareAccountMember": "",
    "email": "email",
    "emailDomain": "domain",
    "githubOrganization": "name",
    "group": "id",
    "gsuite": "email",
    "ip": "ip",
    "linkedAppToken": "appUid",
    "oidc": "claimValue",
    "okta": "name",
    "saml": "attributeValue",
}
"""Who is let in → the key that says which. A list of addresses is not among them: no type shows what is on it."""
MACHINES: Final[Mapping[str, str]] = {"commonName": "commonName", "serviceToken": "tokenId"}
NETWORK: Final[Mapping[str, str]] = {"ip": "ip"}
WIDEST: Final = {4: 16, 6: 32}
"""The widest network that may be let in by its address alone, by IP version."""
ORIGIN: Final = re.compile(r"^https://[a-z0-9.-]+(?::\d+)?$", re.IGNORECASE)
HOURS: Final = re.compile(r"^(\d{1,9})h$")
LONGEST: Final = 8760
"""Hours: a year, which is also what Cloudflare takes where nothing is said."""


def policy(resource: Resource) -> Iterator[str]:
    view = View(resource.props)
    if resource.type not in ACCESS_GROUPS:
        yield from decides(view)
    else:
        yield from _somebody(view, {**PEOPLE, **MACHINES})


def decides(view: View) -> Iterator[str]:
    """Findings of one policy, its own resource or inline in an application."""
    decision = view.text("decision")
    if decision == "allow":
        yield from _somebody(view, PEOPLE)
    elif decision in {"non_identity", "non-identity"}:
        yield from _somebody(view, {**MACHINES, **NETWORK})
    elif decision != "deny":
        yield f"{view.at('decision')}: only allow, deny and non_identity"


def _somebody(view: View, known: Mapping[str, str]) -> Iterator[str]:
    includes = view.views("includes")
    if not includes:
        yield f"{view.at('includes')}: empty"
    for include in includes:
        given = {key for key, value in include.props.items() if value is not None}
        if not given or not given <= known.keys():
            yield f"{include.path}: not a named person, group, network or token"
        for kind in sorted(given & known.keys()):
            if known[kind] and include.view(kind).props.get(known[kind]) in (None, ""):
                yield f"{include.at(kind)}.{known[kind]}: empty, so it is anybody"
        yield from _narrow(include)


def _narrow(include: View) -> Iterator[str]:
    if include.known("ip") is not None:
        address = include.view("ip").text("ip")
        if not _is_narrow(address):
            yield f"{include.at('ip')}: not a network, or wider than /16 (IPv6: /32)"
    if include.known("emailDomain") is not None and is_public(include.view("emailDomain").text("domain")):
        yield f"{include.at('emailDomain')}: anybody can have an address there"
    if include.known("email") is not None and "@" not in include.view("email").text("email"):
        yield f"{include.at('email')}: not an address"


def _is_narrow(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= WIDEST[network.version]


def application(resource: Resource) -> Iterator[str]:
    view = View(resource.props)
    if view.text("type") not in {"self_hosted", "ssh"}:
        yield "type: only self_hosted and ssh put a check before a host"
    if not view.text("domain") and not view.items("destinations"):
        yield "domain: the application protects no host"
    if view.flag("optionsPreflightBypass"):
        yield "optionsPreflightBypass: OPTIONS requests pass without a check"
    if view.view("corsHeaders").flag("allowAllOrigins"):
        yield "corsHeaders.allowAllOrigins: any page may call with the visitor's session"
    for index, origin in enumerate(view.view("corsHeaders").texts("allowedOrigins")):
        if not ORIGIN.match(origin):
            yield f"corsHeaders.allowedOrigins[{index}]: not one page's origin (https://HOST), so others may call too"
    for destination in view.views("destinations"):
        if destination.text("type") not in {"", "public"}:
            yield f"{destination.at('type')}: routes into a private network"
    yield from _policies(view)


def _policies(view: View) -> Iterator[str]:
    """A policy by id may be unknown before it exists; the stack rule asks whether it is one of this stack."""
    policies = view.views("policies")
    if not policies:
        yield "policies: none, so nothing says who may come in"
    for entry in policies:
        if entry.known("decision") is not None:
            yield from decides(entry)
            if entry.props.get("id") is not None:
                yield f"{entry.at('id')}: beside a decision, and the one that the id stands for is what holds"
        elif entry.props.get("id") is not UNKNOWN and not entry.text("id"):
            yield f"{entry.path}: neither the id of a policy nor a policy"


def token_expires(resource: Resource) -> Iterator[str]:
    duration = View(resource.props).text("duration")
    hours = HOURS.match(duration)
    if duration and not (hours and int(hours[1]) <= LONGEST):
        yield f"duration: not in hours, or longer than a year ({LONGEST}h)"


RULES = (
    Rule(
        id="access-policy",
        severity="critical",
        claim="Every Access policy names people, groups, narrow networks or tokens; none lets everyone through.",
        remediation="Use decision allow with e-mail addresses or groups, or non_identity with a service token.",
        threat="admin",
        types=(*ACCESS_POLICIES, *ACCESS_GROUPS),
        check=policy,
        waivable=False,
    ),
    Rule(
        id="access-application",
        severity="critical",
        claim="Every Access application protects a host with at least one policy and lets nothing bypass it.",
        remediation="Set type self_hosted, a domain and policies; remove the bypass.",
        threat="admin",
        types=ACCESS_APPLICATIONS,
        check=application,
        waivable=False,
    ),
    Rule(
        id="access-token-expires",
        severity="medium",
        claim="Every service token expires within a year.",
        remediation='Set duration in hours, at most "8760h".',
        threat="admin",
        types=ACCESS_TOKENS,
        check=token_expires,
    ),
)
