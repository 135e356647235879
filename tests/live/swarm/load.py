"""Visitors who keep asking while something is broken or changed, and remember what they were told."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from tests.live.docker.edge import Answer, Edge

HOST = "api.example.net"
PATIENCE = 20.0
"""Seconds that a visitor waits for an answer."""
NETWORK = "192.88.101"
"""First three numbers of the visitors' addresses. Each has its own: where a gateway is lost, one address that asks for
all of them is over its limit, and banned for going on."""


@dataclass
class Load:
    """Runs for as long as the block: ``readers`` ask, and one writes. ``kept`` are ids that the API said it has."""

    edge: Edge
    known: str
    readers: int = 4
    pause: float = 0.05
    reads: list[tuple[float, Answer]] = field(default_factory=list)
    writes: list[Answer] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        visitors = [f"{NETWORK}.{number}" for number in range(1, self.readers + 2)]
        acts = [*(self._read for _ in range(self.readers)), self._write]
        self._threads = [threading.Thread(target=act, args=(who,)) for act, who in zip(acts, visitors, strict=True)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def failed(self) -> list[Answer]:
        """Reads that got no proper answer."""
        return [answer for _, answer in self.reads if answer.status != 200]

    @property
    def share_failed(self) -> float:
        """Of all reads."""
        return len(self.failed) / len(self.reads)

    def _read(self, visitor: str) -> None:
        path = f"/rpc/status?id={self.known}"
        while not self._over.wait(self.pause):
            answer = self.edge.request("GET", HOST, path, visitor=visitor, within=PATIENCE)
            self.reads.append((time.monotonic(), answer))

    def _write(self, visitor: str) -> None:
        while not self._over.wait(self.pause):
            body = f"note {time.time_ns()}".encode()
            answer = self.edge.request("POST", HOST, "/rpc/upload", body, visitor=visitor, within=PATIENCE)
            self.writes.append(answer)
            if answer.status == 200:
                self.kept.append(str(json.loads(answer.body)))
