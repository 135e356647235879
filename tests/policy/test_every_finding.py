"""Every finding that a rule can make is made by some case: no line of a rule is there for nothing."""

import ast
import sys
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from policy.rules.engine import check_resource, check_stack
from tests.policy import stacks
from tests.policy.test_rules import CAUGHT, allowing
from tests.policy.test_stack_rules import TABLE

RULES = Path(__file__).resolve().parents[2] / "policy" / "rules"
FOLDER = f"{RULES}/"
SKIPPED = (
    "engine.py",
    "graph.py",
    "model.py",
    "outputs.py",
    "pack.py",
    "reading.py",
    "table.py",
    "waivers.py",
    "wire.py",
)


def findings() -> set[tuple[str, int]]:
    """File and line of each `yield` of a text or a Finding in the rules."""
    return {
        (path.name, node.lineno)
        for path in RULES.glob("*.py")
        if path.name not in SKIPPED
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Yield) and _is_finding(node.value)
    }


def _is_finding(value: ast.expr | None) -> bool:
    called = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "Finding"
    return called or isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and value.value is not None)


@cache
def reached() -> set[tuple[str, int]]:
    """File and line of what runs in the rules while all cases are checked."""
    lines: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(FOLDER) or file.endswith(SKIPPED):
            return None
        if event == "line":
            lines.add((file.removeprefix(FOLDER), frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for _, _, case in CAUGHT:
            check_resource(case, allowing(case))
        check_resource(next(case for rule, _, case in CAUGHT if rule == "type-allowed"))
        for _, _, spoil in TABLE:
            check_stack(spoil(stacks.cloud()))
    finally:
        sys.settrace(before)
    return lines


def test_every_finding_is_made_by_some_case() -> None:
    assert findings() - reached() == set()


def test_the_check_would_miss_a_finding_that_nothing_makes() -> None:
    assert len(findings()) > 100
    assert ("reading.py", 1) not in reached()
