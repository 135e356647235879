"""Everything that an audit starts from: stack file, program, outputs, tokens, and the way to the server."""

import json
import os
import runpy
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.ssh import connection
from ops.audit.engine import Engine, Machine
from ops.audit.live import Live
from ops.doctor import api
from ops.doctor.tools import output
from ops.preview.record import Recording, record
from ops.preview.stackfile import project_name, stack_values
from settings.load import load
from settings.stack import Settings
from topology.plan import plan

PROGRAM = Path(__file__).resolve().parents[2] / "__main__.py"


class OutputsError(Exception):
    """What is deployed can't be told. The text says why."""


def live(root: Path, stack: str, outputs: Mapping[str, Any]) -> Live:
    """A deployed stack. Raises ``StackFileError`` or ``SettingsError`` where the stack file is not right."""
    settings = settings_of(root, stack)
    tokens = {"hetzner": token("HCLOUD_TOKEN", "hcloud:token", root, stack)}
    tokens |= {"cloudflare": token("CLOUDFLARE_API_TOKEN", "cloudflare:apiToken", root, stack)}
    return Live(
        stack=stack,
        settings=settings,
        topology=plan(settings),
        recording=program(root, stack),
        outputs=outputs,
        engine=_engine(outputs) if settings.target == "cloud" and not settings.is_swarm else Engine(),
        engines=_engines(settings, outputs),
        hetzner_api=api.hetzner(tokens["hetzner"]) if tokens["hetzner"] else None,
        cloudflare_api=api.cloudflare(tokens["cloudflare"]) if tokens["cloudflare"] else None,
    )


def settings_of(root: Path, stack: str) -> Settings:
    """The stack file's settings. Raises ``StackFileError`` or ``SettingsError``."""
    return load(stack_values(root, stack), project_name(root))


def program(root: Path, stack: str) -> Recording:
    """The program's own graph. What only a cloud or a random generator could know is unknown in it, and so is
    everything that is made of it."""

    def run() -> None:
        runpy.run_path(str(PROGRAM), run_name="__main__")

    return record(
        run,
        project=project_name(root),
        stack=stack,
        preview=True,
        config=stack_values(root, stack),
        outputs=lambda _token, _name, _inputs: {},
    )


def stack_outputs(root: Path, stack: str, file: Path | None) -> dict[str, Any]:
    """The stack's outputs, secrets left out: from a file, or from the Pulumi CLI. Raises ``OutputsError``."""
    if file is not None:
        return _parsed(file.read_text(encoding="utf-8"), str(file))
    command = ["pulumi", "stack", "output", "--json", "--stack", stack, "--cwd", str(root)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        raise OutputsError(
            "pulumi is not on PATH. Elsewhere: pulumi stack output --json > FILE; then here --outputs FILE"
        ) from None
    if done.returncode:
        raise OutputsError(f"pulumi stack output: {done.stderr.strip()}")
    return _parsed(done.stdout, "pulumi stack output")


def _parsed(text: str, place: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise OutputsError(f"{place}: {error}") from None
    if not isinstance(found, dict):
        raise OutputsError(f"{place}: a map of outputs is needed")
    return found


def _engines(settings: Settings, outputs: Mapping[str, Any]) -> dict[str, Engine]:
    """Those of a Swarm, each behind its own admin tunnel."""
    return {machine.name: _engine(outputs, machine.name) for machine in settings.machines}


def _engine(outputs: Mapping[str, Any], machine: str = "") -> Engine:
    """The server's, as the program itself reaches it. Without these outputs no look inside succeeds."""
    return Engine(Machine(tuple(connection(*ssh_of(outputs, machine)))))


def ssh_of(outputs: Mapping[str, Any], machine: str = "") -> tuple[str, str]:
    """Host name and host key of the server, or of a Swarm's machine; empty where nothing is deployed there."""
    if machine:
        hosts, keys = (outputs.get(name) or {} for name in ("sshHosts", "hostKeys"))
        return str(hosts.get(machine, "")), str(keys.get(machine, ""))
    return str(outputs.get("sshHost", "")), str(outputs.get("hostKey", ""))


def token(variable: str, key: str, root: Path, stack: str) -> str | None:
    """From the environment, or from the stack's encrypted configuration. It is handed on, never shown."""
    return os.environ.get(variable) or output("pulumi", "config", "get", key, "--stack", stack, "--cwd", str(root))
