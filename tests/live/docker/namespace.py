"""Network namespaces: made by name, entered by a thread, taken away again."""

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def namespace(name: str) -> Iterator[str]:
    """A network namespace with loopback up, for as long as the block runs. Yields its path."""
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        yield f"/run/netns/{name}"
    finally:
        run("ip", "netns", "delete", name)


def inside(path: str, act: Callable[[], Result]) -> Result:
    """What ``act`` returns when it runs in the network namespace at ``path``.

    Only a thread of its own enters; a socket that it opens stays in that namespace, whoever uses it later.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_entered, path, act).result()


def _entered(path: str, act: Callable[[], Result]) -> Result:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {path}")
    finally:
        os.close(descriptor)
    return act()


def run(*command: str, text: str | None = None) -> str:
    """Output of a program. Raises ``RuntimeError`` with what it said where it fails."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
