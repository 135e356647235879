"""docs/changes.md."""

from collections.abc import Mapping

from ops.changes.cases import Case, Cases
from ops.changes.effect import Effect

HEAD = """<!-- Written by `make changes` from the real engine's plans. -->
# What a change of the stack file does

One change of each field, on the running example, and what the real engine plans about it. Other values of a field do
the same, unless a row of [whole entries](#whole-entries) says otherwise. `make preview` shows the plan for your change.

- **in place**: changed where it is. Of a container only `limits.memory` is.
- **replaced**: a container stops and a new one starts, with the same volumes; seconds. The server: three to five
  minutes, with the same volume ([host.md](host.md)). A carrier (`…-carrier`) brings files and never runs.
- **refused**: nothing is done at all, since data would go. [The runbook](runbook.md) has the way.

No change ever replaces or removes the server's data volume, a service's volume or the backups' bucket.
"""


def page(cases: Cases, effects: Mapping[str, Effect]) -> str:
    """The whole file; ``effects`` by ``key``."""
    sections: dict[str, list[str]] = {}
    for case in cases.cases:
        sections.setdefault(case.field.partition(".")[0].removesuffix("[]"), []).append(row(case, effects))
    parts = [HEAD, *(_table(f"`{title}`", "field", rows) for title, rows in sections.items())]
    parts.append(_table("Whole entries", "change", [row(case, effects) for case in cases.entries]))
    return "\n".join(parts)


def key(case: Case) -> str:
    """What names a case."""
    return f"{case.field} {case.what or ''}".strip()


def _table(title: str, first: str, rows: list[str]) -> str:
    return "\n".join([f"## {title}", "", f"| {first} | what the engine does |", "|---|---|", *rows, ""])


def row(case: Case, effects: Mapping[str, Effect]) -> str:
    """A case's line."""
    said = case.instead if case.instead is not None else effects[key(case)].text()
    what = f" {case.what}" if case.what else ""
    return f"| `{case.field}`{what} | {said} |"
