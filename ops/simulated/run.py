"""One command of the real CLI against the simulated clouds."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ops.destroy.__main__ import command as destroy
from ops.destroy.__main__ import release
from ops.preview.pack import pack_arguments
from ops.simulated.clouds import Clouds, clouds
from ops.simulated.guard import check, environment
from ops.simulated.project import copy_project, read_stack

NO_WAY_OUT = ("--exclude", "**::networks-egress", "--exclude-dependents")
"""For a real Engine: leaves out the one network that leads out, and with it whoever is on it. What runs here reaches no
real cloud."""
ON_THE_SWARM = ("--exclude", "**docker:index/**", "--exclude-dependents")
"""For a stack of many machines: that they join is only said here, so nothing stands on them."""
REAL, SIMULATED = "real", "simulated"
MISSING = "pulumi is not on PATH. Install it: https://www.pulumi.com/docs/install/"


class RealEngineError(Exception):
    """The containers of this simulation are on a real Engine. The text says what to do."""


class MissingCliError(Exception):
    """There is no Pulumi CLI. The text says where to get it."""


@dataclass(frozen=True)
class Simulation:
    """A stack's simulated world: the copied project, Pulumi's state, and the clouds' state, all in ``folder``."""

    root: Path
    stack: str
    folder: Path
    caller: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def project(self) -> Path:
        """The copy."""
        return self.folder / "project"

    @property
    def backend(self) -> Path:
        """Pulumi's own state."""
        return self.folder / "state"

    def values(self) -> dict[str, Any]:
        """The stack's configuration; raises ``StackError``."""
        return read_stack(self.root, self.stack)

    def prepare(self, real_engine: bool | None = None) -> None:
        """Copy the program as it is now. ``real_engine`` decides what else ``has_engine`` would find out."""
        self.backend.mkdir(parents=True, exist_ok=True)
        if real_engine is not None:
            self._decided.write_text(REAL if real_engine else SIMULATED, encoding="utf-8")
        copy_project(self.root, self.project, self.stack)

    def environment(self, served: Clouds) -> dict[str, str]:
        """What the CLI runs with."""
        engine = "" if self.has_engine() else served.engine_endpoint
        return environment(served.hetzner_endpoint, served.cloudflare_endpoint, engine, self.backend, self.caller)

    def run(self, command: str) -> tuple[int, Clouds]:
        """Run ``preview``, ``up`` or ``destroy``; answers the CLI's exit code. Raises ``MissingCliError``."""
        self._need_cli()
        self.prepare()
        with clouds([self.values()], self.folder) as served:
            made = self.environment(served)
            if code := self._pulumi(made, "stack", "select", "--create", self.stack):
                return code, served
            if command == "destroy":
                release(self.stack, partial(self._asked, made))
            for arguments in self._commands(command):
                if code := self._pulumi(made, *arguments):
                    return code, served
        return 0, served

    def run_beside(self, *words: str) -> tuple[int, Clouds]:
        """Run any other command in the copy, such as ``make drift``; answers its exit code.

        Raises ``MissingCliError``, and ``RealEngineError``: such a command could start on a real Engine what leads out.
        """
        self._need_cli()
        if self._decided.exists() and self.has_engine():
            raise RealEngineError(f"{self.stack} was simulated with this machine's Docker Engine: make clean, and anew")
        self.prepare(real_engine=False)
        with clouds([self.values()], self.folder) as served:
            made = self.environment(served)
            if code := self._pulumi(made, "stack", "select", "--create", self.stack):
                return code, served
            own = {**made, "STACK": self.stack}
            return subprocess.run(words, cwd=self.project, env=own, check=False).returncode, served

    def _need_cli(self) -> None:
        if shutil.which("pulumi", path=self.caller.get("PATH")) is None:
            raise MissingCliError(MISSING)

    def _commands(self, command: str) -> list[tuple[str, ...]]:
        """The pack judges the whole program in a preview; what is left out then would be missed by its stack rules."""
        stack = ("--stack", self.stack)
        if command == "destroy":
            return [destroy(self.stack)]
        preview = ("preview", *stack, *pack_arguments(self.root))
        return [preview, ("up", *stack, "--yes", "--skip-preview", *self.left_out())] if command == "up" else [preview]

    def left_out(self) -> tuple[str, ...]:
        """Arguments of ``up`` that leave out what shall not run on a real Engine here, or has no Swarm to run on."""
        if "nodes" in self.values():
            return ON_THE_SWARM
        return NO_WAY_OUT if self.has_engine() else ()

    def has_engine(self) -> bool:
        """Does a Docker Engine of this machine take the containers? Decided once: the state knows what is on it."""
        if not self._decided.exists():
            self._decided.write_text(REAL if self._engine_answers() else SIMULATED, encoding="utf-8")
        return self._decided.read_text(encoding="utf-8") == REAL

    @property
    def _decided(self) -> Path:
        return self.folder / "engine"

    def _engine_answers(self) -> bool:
        docker = shutil.which("docker", path=self.caller.get("PATH"))
        command = [docker or "docker", "version"]
        return (
            docker is not None
            and not subprocess.run(command, env=dict(self.caller), capture_output=True, check=False).returncode
        )

    def _pulumi(self, made: dict[str, str], *arguments: str) -> int:
        """The endpoints are checked before every call."""
        check(made)
        command = ["pulumi", *arguments, "--non-interactive"]
        return subprocess.run(command, cwd=self.project, env=made, check=False).returncode

    def _asked(self, made: dict[str, str], words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """The same with the output captured; raises ``CalledProcessError``."""
        check(made)
        return subprocess.run(
            ["pulumi", *words], cwd=self.project, env=made, capture_output=True, text=True, check=True
        )
