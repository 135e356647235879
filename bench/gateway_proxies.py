"""Reverse proxies to compare, each with one worker, on the same backend."""

import json
import os
import shutil
import socket
import subprocess
import threading
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

from components.gateway.render import Crowdsec, Values, files
from settings.gateway import Gateway
from settings.route import Route
from tests.live.gateway.nginx import (
    Nginx,
    arguments,
    binary,
    folder_for_nobody,
    give_to_nobody,
    unprivileged,
    wait_until,
    write,
)
from tests.live.gateway.stand import loopback
from tests.live.namespace import stop
from topology.model import Upstream

TEMPLATES = Path(__file__).with_name("proxies")
HOST = "app.example.com"
BACKEND = f"{loopback(61)}:3000"
BODY_BYTES = 1024
CONNECTOR = "127.0.0.1"
"""Where wrk's connections come from."""


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its address, and the process whose CPU time counts, with its children."""

    name: str
    address: str
    process: subprocess.Popen[bytes]
    folder: Path

    def cpu_seconds(self) -> float:
        """CPU time so far."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return sum(map(_nanoseconds, [str(pid), *children])) / 1e9

    def stop(self) -> None:
        """End it and take its folder away."""
        stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


def _nanoseconds(pid: str) -> int:
    """CPU time of all threads; /proc/PID/stat has it in hundredths of a second only."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text(encoding="ascii").split()[0]) for thread in threads)


def plain(name: str, number: int) -> Proxy:
    """A program on its template in ``bench/proxies``, as an unprivileged user."""
    folder = folder_for_nobody()
    source = next(TEMPLATES.glob(f"{name}.*"))
    address = f"{loopback(number)}:8080"
    words = {"@LISTEN@": address, "@ADDRESS@": loopback(number), "@BACKEND@": BACKEND, "@BODY@": "x" * BODY_BYTES}
    text = source.read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(word, value)
    (folder / source.name).write_text(text, encoding="utf-8")
    (folder / "logs").mkdir()
    give_to_nobody(folder)
    return Proxy(name, address, _start(source.suffix, folder / source.name, folder), folder)


def _start(kind: str, config: Path, folder: Path) -> subprocess.Popen[bytes]:
    haproxy = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin") or "haproxy"
    command = {
        ".conf": [binary(), "-e", "stderr", "-p", f"{folder}/", "-c", str(config)],
        ".cfg": [haproxy, "-db", "-f", str(config)],
        ".caddy": ["caddy", "run", "--adapter", "caddyfile", "--config", str(config)],
    }[kind]
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "GOMAXPROCS": "1"}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder, **unprivileged())


def gateway(name: str, number: int, *, bans: int = 0, routes: int = 0) -> Proxy:
    """The gateway as deployed, everything on: checks, limits, headers, both logs, decisions fetched."""
    folder = folder_for_nobody()
    address = IPv4Address(BACKEND.partition(":")[0])
    upstreams = [Upstream("api", Route(host=HOST), (address,), 3000)]
    for index in range(routes):
        route = Route(host=HOST if index % 2 else f"h{index % 20}.example.com", path=f"/r{index}")
        upstreams.append(Upstream("api", route, (address,), 3000))
    key = folder / "secrets/crowdsec-key"
    given = Values(
        listen=f"{loopback(number)}:8080",
        metrics_listen=(f"{loopback(number)}:9145",),
        peer=CONNECTOR,
        edge=True,
        operators=("203.0.113.0/24",),
        gateway=Gateway(workers=1, rate=100_000, burst=100_000, connections=10_000),
        upstreams=tuple(upstreams),
        crowdsec=Crowdsec(CONNECTOR, decisions(bans), f"{CONNECTOR}:{log_port()}", str(key)),
        scratch=str(folder / "run"),
        log=str(folder / "access.log"),
    )
    write(folder, files(given) | {"secrets/crowdsec-key": "key"})
    nginx = Nginx(folder, f"http://{given.metrics_listen[0]}/healthy", arguments(folder))
    wait_until(lambda: _has_decisions(given.metrics_listen[0]), nginx.errors, within=60)
    return Proxy(name, given.listen, nginx.process, folder)


def _has_decisions(metrics: str) -> bool:
    """Whether the gateway has taken over the whole list, which it does in pieces."""
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=10) as answer:
        return b"gateway_crowdsec_last_success_seconds" in answer.read()


def log_port() -> int:
    """A port that takes log lines for as long as this process runs. What nobody reads, the kernel drops."""
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind((CONNECTOR, 0))
    SINKS.append(sink)
    port: int = sink.getsockname()[1]
    return port


SINKS: list[socket.socket] = []


def decisions(count: int) -> int:
    """The port of an API as CrowdSec's, with so many banned addresses, for as long as this process runs."""
    banned = (f"100.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}" for number in range(count))
    new = [{"scope": "Ip", "type": "ban", "duration": "4h", "value": address} for address in banned]
    server = ThreadingHTTPServer((CONNECTOR, 0), _handler(json.dumps({"new": new, "deleted": None}).encode()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def _handler(whole: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = whole if "startup=true" in self.path else b'{"new":null,"deleted":null}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
