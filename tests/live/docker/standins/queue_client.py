"""A client of NATS JetStream, as far as the worker needs one: https://docs.nats.io/reference/nats-protocol."""

import json
import socket
from typing import Any, BinaryIO
from urllib.parse import urlsplit


class Queue:
    """One connection, used by one thread at a time. Raises ``OSError`` where the server is away."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._wire = socket.create_connection((parts.hostname or "", parts.port or 4222), timeout=10)
        self._stream: BinaryIO = self._wire.makefile("rb")
        self._stream.readline()
        self._inbox = f"_INBOX.{id(self):x}"
        options = {"user": parts.username, "pass": parts.password, "verbose": False, "headers": True}
        self._send(f"CONNECT {json.dumps(options)}\r\nSUB {self._inbox} 1\r\nPING\r\n".encode())
        if self._line() != "PONG":
            raise OSError("the queue did not take the connection")

    def request(self, subject: str, payload: bytes, message_id: str = "") -> tuple[str, str, bytes]:
        """Subject, address to acknowledge at, and payload of the answer to one message."""
        if message_id:
            head = f"NATS/1.0\r\nNats-Msg-Id: {message_id}\r\n\r\n".encode()
            sizes = f"{len(head)} {len(head) + len(payload)}"
            self._send(f"HPUB {subject} {self._inbox} {sizes}\r\n".encode() + head + payload + b"\r\n")
        else:
            self._send(f"PUB {subject} {self._inbox} {len(payload)}\r\n".encode() + payload + b"\r\n")
        return self._message()

    def api(self, subject: str, payload: dict[str, Any]) -> dict[str, Any]:
        """JetStream's answer to a command. Raises ``OSError`` with what it says is wrong."""
        answer: dict[str, Any] = json.loads(self.request(f"$JS.API.{subject}", json.dumps(payload).encode())[2])
        if "error" in answer:
            raise OSError(answer["error"]["description"])
        return answer

    def acknowledge(self, address: str) -> None:
        """Take a message off the stream."""
        self._send(f"PUB {address} 4\r\n+ACK\r\n".encode())

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def _send(self, data: bytes) -> None:
        self._wire.sendall(data)

    def _line(self) -> str:
        """The next line that is not the server's own business."""
        while True:
            raw = self._stream.readline()
            if not raw:
                raise OSError("the queue hung up")
            line = raw.decode().strip()
            if line == "PING":
                self._send(b"PONG\r\n")
            elif line.startswith("-ERR"):
                raise OSError(line)
            elif not line.startswith("INFO"):
                return line

    def _message(self) -> tuple[str, str, bytes]:
        words = self._line().split()
        headed = words[0] == "HMSG"
        size, head = int(words[-1]), int(words[-2]) if headed else 0
        content = self._stream.read(size + 2)[head:-2]
        sized = 2 if headed else 1
        return words[1], words[3] if len(words) > 3 + sized else "", content
