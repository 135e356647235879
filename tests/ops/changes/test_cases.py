"""Every field of the stack file has a change that is tried, and a row in docs/changes.md."""

import re
from pathlib import Path

import pytest

from ops.changes.cases import Case, edited, example, load
from ops.changes.fields import fields
from settings.load import validate
from topology.plan import plan

ROOT = Path(__file__).parents[3]
CASES = load()
TRIED = [case for case in CASES.every if case.instead is None]
ROW = re.compile(r"^\| `(?P<field>[^`]+)`(?P<what>[^|]*) \| (?P<effect>.+) \|$", re.MULTILINE)


def _rows() -> list[tuple[str, str, str]]:
    text = (ROOT / "docs" / "changes.md").read_text(encoding="utf-8")
    return [(found["field"], found["what"].strip(), found["effect"]) for found in ROW.finditer(text)]


def test_every_field_is_changed_once() -> None:
    assert len(fields()) > 120
    assert sorted(case.field for case in CASES.cases) == sorted(fields())


def test_the_fields_are_those_that_a_person_writes() -> None:
    assert {"host.type", "operators.networks[]", "operators.ssh_keys.*", "services.*.routes[].host"} <= set(fields())


def test_every_field_and_every_entry_has_a_row_in_the_documentation() -> None:
    assert [(field, what) for field, what, _ in _rows()] == [(case.field, case.what or "") for case in CASES.every]


def test_the_documentation_replaces_and_removes_no_data() -> None:
    lost = re.compile(r"(replaced|removed): [^;]*(data volume|\bvolume\b|bucket)")
    assert lost.search("in place: server `x`; replaced: data volume `host-data`")
    wrong = [row for row in _rows() if lost.search(row[2]) and not all("-files-" in word for word in _volumes(row[2]))]
    assert wrong == []


def _volumes(effect: str) -> list[str]:
    """Names of volumes in an effect. Those of files are made anew with every content, by design."""
    return re.findall(r"\bvolume ((?:`[^`]+`(?:, )?)+)", effect)


@pytest.mark.parametrize("case", TRIED, ids=lambda case: f"{case.field} {case.what or ''}".strip())
def test_a_case_is_a_right_stack_file_and_really_a_change(case: Case) -> None:
    base = CASES.base(ROOT, case.base)
    before, after = (validate(values, "zero-exposure") for values in (base, edited(base, case.edits)))
    plan(after)
    assert after != before


def test_an_edit_makes_its_way_and_takes_out() -> None:
    edit = Case(field="edge.min_tls", to="1.3").edits
    changed = edited(example(ROOT, "dev"), edit)
    assert changed["edge"] == {"min_tls": "1.3"}
    assert "edge" not in example(ROOT, "dev")
    assert "min_tls" not in edited(changed, Case(field="edge.min_tls", to=None).edits)["edge"]
