"""The stack's Docker Engine and its host, by the commands `docker` and `ssh`. Nothing here changes anything."""

import io
import json
import shlex
import subprocess
import tarfile
from dataclasses import dataclass
from typing import Any

from ops.audit.result import NotMeasuredError

WITHIN = 120
SSH_FAILED = 255


@dataclass(frozen=True)
class Machine:
    """Where commands run: here, or behind ``ssh``, a command that takes one shell line as its last argument."""

    ssh: tuple[str, ...] = ()

    def run(self, *command: str) -> "subprocess.CompletedProcess[bytes]":
        """Run a command to its end. Raises ``NotMeasuredError`` where it could not be started."""
        line = [*self.ssh, shlex.join(command)] if self.ssh else list(command)
        try:
            done = subprocess.run(line, capture_output=True, timeout=WITHIN, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotMeasuredError(f"{line[0]} can't be run: {error}") from None
        if self.ssh and done.returncode == SSH_FAILED:
            raise NotMeasuredError(f"the server does not answer by SSH: {_last(done.stderr)}")
        return done


@dataclass(frozen=True)
class Engine:
    """``docker`` is the command, with what selects the Engine."""

    machine: Machine = Machine()
    docker: tuple[str, ...] = ("docker",)

    def containers(self) -> list[dict[str, Any]]:
        """What the Engine says of every container, running or not."""
        return self._inspect("container", *self._ids("container", "ls", "--all"))

    def networks(self) -> list[dict[str, Any]]:
        """What it says of every network."""
        return self._inspect("network", *self._ids("network", "ls"))

    def services(self) -> list[dict[str, Any]]:
        """What a manager says of every service of its Swarm."""
        return self._inspect("service", *self._run("service", "ls", "--quiet").decode().split())

    def tasks(self, *services: str) -> list[str]:
        """Ids of the tasks that a manager wants to run."""
        wanted = ("--filter", "desired-state=running", "--quiet", "--no-trunc")
        return self._run("service", "ps", *wanted, *services).decode().split() if services else []

    def configs(self, *names: str) -> list[dict[str, Any]]:
        """What a manager says of files that tasks get. Those that are not there are left out."""
        there = self.named("config").values()
        return self._inspect("config", *(name for name in names if name in there))

    def named(self, kind: str) -> dict[str, str]:
        """Id → name of every ``service``, ``config`` or ``secret`` of a manager's Swarm."""
        lines = self._run(kind, "ls", "--format", "{{.ID}} {{.Name}}").decode().splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def images(self, *identities: str) -> list[dict[str, Any]]:
        """What it says of images."""
        return self._inspect("image", *identities)

    def execute(self, container: str, *command: str) -> str:
        """The output of a command inside a container. Raises ``NotMeasuredError`` where it fails."""
        return self._run("exec", container, *command).decode("utf-8", "replace")

    def attempt(self, container: str, *command: str) -> None:
        """Run a command inside a container, however it ends."""
        self.machine.run(*self.docker, "exec", container, *command)

    def files(self, container: str, folder: str) -> dict[str, bytes]:
        """Every file in a folder of a container, by its name there, in what lies deeper too."""
        found = {}
        with tarfile.open(fileobj=io.BytesIO(self._run("cp", f"{container}:{folder}/.", "-"))) as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if not entry.isdir():
                    found[entry.name.removeprefix("./")] = content.read() if content else b"not a plain file"
        return found

    def _ids(self, *command: str) -> list[str]:
        return self._run(*command, "--quiet", "--no-trunc").decode().split()

    def _inspect(self, kind: str, *identities: str) -> list[dict[str, Any]]:
        return list(json.loads(self._run(kind, "inspect", *identities))) if identities else []

    def _run(self, *arguments: str) -> bytes:
        done = self.machine.run(*self.docker, *arguments)
        if done.returncode:
            raise NotMeasuredError(f"docker {arguments[0]}: {_last(done.stderr)}")
        return done.stdout


def _last(text: bytes) -> str:
    return (text.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1][:200]
