"""A network of the test's own: one cable between this machine and the guest, with no way out."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

GUEST4, GUEST6 = "198.51.100.10", "2001:db8:7::10"
HERE4, HERE6 = "198.51.100.1", "2001:db8:7::1"
GUEST_ADDRESSES: Final = (GUEST4, GUEST6)
METADATA: Final = "169.254.169.254"
PRIVATE: Final = "10.9.9.9"
"""A host on another private network of the provider."""
GUEST_MAC: Final = "52:54:00:00:00:10"
TAP: Final = "tap0"
GUEST_CONFIG: Final = f"""\
version: 2
ethernets:
  eth0:
    match: {{macaddress: "{GUEST_MAC}"}}
    set-name: eth0
    addresses: [{GUEST4}/24, "{GUEST6}/64"]
    gateway4: {HERE4}
    nameservers: {{addresses: [{HERE4}]}}
"""
"""For cloud-init. The gateway is this machine's end, so whatever leaves the guest is seen on the cable."""


class Network:
    """A network namespace with one tap device."""

    def __init__(self, name: str) -> None:
        self.name = name

    def command(self, *command: str | Path) -> list[str]:
        """The same command, run in the namespace."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def run(self, *command: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command in the namespace to its end."""
        return subprocess.run(
            self.command(*command),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    @contextmanager
    def running(self, *command: str | Path, output: Path) -> Iterator[None]:
        """A command that runs in the namespace meanwhile; its output goes to a file."""
        with output.open("w") as file:
            process = self._start(command, file)
            try:
                yield
            finally:
                process.terminate()
                process.wait(10)

    def _start(self, command: tuple[str | Path, ...], file: IO[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command(*command), stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)


@contextmanager
def network(name: str) -> Iterator[Network]:
    """Make the namespace, and take it away again."""
    _ip("netns", "add", name)
    try:
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "tuntap", "add", "dev", TAP, "mode", "tap")
        _ip("-n", name, "link", "set", TAP, "address", "02:00:00:00:00:01")
        _ip("-n", name, "addr", "add", f"{HERE4}/24", "dev", TAP)
        for address in (METADATA, PRIVATE):
            _ip("-n", name, "addr", "add", f"{address}/32", "dev", TAP)
        _ip("-n", name, "addr", "add", f"{HERE6}/64", "dev", TAP, "nodad")
        # A scan is one burst: the queue holds all of it until an emulated guest gets there.
        _ip("-n", name, "link", "set", TAP, "txqueuelen", "300000", "up")
        yield Network(name)
    finally:
        _ip("netns", "del", name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def wait_for(condition: Callable[[], bool], what: str, seconds: float, every: float = 0.5) -> float:
    """Poll until a condition holds. Returns how long that took; emulation is slow, so limits are generous."""
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        if condition():
            return time.monotonic() - start
        time.sleep(every)
    raise TimeoutError(f"{what}: not within {seconds:.0f} s")
