"""Load as cloudflared makes it: kept connections, and a repeat where a kept one turns out to be closed."""

import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.live.gateway.connector import Connection, Connector, compose, edge_headers


@dataclass
class Load:
    """Requests without pause on one target, from a few connections, between ``with`` and its end."""

    connector: Connector
    target: str = "/ok"
    connections: int = 4
    visitor: str = "198.51.100.77"
    statuses: Counter[int] = field(default_factory=Counter)
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for _ in range(self.connections):
            thread = threading.Thread(target=self._run, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self) -> None:
        request = compose("GET", self.target, edge_headers(self.visitor))
        connection: Connection | None = None
        while not self._end.is_set():
            kept = connection is not None
            status = 0
            with suppress(OSError):
                connection = connection or self.connector.connect()
                connection.send(request)
                response = connection.read()
                status = response.status
            if status == 0 and connection is not None:
                connection.wire.close()
                connection = None
                if kept:
                    # A kept connection that the other side has closed: Go's HTTP client asks again on a new one.
                    continue
            elif response.headers.get("connection") == "close" and connection is not None:
                connection.wire.close()
                connection = None
            self.statuses[status] += 1
