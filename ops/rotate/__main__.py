"""`make rotate`: lists the secrets that the program makes. `make rotate SECRET=name`: makes that one anew.

Exit code 0: listed, or the engine's own. 1: no such secret, or one that can't be made anew by itself.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import pulumi
from rich.console import Console
from rich.table import Table

from ops.preview.graph import graph
from ops.preview.pack import PackConfigError, pack_arguments
from ops.preview.run import preview
from ops.preview.stackfile import StackFileError
from ops.rotate.secret import Secret, effect, secrets

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """List, or rotate one."""
    parser = argparse.ArgumentParser(prog="python -m ops.rotate", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--secret", metavar="NAME", help="which one; without it all are listed")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    options = parser.parse_args()
    errors = Console(stderr=True)
    try:
        found = _recorded(options.stack)
    except (StackFileError, PackConfigError, pulumi.RunError) as error:
        errors.print(str(error), style="red", markup=False)
        return 1
    if options.secret is None:
        Console().print(_table(found))
        return 0
    secret = found.get(options.secret)
    if secret is None or secret.fixed:
        reason = effect(secret) if secret else f"there is none; there are: {', '.join(found)}"
        errors.print(f"{options.secret}: {reason}", style="red", markup=False, soft_wrap=True)
        return 1
    if shutil.which("pulumi") is None:
        errors.print("pulumi is not on PATH: https://www.pulumi.com/docs/install/", style="red", soft_wrap=True)
        return 1
    Console().print(f"{secret.name}: {effect(secret)}", soft_wrap=True)
    return subprocess.run(command(secret, options.stack, options.yes), cwd=ROOT, check=False).returncode


def command(secret: Secret, stack: str, yes: bool) -> list[str]:
    """A whole `up`, so that everything that holds the value gets the new one in the same run."""
    words = ["pulumi", "up", "--stack", stack, *pack_arguments(ROOT), "--replace", secret.urn]
    return [*words, "--yes", "--non-interactive"] if yes else words


def _recorded(stack: str) -> dict[str, Secret]:
    shown = preview(ROOT, stack)
    return secrets(graph(stack, shown.target, shown.recording, shown.violations, shown.exposure))


def _table(found: dict[str, Secret]) -> Table:
    table = Table("SECRET", "what a new one does", box=None, padding=(0, 1), header_style="bold")
    for secret in found.values():
        table.add_row(secret.name, effect(secret))
    return table


if __name__ == "__main__":
    sys.exit(main())
