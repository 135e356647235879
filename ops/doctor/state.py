"""What the Pulumi CLI needs to find the stack's state, and to read its secrets."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ops.doctor.finding import Finding, ok, unknown, wrong

VARIABLES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def passphrase(root: Path, stack: str) -> Iterator[Finding]:
    """A stack file with an ``encryptionsalt`` is opened by a passphrase; an empty one counts, an unset one does not.

    Nothing where there is no such file.
    """
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        return
    salted = any(line.startswith(b"encryptionsalt:") for line in path.read_bytes().splitlines())
    if not salted or any(variable in os.environ for variable in VARIABLES):
        yield ok("passphrase", "given" if salted else "not needed by this stack file")
    else:
        yield wrong(
            "passphrase", "the stack's secrets are encrypted with one", f"Set {VARIABLES[0]} or {VARIABLES[1]}."
        )


def backend(root: Path, stack: str) -> Iterator[Finding]:
    """Whether the CLI is logged in, and knows the stack. Nothing where there is no CLI."""
    command = ["pulumi", "stack", "--stack", stack, "--show-name", "--non-interactive", "--cwd", str(root)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return
    said = done.stderr.strip()
    if done.returncode == 0:
        yield ok("stack", f"{stack} is there")
    elif "no stack named" in said:
        yield wrong("stack", f"Pulumi's backend has none called {stack}", f"Run: pulumi stack init {stack}")
    elif "login" in said:
        yield wrong("Pulumi backend", "not logged in", "Run: pulumi login, or pulumi login file://FOLDER; README.md.")
    else:
        yield unknown("Pulumi backend", said or "no answer", "Try: pulumi whoami")
