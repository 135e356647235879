"""What Pulumi knows of a stack."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST_KEY = "::host-key"


class StateError(Exception):
    """The state can't be read. The text is the CLI's own."""


@dataclass(frozen=True)
class State:
    """``ids`` are those of everything in it, ``host_key`` is the server's, empty where there is none yet."""

    ids: frozenset[str]
    host_key: str


def state(root: Path, stack: str) -> State:
    """Ask the CLI. Raises ``StateError``."""
    command = ["pulumi", "stack", "export", "--stack", stack, "--cwd", str(root)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        raise StateError("pulumi is not on PATH") from None
    if done.returncode:
        raise StateError(done.stderr.strip())
    resources = json.loads(done.stdout)["deployment"].get("resources") or []
    return State(frozenset(each["id"] for each in resources if each.get("id")), _host_key(resources))


def _host_key(resources: list[dict[str, Any]]) -> str:
    keys = [each["outputs"] for each in resources if each["urn"].endswith(HOST_KEY) and "outputs" in each]
    return str(keys[0]["publicKeyOpenssh"]).strip() if keys else ""
