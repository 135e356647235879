"""A client of Redis, as far as the worker needs one: https://redis.io/docs/latest/develop/reference/protocol-spec/."""

import socket
from typing import BinaryIO
from urllib.parse import urlsplit


class Cache:
    """One connection, used by one thread at a time. Raises ``OSError`` where the server is away or refuses."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._wire = socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=5)
        self._stream: BinaryIO = self._wire.makefile("rb")
        self.call("AUTH", parts.username or "default", parts.password or "")

    def call(self, *words: str | bytes) -> bytes | None:
        """The answer to one command."""
        parts = [word.encode() if isinstance(word, str) else word for word in words]
        self._wire.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        line = self._stream.readline().strip()
        if not line or line.startswith(b"-"):
            raise OSError(f"cache: {line.decode()}")
        if not line.startswith(b"$"):
            return line[1:]
        size = int(line[1:])
        return None if size < 0 else self._stream.read(size + 2)[:-2]

    def close(self) -> None:
        """Hang up."""
        self._wire.close()
