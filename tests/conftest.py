"""What all tests share: how they are shared out among processors, and the figures that passed tests leave."""

from typing import Any, Final

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # it says nothing of its types

# A loaded machine is no failure: no test is judged by its time.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

ENGINES: Final = ("docker", "swarm")
"""Both count processes by user for the whole machine, so they take turns."""
FIRST: Final = ("engine", "host", "gateway")
"""What takes longest begins first, so that no processor waits for it at the end."""


class Groups(LoadScopeScheduling):  # type: ignore[misc] # the same
    """Tests with the same running programs stay on one processor, in order; `make test` uses all there are."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """In the place of ``--dist loadgroup``, whose groups xdist 3.8 loses with pytest 9.2."""
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first."""
    items.sort(key=lambda item: _rank(_group(item.nodeid)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured: passed tests print nothing."""
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport) and report.when == "teardown":
            for name, text in report.user_properties:
                terminalreporter.write_line(f"{name}: {text}")


def _group(nodeid: str) -> str:
    """By ``tests/live/NAME/test_*.py::…`` its name, a virtual machine's with the release; else the file."""
    path = nodeid.partition("::")[0]
    parts = path.split("/")
    if parts[1] != "live":
        return path
    if parts[2] == "host":
        return f"host {'trixie' if 'trixie' in nodeid else 'bookworm'}"
    return "engine" if parts[2] in ENGINES else parts[2]


def _rank(group: str) -> int:
    kind = group.partition(" ")[0]
    if kind in FIRST:
        return FIRST.index(kind)
    return len(FIRST) + ("/" in group)
