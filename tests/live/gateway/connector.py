"""A stand-in for cloudflared: it speaks to the gateway from the connector's address, with the edge's headers."""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

VISITOR = "198.51.100.7"
OPERATOR = "203.0.113.7"
HOST = "app.example.com"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
"""An ordinary one, so that tests take the way that almost all requests take."""
TIMEOUT = 10.0


@dataclass(frozen=True)
class Response:
    """An answer as it came over the wire. ``status`` is 0 where the connection was closed without one."""

    status: int
    raw_head: bytes = b""
    body: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        """Headers by lower-case name; a header that comes twice is joined by a comma."""
        found: dict[str, str] = {}
        for line in self.raw_head.decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            key = name.strip().lower()
            found[key] = f"{found[key]}, {value.strip()}" if key in found else value.strip()
        return found

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass
class Connection:
    """One connection from the connector to the gateway, kept open as cloudflared keeps its own."""

    gateway: tuple[str, int]
    source: str
    received: bytes = b""
    wire: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.wire = socket.create_connection(self.gateway, TIMEOUT, (self.source, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wire.close()

    def send(self, raw: bytes) -> None:
        """Send bytes as they are. A peer that has hung up is noticed when the answer is read."""
        with contextlib.suppress(OSError):
            self.wire.sendall(raw)

    def read(self, *, head_only: bool = False) -> Response:
        """The next answer; status 0 where the connection ended first."""
        try:
            head = self._until(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            bare = head_only or status in (101, 204, 304)
            return Response(status, head, b"" if bare else self._body(Response(status, head)))
        except (OSError, EOFError):
            return Response(0)

    def _body(self, response: Response) -> bytes:
        headers = response.headers
        if headers.get("transfer-encoding") == "chunked":
            return b"".join(self._chunks())
        if "content-length" in headers:
            return self._exactly(int(headers["content-length"]))
        with contextlib.suppress(EOFError):
            while True:
                self._more()
        return self._exactly(len(self.received))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._until(b"\r\n"), 16):
            yield self._exactly(size)
            self._until(b"\r\n")
        self._until(b"\r\n")

    def _until(self, mark: bytes) -> bytes:
        while mark not in self.received:
            self._more()
        found, _, self.received = self.received.partition(mark)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self.received) < count:
            self._more()
        found, self.received = self.received[:count], self.received[count:]
        return found

    def _more(self) -> None:
        data = self.wire.recv(65536)
        if not data:
            raise EOFError
        self.received += data


def edge_headers(visitor: str = VISITOR, host: str = HOST) -> dict[str, str]:
    """What the edge and cloudflared put on a visitor's request."""
    return {
        "Host": host,
        "CF-Connecting-IP": visitor,
        "CF-Ray": "8f2b00000000abcd-FRA",
        "X-Forwarded-For": visitor,
        "X-Forwarded-Proto": "https",
        "User-Agent": BROWSER,
    }


def compose(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request's bytes; the target goes out exactly as it is."""
    length = {"Content-Length": str(len(body))} if body or method in ("POST", "PUT", "PATCH") else {}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in {**length, **headers}.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@dataclass(frozen=True)
class Connector:
    """The connector's place: its own address and the gateway's."""

    gateway: tuple[str, int]
    source: str

    def connect(self, source: str | None = None) -> Connection:
        """A new connection, by default from the connector's own address."""
        return Connection(self.gateway, source or self.source)

    def ask(
        self,
        target: str = "/",
        method: str = "GET",
        *,
        visitor: str = VISITOR,
        host: str = HOST,
        headers: Mapping[str, str | None] | None = None,
        body: bytes = b"",
        source: str | None = None,
    ) -> Response:
        """One request on a connection of its own. ``headers`` add to the edge's, or take one away with None."""
        merged = {**edge_headers(visitor, host), **(headers or {})}
        kept = {name: value for name, value in merged.items() if value is not None}
        with self.connect(source) as connection:
            connection.send(compose(method, target, kept, body))
            return connection.read(head_only=method == "HEAD")

    def raw(self, sent: bytes, source: str | None = None) -> Response:
        """Any bytes, on a connection of their own that the connector then closes its half of."""
        with self.connect(source) as connection:
            connection.send(sent)
            with contextlib.suppress(OSError):
                connection.wire.shutdown(socket.SHUT_WR)
            return connection.read()
