"""Alerts of the dev stack at a receiver on the internet's side, with time running sixty times as fast.

What Prometheus and Alertmanager wait for is divided by ``FASTER`` in the files that the stack has delivered; thresholds
and expressions stay. The receiver is reached by the names that the stack file says: the resolver is told them, since no
resolver of the internet is there, and the authority that signed their certificate is trusted by who calls them.
"""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.live.certificates import Certificate, authority, signed
from tests.live.docker.deployed import Deployed, until
from tests.live.docker.internet import listener
from tests.live.docker.namespace import run
from tests.live.docker.recorded import STACK
from tests.live.docker.visitor import API

FASTER = 60
RECEIVER, NTFY = "198.51.100.3", "ntfy.sh"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
CONFIG = "/etc/zero-exposure/monitoring"
CA = f"{CONFIG}/authority.pem"
WATCHING = ("resolver", "prober", "alertmanager", "prometheus")


@dataclass
class Outside:
    """The receiver of push messages, and the edge as the prober meets it, on one address."""

    listener: socket.socket
    certificate: Certificate
    status: int = 200
    """What the edge answers the prober."""
    delay: float = 0.0
    """Seconds before it does."""
    deaf: bool = False
    """Whether the receiver refuses messages."""
    received: list[dict[str, Any]] = field(default_factory=list)

    def start(self) -> None:
        """Answer until the listener is closed."""
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(outside.delay)
                self._answer(outside.status)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not outside.deaf:
                    outside.received.append({"path": self.path, **json.loads(body)})
                self._answer(400 if outside.deaf else 200)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing is logged."""

        server = ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        server.socket.close()
        server.socket = context.wrap_socket(self.listener, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def firing(self, since: int = 0) -> set[str]:
        """Names of all alerts that a message has said to be firing, but for the first ``since`` messages."""
        return {
            alert["labels"]["alertname"]
            for message in self.received[since:]
            for alert in message["alerts"]
            if alert["status"] == "firing"
        }


def volume(stack: Deployed, node: str, folder: str) -> Path:
    """Where the server keeps a volume that a container has mounted."""
    mounts = {mount["Destination"]: mount["Source"] for mount in stack.inspect(node)["Mounts"]}
    return Path(mounts[folder])


@contextmanager
def alarmed(stack: Deployed, folder: Path) -> Iterator[Outside]:
    """The stack's own monitoring, faster, and its receiver. Afterwards all files are as they were."""
    by = authority(folder, "outside")
    run("ip", "-n", Path(stack.engine.internet.path).name, "address", "add", f"{RECEIVER}/32", "dev", "lo")
    outside = Outside(listener(stack.engine.internet.path, RECEIVER, 443), signed(folder, by, NTFY, API))
    outside.start()
    places = {node: volume(stack, node, CONFIG) for node in ("prometheus", "alertmanager", "prober")}
    places["resolver"] = volume(stack, "resolver", "/etc/zero-exposure/resolver")
    before = {path: path.read_bytes() for place in places.values() for path in place.iterdir()}
    try:
        _hurry(places, by.certificate.read_text(encoding="utf-8"))
        _restart(stack)
        yield outside
    finally:
        for path in {path for place in places.values() for path in place.iterdir()} - set(before):
            path.unlink()
        for path, content in before.items():
            path.write_bytes(content)
        _restart(stack)
        outside.listener.close()


def _restart(stack: Deployed) -> None:
    for node in WATCHING:
        stack.engine.client.containers.get(f"{STACK}-{node}").restart(timeout=2)
    until(lambda: all(stack.is_healthy(node) for node in WATCHING), 60, "monitoring")


def _hurry(places: dict[str, Path], trusted: str) -> None:
    for path in places["prometheus"].glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(_scrapes(text) if path.name == "prometheus.yaml" else faster(text), encoding="utf-8")
    for node in ("alertmanager", "prober"):
        (places[node] / "authority.pem").write_text(trusted, encoding="utf-8")
        (places[node] / "authority.pem").chmod(0o444)
    for path in (*places["alertmanager"].glob("*.yaml"), *places["prober"].glob("*.yaml")):
        path.write_text(_messages(path.read_text(encoding="utf-8")), encoding="utf-8")
    names = places["resolver"] / "names.conf"
    known = "".join(f'    local-data: "{name}. 60 IN A {RECEIVER}"\n' for name in (NTFY, API))
    names.write_text(f"{names.read_text(encoding='utf-8')}\nserver:\n{known}", encoding="utf-8")


def faster(text: str) -> str:
    """Rules that wait for less: ``for``, ranges and offsets. Never less than a second."""
    return re.sub(r"(for: |\[|offset )(\d+)([smhd])\b", _less, text)


def _less(found: re.Match[str]) -> str:
    return f"{found[1]}{max(1, int(found[2]) * UNITS[found[3]] // FASTER)}s"


def _scrapes(text: str) -> str:
    found = yaml.safe_load(text)
    found["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    for job in found["scrape_configs"]:
        if job["job_name"] == "outside" or job["job_name"].endswith("-exporter"):
            # Long enough for a slow answer to be measured, and for an exporter to give up a database that is gone.
            job |= {"scrape_interval": "5s", "scrape_timeout": "5s"}
    return yaml.safe_dump(found)


def _messages(text: str) -> str:
    """Who calls outside trusts the authority; messages are sent at once."""
    text = re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", text)
    return re.sub(r"^(\s*)(proxy_url: \S+)$", rf"\1\2\n\1tls_config: {{ ca_file: {CA} }}", text, flags=re.MULTILINE)
