"""What the kernel says of a container's processes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.live.docker.deployed import Deployed

CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


@dataclass(frozen=True)
class Process:
    """One process, from the host's point of view."""

    pid: int
    status: dict[str, str]
    command: str
    environment: str

    @property
    def capabilities(self) -> int:
        """Every capability that it has, could get, or could hand on, as bits."""
        found = 0
        for name in CAPABILITIES:
            found |= int(self.status[name], 16)
        return found

    @property
    def uids(self) -> set[int]:
        """Real, effective, saved and file system user."""
        return {int(uid) for uid in self.status["Uid"].split()}


@dataclass(frozen=True)
class Mount:
    """One mount of a container."""

    path: str
    kind: str
    options: tuple[str, ...]


def processes(stack: Deployed, node: str) -> list[Process]:
    """Every process of a container that is there now."""
    return [found for pid in pids(stack, node) if (found := _process(pid))]


def pids(stack: Deployed, node: str) -> list[int]:
    """Process ids in a container's control group."""
    group = next(
        line.split(":", 2)[2] for line in _text(f"/proc/{stack.pid(node)}/cgroup").splitlines() if ":pids:" in line
    )
    return [int(pid) for pid in _text(f"/sys/fs/cgroup/pids{group}/cgroup.procs").split()]


def mounts(stack: Deployed, node: str) -> Iterator[Mount]:
    """Everything that is mounted in a container."""
    for line in _text(f"/proc/{stack.pid(node)}/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        yield Mount(left.split()[4], right.split()[0], tuple(left.split()[5].split(",")))


def _process(pid: int) -> Process | None:
    """None where it ended meanwhile."""
    try:
        lines = [line.partition(":") for line in _text(f"/proc/{pid}/status").splitlines()]
        status = {name: value.strip() for name, _, value in lines}
        return Process(pid, status, _text(f"/proc/{pid}/cmdline"), _text(f"/proc/{pid}/environ"))
    except OSError:
        return None


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace")
