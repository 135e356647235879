#!/usr/bin/python3
"""cloudflared as far as the gateway sees it: dials out, and brings what comes down the line to the gateway.

A line of the tunnel is one request: the edge first names the service (the tunnel's ingress says which), then sends the
request as it is. Where the service does not answer, the edge gets a 502, as from cloudflared.
"""

import base64
import json
import socket
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

EDGE = ("198.51.100.1", 7844)
LINES = 8
UNAVAILABLE = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
connected: set[int] = set()


def keep_line(number: int, tunnel: str) -> None:
    """One line to the edge after another, for ever."""
    while True:
        try:
            with socket.create_connection(EDGE, timeout=5) as line:
                line.sendall(f"{tunnel}\n".encode())
                line.settimeout(None)
                connected.add(number)
                serve(line)
        except OSError:
            time.sleep(0.2)
        finally:
            connected.discard(number)


def serve(line: socket.socket) -> None:
    """Bring one request to the service that the edge names."""
    service, rest = b"", b""
    while not rest:
        data = line.recv(65536)
        if not data:
            return
        service += data
        if b"\n" in service:
            service, _, rest = service.partition(b"\n")
            break
    target = urlsplit(service.decode())
    try:
        with socket.create_connection((target.hostname or "", target.port or 80), timeout=2) as gateway:
            gateway.settimeout(60)
            gateway.sendall(rest)
            threading.Thread(target=forward, args=(line, gateway), daemon=True).start()
            if not forward(gateway, line):
                line.sendall(UNAVAILABLE)
    except OSError:
        line.sendall(UNAVAILABLE)


def forward(source: socket.socket, target: socket.socket) -> int:
    """Bytes until the source ends; how many there were."""
    count = 0
    try:
        while data := source.recv(65536):
            target.sendall(data)
            count += len(data)
    except OSError:
        pass
    return count


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Health, and the one measurement that cloudflared gives of its connections: of eight lines here, four."""
        self.send_response(200 if connected or self.path == "/metrics" else 503)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        if self.path == "/metrics":
            self.wfile.write(f"cloudflared_tunnel_ha_connections {len(connected) // 2}\n".encode())

    def log_message(self, *_: object) -> None:
        """Health checks are not logged."""


metrics = sys.argv[sys.argv.index("--metrics") + 1]
if sys.argv[-1] == "ready":
    urllib.request.urlopen(f"http://{metrics}/ready", timeout=4)
    sys.exit()
token = Path(sys.argv[sys.argv.index("--token-file") + 1]).read_text(encoding="utf-8")
identity = json.loads(base64.b64decode(token))["t"]
for index in range(LINES):
    threading.Thread(target=keep_line, args=(index, identity), daemon=True).start()
host, port = metrics.split(":")
ThreadingHTTPServer((host, int(port)), Metrics).serve_forever()
