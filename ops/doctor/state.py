"""What the Pulumi CLI needs to read the stack's secrets."""

import os
from pathlib import Path

from ops.doctor.finding import Finding, ok, wrong

VARIABLES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def passphrase(root: Path, stack: str) -> Finding:
    """A stack file with an ``encryptionsalt`` is opened by a passphrase; an empty one counts, an unset one does not."""
    path = root / f"Pulumi.{stack}.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    salted = any(line.startswith("encryptionsalt:") for line in text.splitlines())
    if not salted or any(variable in os.environ for variable in VARIABLES):
        return ok("passphrase", "given" if salted else "not needed by this stack file")
    return wrong("passphrase", "the stack's secrets are encrypted with one", f"Set {VARIABLES[0]} or {VARIABLES[1]}.")
