"""Every resource rule catches its cases and lets its other cases pass, at preview and at update alike."""

import itertools

import pytest

from policy.rules import table
from policy.rules.engine import check_resource
from policy.rules.model import PackConfig, Resource, Rule
from tests.policy.cases import cloudflare, docker, hetzner, program, swarm
from tests.policy.cases.base import Cases

CASES: dict[str, Cases] = {**program.CASES, **hetzner.CASES, **docker.CASES, **swarm.CASES, **cloudflare.CASES}
CAUGHT = [(rule, what, case) for rule, cases in CASES.items() for what, case in cases.caught.items()]
PASSES = [(rule, what, case) for rule, cases in CASES.items() for what, case in cases.passes.items()]


def allowing(resource: Resource) -> PackConfig:
    """A project that allows the resource's type: what is left are the rules on it."""
    return PackConfig(allowed_types={resource.type: "allowed so that its rules are seen"})


@pytest.mark.parametrize(("rule", "what", "case"), CAUGHT, ids=[f"{rule}: {what}" for rule, what, _ in CAUGHT])
def test_is_caught(rule: str, what: str, case: Resource) -> None:
    config = PackConfig() if rule == "type-allowed" else allowing(case)
    found = {violation.rule: violation for violation in check_resource(case, config)}
    assert rule in found
    assert found[rule].blocking
    assert found[rule].urn == case.urn
    assert found[rule].remediation


@pytest.mark.parametrize(("rule", "what", "case"), PASSES, ids=[f"{rule}: {what}" for rule, what, _ in PASSES])
def test_passes(rule: str, what: str, case: Resource) -> None:
    assert check_resource(case, allowing(case)) == []


def test_every_rule_has_cases() -> None:
    assert set(CASES) == {rule.id for rule in table.RESOURCE_RULES}
    assert all(cases.caught for cases in CASES.values())


@pytest.mark.parametrize("off", table.RESOURCE_RULES, ids=lambda rule: rule.id)
def test_a_rule_that_is_switched_off_is_missed(off: Rule) -> None:
    """The mutation check: without the rule its cases are no longer caught by it, and nothing else stands in."""
    kept = tuple(rule for rule in table.RESOURCE_RULES if rule is not off)
    by_type, for_all = table.by_type(kept), tuple(rule for rule in kept if rule.types == ("*",))
    missed = [
        case
        for case in CASES[off.id].caught.values()
        if not any(v.rule == off.id for v in check_resource(case, allowing(case), by_type, for_all))
    ]
    silent = [
        case for case in CASES[off.id].caught.values() if not check_resource(case, allowing(case), by_type, for_all)
    ]
    assert missed
    assert silent or off.id in STANDS_BESIDE


STANDS_BESIDE = {
    "type-allowed": "its cases are of types that are allowed here",
    "service-no-ports": "a service without a specification breaks the other rules on services too",
}
"""Rules whose cases are all caught by a second rule as well, and why."""


def test_ids_and_threats_are_well_formed() -> None:
    ids = [rule.id for rule in table.ALL]
    assert len(ids) == len(set(ids))
    assert all(rule.claim.endswith(".") and rule.remediation.endswith(".") for rule in table.ALL)
    assert all(rule.threat == rule.threat.lower() and " " not in rule.threat for rule in table.ALL)


def test_the_same_table_is_found_by_type_and_in_full() -> None:
    found = set(itertools.chain.from_iterable(table.BY_TYPE.values())) | set(table.FOR_ALL_TYPES)
    assert {rule.id for rule in found} == {rule.id for rule in table.RESOURCE_RULES}
