"""`python -m ops.preview --stack dev`: what would be deployed, and whether it may be.

Exit code 0: may be deployed. 1: a policy violation, or a stack file that is not right.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pulumi
from rich.console import Console

from ops.preview.files import write
from ops.preview.pack import PackConfigError, pack_arguments
from ops.preview.plain import refuse_unencrypted
from ops.preview.run import Preview, preview, to_json
from ops.preview.show import show
from ops.preview.stackfile import StackFileError, stack_values
from settings.credentials import missing_tokens

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the preview that the arguments ask for and return the exit code."""
    options = _options()
    errors = Console(stderr=True)
    try:
        refuse_unencrypted(options.root, options.stack)
        if options.engine and _engine_is_there(options.root, options.stack):
            return _engine(options.root, options.stack)
        with errors.status(f"Running the program for stack {options.stack} …"):
            result = preview(options.root, options.stack)
    except (StackFileError, PackConfigError, pulumi.RunError) as error:
        errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    _output(result, options)
    return 1 if result.blocked else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.preview", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the recorded graph")
    parser.add_argument("--render", type=Path, metavar="DIR", help="write every file that would be put anywhere")
    parser.add_argument(
        "--engine", action="store_true", help="run `pulumi preview` where CLI and credentials are there"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of Pulumi.yaml (default: this project)")
    return parser.parse_args()


def _output(result: Preview, options: argparse.Namespace) -> None:
    show(result, Console())
    if options.json:
        options.json.write_text(to_json(result.graph), encoding="utf-8")
    if options.render:
        Console().print(f"{write(result.recording, options.render)} files written to {options.render}")


def _engine_is_there(root: Path, stack: str) -> bool:
    """The CLI is on PATH, and the tokens that this stack needs are set."""
    values = stack_values(root, stack)
    local = any(key.endswith(":target") and value == "local" for key, value in values.items())
    return shutil.which("pulumi") is not None and (local or not missing_tokens(values, os.environ))


def _engine(root: Path, stack: str) -> int:
    command = ["pulumi", "preview", "--stack", stack, *pack_arguments(root)]
    return subprocess.run(command, cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
