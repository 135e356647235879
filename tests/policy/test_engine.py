"""What the engine of the rules promises whatever a rule does: doubt denies, errors deny, secrets stay in."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from policy.rules import engine, table, waivers
from policy.rules.engine import check_resource, check_stack
from policy.rules.graph import Stack
from policy.rules.model import UNKNOWN, Finding, PackConfig, Resource, Rule, StackRule, Waiver, has_unknown
from policy.rules.reading import UndecidableError, View
from tests.policy.cases.base import firewall, image

SECRET = "hunter22-hunter22"
HOLDER = Resource("t", "n", "urn", {"config": {"password": SECRET}}, secrets=frozenset({"config"}))


def rule(check: object) -> tuple[dict[str, tuple[Rule, ...]], tuple[Rule, ...]]:
    """A table of one rule."""
    made = Rule("x", "high", "It holds.", "Do it.", "t", ("*",), check)  # type: ignore[arg-type]
    return {}, (made,)


def test_a_rule_that_raises_is_a_violation_that_names_the_rule() -> None:
    def broken(resource: Resource) -> Iterator[str]:
        raise KeyError(SECRET)

    found = check_resource(HOLDER, None, *rule(broken))
    assert [(v.rule, v.blocking) for v in found] == [("x", True)]
    assert "KeyError" in found[0].message
    assert SECRET not in found[0].message


def test_what_a_rule_found_before_it_raised_is_kept() -> None:
    def half(resource: Resource) -> Iterator[str]:
        yield "first"
        yield View(resource.props).text("missing") or str(bool(UNKNOWN))

    first, second = check_resource(HOLDER, None, *rule(half))
    assert first.message == "first"
    assert "could not be evaluated" in second.message


def test_a_stack_rule_that_raises_is_a_violation_of_the_stack() -> None:
    def broken(stack: Stack) -> Iterator[Finding]:
        raise RuntimeError(SECRET)

    made = StackRule("x", "high", "It holds.", "Do it.", "t", broken)
    found = check_stack([HOLDER], None, (made,))
    assert [(v.rule, v.urn, v.blocking) for v in found] == [("x", "", True)]
    assert SECRET not in found[0].message


def test_a_secret_that_a_rule_lets_slip_is_masked() -> None:
    def chatty(resource: Resource) -> Iterator[str]:
        yield f"the password is {resource.props['config']['password']}"

    def chatty_stack(stack: Stack) -> Iterator[Finding]:
        yield Finding("urn", f"the password is {SECRET}")

    assert check_resource(HOLDER, None, *rule(chatty))[0].message == f"the password is {engine.MASK}"
    made = StackRule("x", "high", "It holds.", "Do it.", "t", chatty_stack)
    assert check_stack([HOLDER], None, (made,))[0].message == f"the password is {engine.MASK}"


def test_an_unknown_value_can_be_neither_tested_nor_measured() -> None:
    with pytest.raises(TypeError):
        bool(UNKNOWN)
    with pytest.raises(TypeError):
        len(UNKNOWN)  # type: ignore[arg-type]
    assert has_unknown({"a": [1, {"b": UNKNOWN}]})
    assert not has_unknown({"a": [1, {"b": None}]})
    assert repr(UNKNOWN) == "<unknown>"


@pytest.mark.parametrize("read", ["known", "given", "flag", "text", "number", "items", "texts", "views", "view"])
def test_no_way_of_reading_lets_an_unknown_pass(read: str) -> None:
    with pytest.raises(UndecidableError, match=r"a\.b is unknown"):
        getattr(View({"b": UNKNOWN}, "a"), read)("b")


@pytest.mark.parametrize("read", ["flag", "text", "number", "items", "texts", "views", "view"])
@pytest.mark.parametrize("value", [object(), {1}, ("a",)])
def test_no_way_of_reading_takes_another_type(read: str, value: object) -> None:
    with pytest.raises(UndecidableError):
        getattr(View({"b": value}), read)("b")


def test_configuration_is_read_from_the_engines_form() -> None:
    config = waivers.from_mapping(
        {
            "type-allowed": {"allow": {"aws:s3/bucket:Bucket": "holds build artefacts"}},
            "waiver-valid": {
                "waivers": [{"rule": "image-pinned", "urn": "u", "reason": "no tags there", "expires": "2026-12-31"}]
            },
        }
    )
    assert config.allowed_types == {"aws:s3/bucket:Bucket": "holds build artefacts"}
    assert config.waivers == (Waiver("image-pinned", "u", "no tags there", date(2026, 12, 31)),)


@pytest.mark.parametrize(
    "config",
    [
        {"image-pinned": {"allow": ["latest"]}},
        {"type-allowed": {"allow": {"a:b:C": " "}}},
        {"waiver-valid": {"waivers": [{"rule": "image-pinned"}]}},
        {"waiver-valid": {"waivers": [{"rule": "r", "urn": "u", "reason": "r", "expires": "soon"}]}},
        {"waiver-valid": {"waivers": ["image-pinned"]}},
    ],
)
def test_configuration_that_is_wrong_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(waivers.ConfigError):
        waivers.from_mapping(config)


TODAY = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("rule_id", "urn", "reason", "days", "problem"),
    [
        ("image-pinned", "urn", "the vendor has no tags", 30, ""),
        ("image-pinned", "urn", "the vendor has no tags", 0, ""),
        ("image-pinned", "urn", "the vendor has no tags", -1, "expired on 2025-12-31"),
        ("image-pinned", "urn", "the vendor has no tags", 400, "longer than 366 days"),
        ("image-pinned", "urn", "because", 30, "needs one resource's URN and a reason of 10 characters"),
        ("image-pinned", "", "the vendor has no tags", 30, "needs one resource's URN and a reason of 10 characters"),
        ("no-such-rule", "urn", "the vendor has no tags", 30, "no such rule"),
        ("firewall-no-inbound", "urn", "the vendor has no tags", 30, "this rule can't be waived"),
        ("type-allowed", "urn", "the vendor has no tags", 30, "this rule can't be waived"),
    ],
)
def test_a_waiver_needs_a_rule_a_resource_a_reason_and_a_day(
    rule_id: str, urn: str, reason: str, days: int, problem: str
) -> None:
    waiver = Waiver(rule_id, urn, reason, TODAY + timedelta(days=days))
    assert waivers.problem(waiver, TODAY) == problem
    found = check_stack([HOLDER], PackConfig(waivers=(waiver,), today=TODAY), ())
    assert [(v.rule, v.blocking) for v in found] == ([("waiver-valid", True)] if problem else [])


def test_a_waiver_of_a_resource_that_is_gone_is_told() -> None:
    waiver = Waiver("image-pinned", "gone", "the vendor has no tags", TODAY)
    found = check_stack([HOLDER], PackConfig(waivers=(waiver,), today=TODAY), ())
    assert [(v.rule, v.blocking) for v in found] == [("waiver-valid", False)]


def test_what_opens_a_way_in_can_be_waived_by_nobody() -> None:
    """Rules of the perimeter, whole types, and the isolation of networks."""
    spoiled = firewall(rules=[{"direction": "in"}])
    waiver = Waiver("firewall-no-inbound", spoiled.urn, "just for this demonstration", TODAY)
    found = check_resource(spoiled, PackConfig(waivers=(waiver,), today=TODAY))
    assert [v.rule for v in found if v.blocking] == ["firewall-no-inbound"]
    assert all(not r.waivable for r in table.ALL if r.threat == "perimeter" and r.severity == "critical")


def test_a_waived_violation_is_still_reported() -> None:
    spoiled = image(name="example/api:latest")
    waiver = Waiver("image-pinned", spoiled.urn, "the vendor has no tags", TODAY)
    (found,) = check_resource(spoiled, PackConfig(waivers=(waiver,), today=TODAY))
    assert (found.level, found.blocking) == ("advisory", False)
    assert "the vendor has no tags" in found.message
