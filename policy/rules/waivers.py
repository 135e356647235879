"""The pack's configuration: types that a project allows, and waivers with a reason and a last day."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from .model import PackConfig, PropertyValue, Violation, Waiver
from .options import DYNAMIC
from .table import BY_ID

TYPES_RULE: Final = "type-allowed"
WAIVERS_RULE: Final = "waiver-valid"
MIN_REASON: Final = 10
MAX_DAYS: Final = 366
CLAIM: Final = "Every waiver names a rule that may be waived, a resource, a reason and a last day within a year."
REMEDIATION: Final = "Correct or remove the entry in the pack's configuration."


class ConfigError(ValueError):
    """The pack's configuration can't be read. The message names the entry."""


def from_mapping(config: Mapping[str, PropertyValue]) -> PackConfig:
    """A configuration as in --policy-pack-config, without enforcement levels: rule → its properties.

    Raises ConfigError for an unknown key, a missing reason, a type that is never allowed, or a bad date.
    """
    unknown = set(config) - {TYPES_RULE, WAIVERS_RULE}
    if unknown:
        raise ConfigError(f"{sorted(unknown)[0]} takes no configuration")
    return PackConfig(
        allowed_types=_types(config.get(TYPES_RULE, {}).get("allow") or {}),
        waivers=tuple(_waivers(config.get(WAIVERS_RULE, {}).get("waivers") or [])),
    )


def _types(allowed: Mapping[str, PropertyValue]) -> Mapping[str, str]:
    for token, reason in allowed.items():
        if token in DYNAMIC:
            raise ConfigError(f"{TYPES_RULE}.allow: {token} is never allowed")
        if "*" in token or len(str(reason).strip()) < MIN_REASON:
            raise ConfigError(f"{TYPES_RULE}.allow: {token} needs a reason of {MIN_REASON} characters, and no *")
    return {token: str(reason) for token, reason in allowed.items()}


def _waivers(entries: Iterable[PropertyValue]) -> Iterator[Waiver]:
    for index, entry in enumerate(entries):
        try:
            expires = date.fromisoformat(entry["expires"])
            yield Waiver(entry["rule"], entry["urn"], entry["reason"], expires)
        except (KeyError, TypeError, ValueError):
            path = f"{WAIVERS_RULE}.waivers[{index}]"
            raise ConfigError(f"{path}: needs rule, urn, reason and expires (YYYY-MM-DD)") from None


def apply(violations: Iterable[Violation], config: PackConfig) -> list[Violation]:
    """Violations with the waived ones as advisory."""
    return [_waived(violation, config) for violation in violations]


def _waived(violation: Violation, config: PackConfig) -> Violation:
    for waiver in config.waivers:
        same = (waiver.rule, waiver.urn) == (violation.rule, violation.urn)
        if same and not problem(waiver, config.today):
            message = f"{violation.message} (waived until {waiver.expires}: {waiver.reason})"
            return replace(violation, level="advisory", message=message)
    return violation


def problem(waiver: Waiver, today: date) -> str:
    """What is wrong with a waiver, empty if nothing is."""
    rule = BY_ID.get(waiver.rule)
    if rule is None:
        return "no such rule"
    if not rule.waivable:
        return "this rule can't be waived"
    if not waiver.urn or len(waiver.reason.strip()) < MIN_REASON:
        return f"needs one resource's URN and a reason of {MIN_REASON} characters"
    if waiver.expires < today:
        return f"expired on {waiver.expires}"
    return f"longer than {MAX_DAYS} days" if waiver.expires > today + timedelta(days=MAX_DAYS) else ""


def check(config: PackConfig, urns: Container[str]) -> Iterator[Violation]:
    """One violation for each waiver that is wrong or has expired; an advisory for one of a resource that is gone."""
    for waiver in config.waivers:
        what = problem(waiver, config.today)
        if what:
            yield Violation(WAIVERS_RULE, "high", "", f"waiver of {waiver.rule}: {what}", REMEDIATION)
        elif waiver.urn not in urns:
            message = f"waiver of {waiver.rule}: its resource is not in this stack"
            yield Violation(WAIVERS_RULE, "high", "", message, REMEDIATION, "advisory")
