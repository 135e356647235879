"""How this machine gives orders to the Docker Engine of a stack: its own, or the server's over the admin tunnel."""

import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.ssh import connection
from components.tunnel.render import ssh_host
from settings.stack import Settings
from topology.model import Topology


class ReachError(Exception):
    """An order could not be given, or was not carried out. The text is for the operator."""


Reach = Callable[[Sequence[str]], None]
"""Runs a docker command, its output shown as it comes. Raises ``ReachError``."""


@dataclass(frozen=True)
class Local:
    """This machine's Engine."""

    def __call__(self, command: Sequence[str]) -> None:
        """Run it here."""
        _run(["docker", *command], "here", command)


@dataclass(frozen=True)
class Remote:
    """The Engine of the server, by ssh as a deployment uses it; there `docker` has to be, here it need not."""

    ssh_host: str
    host_key: str

    def __call__(self, command: Sequence[str]) -> None:
        """Run it there."""
        order = shlex.join(["docker", *command])
        _run([*connection(self.ssh_host, self.host_key), order], f"on {self.ssh_host}", command)


def reach(stack: str, settings: Settings, topology: Topology) -> Reach:
    """The way to a stack's Engine. Raises ``ReachError`` where the stack is not deployed."""
    if settings.target == "local":
        return Local()
    if settings.is_swarm:
        raise ReachError("with nodes these orders are given by hand, on the machine that has the data: docs/scale.md")
    return Remote(ssh_host(stack, settings.domain, settings.tunnel.ssh_host, topology.hosts), _host_key(stack))


def _host_key(stack: str) -> str:
    command = ["pulumi", "stack", "output", "hostKey", "--stack", stack]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ReachError("the Pulumi CLI is needed: it knows the server's host key") from None
    if done.returncode:
        raise ReachError(f"{shlex.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _run(command: Sequence[str], where: str, order: Sequence[str]) -> None:
    """``where`` and ``order`` are for the message: options of ssh say nothing to an operator."""
    try:
        code = subprocess.run(command, check=False).returncode
    except FileNotFoundError:
        raise ReachError(f"{command[0]} is not on this machine") from None
    if code:
        raise ReachError(f"{where}, this ended with {code}: {shlex.join(['docker', *order])}")
