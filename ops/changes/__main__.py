"""`python -m ops.changes`: writes docs/changes.md from the real engine's plans. Takes a quarter of an hour."""

import argparse
import shutil
import sys
from pathlib import Path

from ops.changes.cases import load
from ops.changes.plans import PlanError, plans
from ops.changes.table import key, page
from ops.simulated.run import MISSING

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "changes.md"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 without the CLI, where the engine does not plan, and with ``--check`` where the file is old."""
    parser = argparse.ArgumentParser(prog="ops.changes", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 if the file is not current")
    check = parser.parse_args(arguments).check
    if shutil.which("pulumi") is None:
        print(MISSING, file=sys.stderr)
        return 1
    cases, effects = load(), {}
    try:
        for case, effect in plans(ROOT, cases, cases.every):
            effects[key(case)] = effect
            print(f"{key(case)}: {effect.text()}", flush=True)
    except PlanError as error:
        print(error, file=sys.stderr)
        return 1
    text = page(cases, effects)
    if not check:
        FILE.write_text(text, encoding="utf-8")
    elif not FILE.is_file() or FILE.read_text(encoding="utf-8") != text:
        print(f"{FILE.name} is not current: make changes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
