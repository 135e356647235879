"""`make destroy`: a stack's end, its data apart. What is protected stays: the server's data volume with the services'
volumes on it, the backups' bucket, and the passwords that open both. A later `up` builds a new server around them.

Exit code: that of `pulumi destroy`.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VOLUME = "docker:index/volume:Volume"
Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
"""Runs the CLI with these words, its output captured."""


def main() -> int:
    """Let go of the services' volumes, and destroy."""
    parser = argparse.ArgumentParser(prog="python -m ops.destroy", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="dev", help="which stack (default: dev)")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    options = parser.parse_args()
    if not options.yes and _answer(f"Destroy {options.stack}? Then write its name: ") != options.stack:
        print("Nothing was destroyed.", file=sys.stderr)
        return 1
    try:
        release(options.stack, _cli)
    except (OSError, subprocess.CalledProcessError) as error:
        print(getattr(error, "stderr", "") or error, file=sys.stderr)
        return 1
    return subprocess.run(["pulumi", *command(options.stack)], cwd=ROOT, check=False).returncode


def _answer(question: str) -> str:
    """Empty where there is nobody to ask."""
    try:
        return input(question)
    except EOFError:
        return ""


def command(stack: str) -> tuple[str, ...]:
    """Words of the CLI that destroy what is not protected."""
    return ("destroy", "--stack", stack, "--yes", "--exclude-protected")


def release(stack: str, run: Run) -> list[str]:
    """Take the protection from the services' volumes; answers their URNs.

    They lie on the server, so as long as they are protected the engine keeps the server for them. Their data is not
    deleted with them: the program retains it, and the volume that they lie on is protected itself. The next `up`
    protects them again. Raises ``CalledProcessError``.
    """
    exported = json.loads(run(["stack", "export", "--stack", stack]).stdout)
    resources = exported["deployment"].get("resources") or []
    volumes = [each["urn"] for each in resources if each["type"] == VOLUME and each.get("protect")]
    for urn in volumes:
        run(["state", "unprotect", urn, "--stack", stack, "--yes"])
    return volumes


def _cli(words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["pulumi", *words], cwd=ROOT, capture_output=True, text=True, check=True)


if __name__ == "__main__":
    sys.exit(main())
