"""What all tests share: how they are shared out among processors, and the figures that passed tests leave."""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

# A loaded machine is no failure: no test is judged by its time.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

HERE: Final = Path(__file__).parent
ENGINES: Final = ("docker", "swarm")
"""Both count processes by user for the whole machine, so they take turns."""
FIRST: Final = ("engine", "host", "gateway")
"""What takes longest begins first, so that no processor waits for it at the end."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests with the same running programs stay on one processor, in order; `make test` uses all there are."""
    item.add_marker(pytest.mark.xdist_group(_group(item)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first."""
    items.sort(key=lambda item: _rank(_group(item)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured: passed tests print nothing."""
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport) and report.when == "teardown":
            for name, text in report.user_properties:
                terminalreporter.write_line(f"{name}: {text}")


def _group(item: pytest.Item) -> str:
    parts = item.path.relative_to(HERE).parts
    if parts[0] != "live":
        return "/".join(parts)
    release = getattr(item, "callspec", None)
    if parts[1] == "host" and release:
        return f"host {release.params['suite']}"
    return "engine" if parts[1] in ENGINES else parts[1]


def _rank(group: str) -> int:
    kind = group.partition(" ")[0]
    return FIRST.index(kind) if kind in FIRST else len(FIRST)
