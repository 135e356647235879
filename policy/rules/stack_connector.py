"""Stack rules: how the connector is started, and whose tunnel it runs."""

from collections.abc import Iterator
from typing import Final

from . import tokens
from .graph import Container, Stack
from .model import Finding, PropertyValue, Resource, StackRule
from .reading import strings
from .stack_ingress import Entrance, leads_to_gateway

ALONE: Final = frozenset({"cloudflared", "tunnel", "run", "--no-autoupdate", "--post-quantum"})
VALUED: Final = frozenset(
    {"--edge-ip-version", "--grace-period", "--loglevel", "--metrics", "--protocol", "--token-file"}
)
QUICK: Final = frozenset({"--url", "--http-host-header"})
"""For a stack without an account: Cloudflare gives the tunnel a name, and nothing but these say where it leads."""
CARRIED_IN: Final = ("uploads", "data")
"""Inputs that hold a file: of a carrier, of a Swarm's secret."""


def connectors(stack: Stack) -> Iterator[Finding]:
    own = any(stack.of(*tokens.TUNNELS))
    for connector in stack.with_role("cloudflared"):
        found = dict(_options(connector.resource))
        for message in (*_words(found, own), *_environment(connector.resource), *_leads(stack, connector, found, own)):
            yield Finding(connector.resource.urn, message)


def _options(container: Resource) -> Iterator[tuple[str, str]]:
    """What the connector is started with: each word or option, and the option's value."""
    words = iter([*_list(container.props.get("entrypoints")), *_list(container.props.get("command"))])
    for word in words:
        name, joined, value = str(word).partition("=")
        yield name, value if joined or name in ALONE else str(next(words, ""))


def _list(value: PropertyValue) -> list[PropertyValue]:
    """A list as it is. Of what is none, one word that no list of words has."""
    return value if isinstance(value, list) else [value] * (value is not None)


def _words(found: dict[str, str], own: bool) -> Iterator[str]:
    if found.keys() - (ALONE | VALUED | (frozenset() if own else QUICK)):
        yield "command: a word outside the short list; it may lead elsewhere than the tunnel's configuration says"


def _environment(container: Resource) -> Iterator[str]:
    for index, entry in enumerate(strings(container.props.get("envs"))):
        if entry.upper().startswith("TUNNEL_"):
            yield f"envs[{index}]: an option of the connector's; say it in its arguments"


def _leads(stack: Stack, connector: Container, found: dict[str, str], own: bool) -> Iterator[str]:
    if "--token-file" in found or own:
        if "--token-file" not in found or not _has_token(stack, connector):
            yield "command: no file with the token of a tunnel of this stack, so nobody checks where it leads"
    elif not leads_to_gateway(stack, Entrance(connector.resource, "", found.get("--url", ""), None)):
        yield "command: a quick tunnel that does not lead to the gateway"


def _has_token(stack: Stack, connector: Container) -> bool:
    """True if a file that the connector is given was made from a tunnel of this stack."""
    carriers = [each.resource for each in stack.containers if each.carrier and each.node == connector.node]
    secrets = [source for source in stack.sources(connector.resource, "uploads") if source.type == tokens.SECRET]
    made_of = [
        source for given in (*carriers, *secrets) for prop in CARRIED_IN for source in stack.sources(given, prop)
    ]
    return any(source.type in (*tokens.TUNNELS, *tokens.TUNNEL_CONFIGS) for source in made_of)


RULES = (
    StackRule(
        id="stack-connector",
        severity="critical",
        claim="Every connector runs a tunnel of this stack, whose ingress is checked, and is told nothing else.",
        remediation="Start it with: tunnel run --token-file FILE; carry the token of this stack's tunnel.",
        threat="tunnel",
        check=connectors,
        waivable=False,
    ),
)
