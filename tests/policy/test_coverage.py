"""The document of what is covered is current, and nothing in it points nowhere."""

import re

import pytest

from policy import coverage
from policy.rules import table, types
from tests.policy.pack import ROOT


def test_no_public_rule_points_nowhere() -> None:
    assert coverage.dangling() == []


def test_a_rule_that_points_nowhere_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"a": {"rule": ["no-such-rule"]}, "b": {"says": "x"}, "c": {"why": "y"}}
    monkeypatch.setattr(coverage, "catalogue", lambda: [{"rules": rules}])
    assert coverage.dangling() == ["a: no-such-rule", "b: nothing"]


def test_the_document_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.main(["--check"]) == 0, capsys.readouterr().out


def test_the_two_sections_of_the_benchmark_are_there_in_full() -> None:
    rules = coverage.catalogue()[0]["rules"]
    assert [name for name in rules if name.startswith("5.")] == [f"5.{number}" for number in range(1, 33)]
    assert [name for name in rules if name.startswith("7.")] == [f"7.{number}" for number in range(1, 10)]


def test_every_threat_is_a_section_of_the_threat_model() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert {rule.threat for rule in table.ALL} <= anchors


def test_every_allowed_type_is_guarded_or_says_why_not() -> None:
    guarded = {token for rule in table.RESOURCE_RULES for token in rule.types}
    for token, reason in types.ALLOWED.items():
        named = reason.split(":")[0]
        assert (named in table.BY_ID and token in guarded) or len(reason.split()) > 2, token
