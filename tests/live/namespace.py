"""A network namespace with nothing but loopback, on which a test gives itself any address. It ends with its holder."""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.programs import give_up

ROOT = os.geteuid() == 0
WITHIN = 30.0
"""Seconds, on a machine that others load too."""


class Namespace:
    """A holder process keeps the namespace; every command enters by the holder's process id."""

    def __init__(self, addresses: Iterable[str]) -> None:
        user = [] if ROOT else ["--user", "--map-current-user", "--keep-caps"]
        # Docker gives every container the same setting, so that an unprivileged user may take port 53.
        steps = [
            "ip link set lo up",
            *(f"ip address add {address} dev lo" for address in addresses),
            "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start",
            "echo ready",
            "exec sleep infinity",
        ]
        command = ["unshare", *user, "--net", "--", "sh", "-ec", "\n".join(steps)]
        self.holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if not self.holder.stdout or self.holder.stdout.readline() != "ready\n":
            give_up(f"no network namespace can be made here: {self.holder.communicate()[1].strip()}")

    def enter(self, *command: str, user: str | None = None) -> list[str]:
        """A command inside. ``user`` (uid:gid) has no capability, as in a container; it needs a test run by root."""
        own = ["--user", "--preserve-credentials"] if not ROOT else []
        uid, _, gid = (user or "").partition(":")
        drop = [
            "setpriv",
            f"--reuid={uid}",
            f"--regid={gid}",
            "--clear-groups",
            "--bounding-set=-all",
            "--no-new-privs",
        ]
        prefix = ["nsenter", f"--target={self.holder.pid}", "--net", *own, "--"]
        return [*prefix, *(drop if user and ROOT else []), *command]

    def run(self, *command: str, timeout: float = WITHIN) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(self.enter(*command), capture_output=True, text=True, timeout=timeout, check=False)

    @contextmanager
    def running(self, *command: str, log: IO[str], user: str | None = None) -> Iterator["subprocess.Popen[str]"]:
        """A daemon that is stopped by its process id."""
        process = subprocess.Popen(self.enter(*command, user=user), stdout=log, stderr=log, text=True)
        try:
            yield process
        finally:
            stop(process)

    def close(self) -> None:
        """End the holder, and with it the namespace."""
        stop(self.holder)
        for pipe in (self.holder.stdout, self.holder.stderr):
            if pipe:
                pipe.close()


def stop(process: "subprocess.Popen[Any]", within: float = 10) -> None:
    """End a process by its id; after so many seconds without being asked."""
    process.terminate()
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(within)


def give(folder: Path, user: str) -> None:
    """Make a container's user the owner of a folder and all that is in it, where the test runs as root."""
    uid, _, gid = user.partition(":")
    for path in (folder, *folder.rglob("*")):
        if ROOT:
            os.chown(path, int(uid), int(gid))


def wait_until(condition: Callable[[], bool], log: Path, within: float = WITHIN) -> None:
    """Poll until the condition holds. Raises ``TimeoutError`` with the last lines of a log."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within} s: {log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.02)
