"""Real connections out of containers' network namespaces, many at a time."""

import errno
import select
import socket
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Literal

from tests.live.docker.namespace import inside

Target = tuple[str, int]
Result = Literal["open", "refused", "silent", "unreachable"]
"""``open``: somebody accepted. ``refused``: packets got there and nobody listens. ``silent``: no answer at all.
``unreachable``: the kernel knows no way, or was told that there is none."""
REACHED = ("open", "refused")
WAIT = 1.5
"""Seconds that an answer may take; between two containers of one machine it takes less than one thousandth of that."""
AT_ONCE = 400


def probe(netns: str, targets: Iterable[Target]) -> dict[Target, Result]:
    """What becomes of a TCP connection to each target, from the namespace at ``netns``."""
    wanted = sorted(set(targets))
    found: dict[Target, Result] = {}
    for start in range(0, len(wanted), AT_ONCE):
        found |= inside(netns, partial(_probe, wanted[start : start + AT_ONCE]))
    return found


def listening(netns: str) -> set[tuple[str, Target]]:
    """Every socket that takes something from others: ("tcp" or "udp", (address, port))."""
    return inside(netns, lambda: {entry for name in ("tcp", "udp") for entry in _sockets(name)})


def _probe(targets: list[Target]) -> dict[Target, Result]:
    found: dict[Target, Result] = {}
    waiting: dict[int, tuple[socket.socket, Target]] = {}
    poll = select.poll()
    for target in targets:
        wire = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        wire.setblocking(False)
        code = wire.connect_ex(target)
        if code == errno.EINPROGRESS:
            waiting[wire.fileno()] = wire, target
            poll.register(wire, select.POLLOUT)
        else:
            found[target] = _meaning(code)
            wire.close()
    deadline = time.monotonic() + WAIT
    while waiting and (left := deadline - time.monotonic()) > 0:
        for descriptor, _ in poll.poll(left * 1000):
            wire, target = waiting.pop(descriptor)
            poll.unregister(wire)
            found[target] = _meaning(wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            wire.close()
    for wire, target in waiting.values():
        found[target] = "silent"
        wire.close()
    return found


def _meaning(code: int) -> Result:
    if code == 0:
        return "open"
    return "refused" if code == errno.ECONNREFUSED else "silent" if code == errno.ETIMEDOUT else "unreachable"


def _sockets(name: str) -> Iterable[tuple[str, Target]]:
    """From /proc of this thread: it shows the namespace that the thread is in."""
    for suffix in ("", "6"):
        table = Path(f"/proc/thread-self/net/{name}{suffix}").read_text(encoding="ascii")
        for line in table.splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            # 0A: TCP listens. 07: UDP without a peer, which takes from anyone.
            if state in ("0A", "07"):
                address, port = local.split(":")
                yield name, (_address(address), int(port, 16))


def _address(text: str) -> str:
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, b"".join(words))
