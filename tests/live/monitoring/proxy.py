"""A stand-in for the egress proxy: takes CONNECT, notes for what, and leads all of them to one port of this machine."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """``asked`` are the first lines of requests."""

    asked: list[str] = field(default_factory=list)

    @contextmanager
    def leading_to(self, port: int) -> Iterator[int]:
        """Yields the proxy's own port."""
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, args=(listener, port), daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.close()

    def _serve(self, listener: socket.socket, port: int) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(4096)
            self.asked.append(request.decode().splitlines()[0].rpartition(" ")[0])
            server = socket.create_connection(("127.0.0.1", port))
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_forward, args=(source, sink), daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
