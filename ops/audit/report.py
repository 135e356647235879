"""What was found, as JSON for machines and as text for people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.audit.result import Check, Verdict
from ops.audit.score import Results, Row, checklist, metrics

MARKS: dict[Verdict, tuple[str, str]] = {
    "pass": ("✔", "green"),
    "fail": ("✘", "bold red"),
    "not measured": ("?", "yellow"),
    "not applicable": ("-", "dim"),
}


@dataclass(frozen=True)
class Report:
    """One audit. ``begun`` is in UTC."""

    stack: str
    target: str
    begun: datetime
    checks: tuple[Check, ...]
    results: Results

    def count(self, verdict: Verdict) -> int:
        """How many checks ended so."""
        return sum(result.verdict == verdict for result in self.results.values())

    def exit_code(self, strict: bool) -> int:
        """1 where a check failed; with ``strict`` also where one could not be measured."""
        return int(self.count("fail") > 0 or (strict and self.count("not measured") > 0))

    def as_json(self) -> dict[str, Any]:
        """The evidence. Every text in it is fit to be shown to whoever may know the server's address."""
        return {
            "stack": self.stack,
            "target": self.target,
            "begun": self.begun.isoformat(timespec="seconds"),
            "counts": {verdict: self.count(verdict) for verdict in MARKS},
            "checklist": [_row(row) for row in checklist(self.checks, self.results)],
            "metrics": [_row(row) for row in metrics(self.results)],
            "checks": [self._check(check) for check in self.checks],
        }

    def _check(self, check: Check) -> dict[str, Any]:
        result = self.results[check.id]
        return {
            "id": check.id,
            "verdict": result.verdict,
            "items": list(check.items),
            "claim": check.claim,
            "evidence": list(result.evidence),
            "threat": f"docs/threat-model.md#{check.threat}",
            "remediation": check.remediation,
        }


def _row(row: Row) -> dict[str, Any]:
    return {"name": row.name, "verdict": row.verdict, "value": row.shown, "checks": list(row.because)}


def show(report: Report, console: Console) -> None:
    """Checks with their evidence, the metrics, the checklist, and the sum of it."""
    console.print(
        Text.assemble(
            "audit of stack ", (report.stack, "bold"), f", target {report.target}, {report.begun:%Y-%m-%d %H:%M} UTC\n"
        )
    )
    for check in report.checks:
        _show(check, report, console)
    console.print(_table("Metrics", metrics(report.results)))
    console.print(_table("Checklist", checklist(report.checks, report.results)))
    console.print(_verdict(report))


def _show(check: Check, report: Report, console: Console) -> None:
    result = report.results[check.id]
    mark, style = MARKS[result.verdict]
    if result.verdict == "not applicable":
        console.print(Text(f"{mark} {check.id}  {result.evidence[0]}", style), soft_wrap=True)
        return
    console.print(Text.assemble((mark, style), " ", (check.id, "bold"), "  ", check.claim), soft_wrap=True)
    for line in result.evidence:
        console.print(Text(f"    {line}", style="dim" if result.verdict == "pass" else style), soft_wrap=True)
    if result.verdict == "fail":
        console.print(Text(f"    → {check.remediation}", style="cyan"), soft_wrap=True)


def _table(title: str, rows: list[Row]) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", show_header=False, box=None, padding=(0, 1))
    for row in rows:
        mark, style = MARKS[row.verdict]
        because = "" if row.verdict == "pass" else f"{row.verdict}: {', '.join(row.because)}"
        table.add_row(Text(mark, style), row.name, row.shown, Text(because, style))
    return table


def _verdict(report: Report) -> Text:
    counts = ", ".join(f"{report.count(verdict)} {verdict}" for verdict in MARKS)
    style = "bold red" if report.count("fail") else "bold yellow" if report.count("not measured") else "bold green"
    return Text(f"\n{len(report.checks)} checks: {counts}", style=style)
