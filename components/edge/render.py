"""Rules of Cloudflare's firewall: from host names and networks to expressions. Pure; the texts are in ``waf/``."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from jinja2 import Environment

from components.edge.plan import Plan
from components.template import templates
from settings.load import SettingsError

MAX_EXPRESSION = 4096
"""Characters that Cloudflare takes."""


@dataclass(frozen=True)
class Hosts:
    """Every name of the zone that is meant to answer, and where operators come from."""

    visitors: tuple[str, ...]
    admins: tuple[str, ...]
    ssh: tuple[str, ...]
    others: tuple[str, ...]
    networks: tuple[str, ...]
    bans: str | None = None
    """Name of the list of banned addresses, where there is one."""


@dataclass(frozen=True)
class Rule:
    """A rule of a ruleset. ``ref`` keeps its identity (and its history) when its text changes."""

    ref: str
    description: str
    action: Literal["block", "skip"]
    expression: str


def custom_rules(hosts: Hosts, spare_ssh: bool, plan: Plan) -> tuple[Rule, ...]:
    """Rules of the firewall in their order. Raises ``SettingsError`` where they are more than the plan has."""
    rules = tuple(_custom_rules(hosts, spare_ssh))
    if len(rules) > plan.custom_rules:
        raise SettingsError(f"{len(rules)} firewall rules, but Cloudflare's plan has {plan.custom_rules}")
    return rules


def bans_list(stack: str) -> str:
    """Name of the list of banned addresses. Cloudflare takes letters, digits and underscores."""
    return re.sub(r"[^a-z0-9_]", "_", f"zero_exposure_{stack.lower()}_bans")[:50]


def rate_rule() -> Rule:
    """The rule that every request counts for."""
    return Rule("rate", "Too many requests from one address", "block", expression("rate"))


def _custom_rules(hosts: Hosts, spare_ssh: bool) -> Iterator[Rule]:
    # First: names that must not be told apart get their one answer before any other rule can give another.
    if hosts.admins:
        served = sorted({*hosts.visitors, *hosts.others, *hosts.ssh})
        text = expression("hosts", served=served, admin_hosts=sorted(hosts.admins), networks=hosts.networks)
        yield Rule("hosts", "Names that are not served, admin hosts for strangers", "block", text)
    if hosts.bans:
        text = expression("bans", bans=hosts.bans, networks=hosts.networks)
        yield Rule("bans", "Addresses that intrusion prevention banned", "block", text)
    yield Rule("protocol", "Ports and methods that nothing uses", "block", expression("protocol"))
    yield Rule("hidden-files", "Hidden files and folders", "block", expression("hidden-files"))
    yield Rule("scanners", "Scanners by their own name", "block", expression("scanners"))
    if spare_ssh:
        for index, host in enumerate(hosts.ssh, start=1):
            ref = "ssh" if index == 1 else f"ssh-{index}"
            yield Rule(ref, "No bot challenge for SSH", "skip", expression("ssh", ssh_host=host))


def expression(name: str, **values: object) -> str:
    """The text of one rule on one line. Raises ``SettingsError`` where it is longer than Cloudflare takes."""
    text = " ".join(_templates().get_template(f"{name}.j2").render(values).split())
    if len(text) > MAX_EXPRESSION:
        raise SettingsError(
            f"the firewall rule {name} has {len(text)} characters, Cloudflare takes {MAX_EXPRESSION}: "
            "serve more routes by path and fewer by host name"
        )
    return text


@cache
def _templates() -> Environment:
    environment = templates(Path(__file__).parent / "waf")
    environment.filters |= {"quoted": json.dumps, "set": _set, "addresses": _addresses}
    return environment


def _set(names: Iterable[str]) -> str:
    return "{" + " ".join(json.dumps(name) for name in names) + "}"


def _addresses(networks: Iterable[str]) -> str:
    """Addresses stand in a set without quotes."""
    return "{" + " ".join(networks) + "}"
