"""Runs the rule table over resources and stacks. A rule that raises is a violation that names the rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from . import graph, score, waivers
from .model import UNKNOWN, Exposure, Finding, PackConfig, Resource, Rule, StackRule, Violation, leaves
from .reading import UndecidableError
from .secrets import is_secret
from .table import BY_TYPE, FOR_ALL_TYPES, STACK_RULES

MASK: Final = "[secret]"
MIN_MASKED: Final = 4


def check_resource(
    resource: Resource,
    config: PackConfig | None = None,
    rules: Mapping[str, tuple[Rule, ...]] = BY_TYPE,
    for_all: tuple[Rule, ...] = FOR_ALL_TYPES,
) -> list[Violation]:
    """Every violation of the resource rules, the waived ones among them as advisory."""
    config = config or PackConfig()
    found: list[Violation] = []
    for rule in rules.get(resource.type, for_all):
        if rule.id != waivers.TYPES_RULE or resource.type not in config.allowed_types:
            found.extend(_run(rule, resource))
    return waivers.apply(found, config) if found else found


def check_stack(
    resources: Iterable[Resource],
    config: PackConfig | None = None,
    rules: tuple[StackRule, ...] = STACK_RULES,
) -> list[Violation]:
    """Every violation of the stack rules and the checklist. Only those with `blocking` may stop a run."""
    config = config or PackConfig()
    stack = graph.build(resources)
    found = [violation for rule in rules for violation in _run_on_stack(rule, stack)]
    return [*waivers.apply(found, config), *waivers.check(config, stack.by_urn)]


def exposure(resources: Iterable[Resource]) -> Exposure:
    """The score: four metrics and the checklist with evidence, computed from the graph."""
    return score.score(graph.build(resources))


def _run(rule: Rule, resource: Resource) -> Iterator[Violation]:
    try:
        for message in rule.check(resource):
            yield _violation(rule, resource.urn, _masked(message, resource))
    except UndecidableError as doubt:
        yield _violation(rule, resource.urn, _masked(str(doubt), resource))
    except Exception as error:
        yield _violation(rule, resource.urn, _failure(error))


def _run_on_stack(rule: StackRule, stack: graph.Stack) -> Iterator[Violation]:
    try:
        for finding in rule.check(stack):
            yield _violation(rule, finding.urn, _masked_in(finding, stack))
    except Exception as error:
        yield _violation(rule, "", _failure(error))


def _failure(error: Exception) -> str:
    """The kind of error alone: its text could hold a value."""
    return f"the rule could not be evaluated ({type(error).__name__}), so nothing vouches for this"


def _violation(rule: Rule | StackRule, urn: str, message: str) -> Violation:
    return Violation(rule.id, rule.severity, urn, message, rule.remediation, rule.level)


def _masked_in(finding: Finding, stack: graph.Stack) -> str:
    resource = stack.by_urn.get(finding.urn)
    return _masked(finding.message, resource) if resource else finding.message


def _masked(message: str, resource: Resource) -> str:
    """Rules write paths, not values. Should one slip, no secret leaves with it."""
    if not resource.secrets:
        return message
    for path, value in leaves(resource.props):
        text = "" if value is UNKNOWN or value is None or isinstance(value, bool) else str(value)
        if len(text) >= MIN_MASKED and text in message and is_secret(path, resource.secrets):
            message = message.replace(text, MASK)
    return message
