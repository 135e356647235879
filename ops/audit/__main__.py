"""`make audit`: does what is deployed hold what the program promises? Looked at from outside and from inside.

Exit code 0: nothing failed. 1: something did, or the audit could not begin. With --strict 1 also where something could
not be measured.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pulumi
from rich.console import Console

from ops.audit import gather
from ops.audit.live import Live
from ops.audit.report import Report, show
from ops.audit.table import CHECKS
from ops.preview.stackfile import StackFileError
from settings.load import SettingsError

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Measure, write the evidence, show the report, and return the exit code."""
    options = _options()
    errors = Console(stderr=True)
    try:
        outputs = gather.stack_outputs(options.root, options.stack, options.outputs)
        live = gather.live(options.root, options.stack, outputs)
    except (StackFileError, SettingsError, pulumi.RunError, gather.OutputsError, OSError) as error:
        errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    report = audit(live, errors)
    _write(report, options.json or options.root / "build" / f"audit-{options.stack}.json")
    show(report, Console())
    return report.exit_code(options.strict)


def audit(live: Live, progress: Console) -> Report:
    """Run every check, one after another: later ones need what earlier ones left in logs, and none disturbs another."""
    begun, results = datetime.now(UTC), {}
    for check in CHECKS:
        with progress.status(f"{check.id} …"):
            results[check.id] = check.run(live)
    return Report(live.stack, live.settings.target, begun, CHECKS, results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.audit", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="evidence (default: build/audit-STACK.json)")
    parser.add_argument("--outputs", type=Path, metavar="FILE", help="what `pulumi stack output --json` printed")
    parser.add_argument("--strict", action="store_true", help="what could not be measured is a failure too")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of Pulumi.yaml (default: this project)")
    return parser.parse_args()


def _write(report: Report, path: Path) -> None:
    """The evidence, and beside it the report as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    with path.with_suffix(".txt").open("w", encoding="utf-8") as file:
        show(report, Console(file=file, width=140))


if __name__ == "__main__":
    sys.exit(main())
