"""Cloudflare's edge as far as the tunnel sees it: takes connectors' lines, and sends visitors' requests down them."""

import http.client
import queue
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.preview.record import Recording

VISITOR, OPERATOR = "192.88.99.7", "203.0.113.7"
"""Addresses outside of, and within, the example's ``operators.networks``."""
STRANGERS = "192.88.100"
"""First three numbers of addresses that knock where they should not. CrowdSec bans who does so five times."""
TUNNEL_DOWN = 530
"""What Cloudflare answers where no connector is there."""
CONFIG = "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig"


@dataclass(frozen=True)
class Answer:
    """What a visitor gets."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Edge:
    """``ingress`` is the app tunnel's: host → service, with the catch-all under the empty host."""

    listener: socket.socket
    tunnel: str
    ingress: Mapping[str, str]
    _lines: "queue.Queue[socket.socket]" = field(default_factory=queue.Queue)

    def start(self) -> None:
        """Take connectors' lines until the listener is closed."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            _keep_alive(line)
            if line.recv(100).decode().strip() == self.tunnel:
                self._lines.put(line)
            else:
                line.close()

    def request(
        self,
        method: str,
        host: str,
        path: str,
        body: bytes = b"",
        visitor: str = VISITOR,
        within: float = 10.0,
        routed_as: str = "",
    ) -> Answer:
        """One visitor's request. ``within``: seconds to wait for a connector. ``routed_as``: another host's way."""
        service = self.ingress.get(routed_as or host, self.ingress[""])
        if service.startswith("http_status:"):
            return Answer(int(service.partition(":")[2]))
        raw = f"{service}\n".encode() + _raw(method, host, path, body, visitor)
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            try:
                line = self._lines.get(timeout=0.5)
            except queue.Empty:
                continue
            answer = _exchange(line, raw, method)
            if answer:
                return answer
        return Answer(TUNNEL_DOWN)


def edge_of(recording: Recording, listener: socket.socket) -> Edge:
    """The edge that the recorded tunnel makes."""
    return Edge(listener, str(_config(recording)["tunnelId"]), ingress_of(recording))


def ingress_of(recording: Recording) -> dict[str, str]:
    """What the recorded tunnel configuration serves."""
    rules = _config(recording)["config"]["ingresses"]
    return {rule.get("hostname", ""): rule["service"] for rule in rules}


def _config(recording: Recording) -> Mapping[str, Any]:
    return next(found for found in recording.of_type(CONFIG) if found.name == "tunnel-app-config").props


def _keep_alive(line: socket.socket) -> None:
    """A connector that is gone without a word is noticed within seconds, as Cloudflare notices it."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        line.setsockopt(socket.IPPROTO_TCP, option, value)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 2000)


def _raw(method: str, host: str, path: str, body: bytes, visitor: str) -> bytes:
    """A request with what Cloudflare adds to it."""
    headers = {
        "Host": host,
        "CF-Connecting-IP": visitor,
        "CF-Ray": "8f0000000000000-FRA",
        "CF-Visitor": '{"scheme":"https"}',
        "X-Forwarded-For": visitor,
        "X-Forwarded-Proto": "https",
        "User-Agent": "visitor",
        "Content-Type": "application/octet-stream",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _exchange(line: socket.socket, raw: bytes, method: str) -> Answer | None:
    """None where the line was dead, so that another one has to be tried."""
    with line:
        line.settimeout(60)
        try:
            line.sendall(raw)
            response = http.client.HTTPResponse(line, method=method)
            response.begin()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except (OSError, http.client.HTTPException):
            return None
