"""Real syslog-ng on the rendered configuration: the gateway's log arrives at a remote target, by way of a proxy."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from components.monitoring import render
from tests.live.certificates import authority, signed
from tests.live.monitoring.proxy import Proxy
from tests.programs import need

HOST = "logs.example.net"
LINE = {"time": "2026-11-24T02:00:00+00:00", "host": "api.example.org", "target": "/a?b=\\x22c\\x22", "status": 200}
WITHIN = 60.0


@dataclass
class Target:
    """A log service, and the proxy before it."""

    folder: Path
    proxy: Proxy = field(default_factory=Proxy)
    lines: list[str] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Yields the proxy's port."""
        by = authority(self.folder, "authority")
        made = signed(self.folder, by, HOST)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.certificate, made.key)
        service = self._service(context)
        threading.Thread(target=service.serve_forever, daemon=True).start()
        try:
            with self.proxy.leading_to(service.server_address[1]) as port:
                yield port
        finally:
            service.shutdown()
            service.server_close()

    def _service(self, context: ssl.SSLContext) -> ThreadingHTTPServer:
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                target.paths.add(self.path)
                target.lines += body.splitlines()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing is logged."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        return server


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _shipping(folder: Path, proxy: int, trusted: Path) -> Iterator[int]:
    """syslog-ng as in its container, on loopback. Yields the port that takes the gateway's lines."""
    port = _free_port()
    text = render.log_shipper(str(folder))
    for old, new in (
        ('"0.0.0.0"', '"127.0.0.1"'),
        ("port(5514)", f"port({port})"),
        ("http://egress-proxy:3128", f"http://127.0.0.1:{proxy}"),
        ("/etc/ssl/certs/ca-certificates.crt", str(trusted)),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "log-shipper.conf").write_text(text)
    (folder / "target.conf").write_text(render.target(HOST, "in/secret"))
    places = (f"--{name}={folder}/{name}" for name in ("persist-file", "pidfile", "control"))
    command = ["syslog-ng", "--foreground", "--no-caps", f"--cfgfile={folder}/log-shipper.conf", *places]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield port
        finally:
            process.terminate()


def _send_until(arrived: threading.Event, port: int, target: Target) -> None:
    """A datagram that comes before syslog-ng listens is lost, as it would be at the gateway's: it is sent again."""
    message = f"<190>Nov 24 02:00:00 gateway gateway: {json.dumps(LINE)}".encode()
    deadline = time.monotonic() + WITHIN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while time.monotonic() < deadline and not target.lines:
            sender.sendto(message, ("127.0.0.1", port))
            arrived.wait(1)


def test_lines_arrive_as_they_are_by_way_of_the_proxy(tmp_path: Path) -> None:
    need("syslog-ng", "openssl")
    target = Target(tmp_path)
    with target.serving() as proxy, _shipping(tmp_path, proxy, tmp_path / "authority.pem") as port:
        _send_until(threading.Event(), port, target)
    assert target.proxy.asked
    assert set(target.proxy.asked) == {f"CONNECT {HOST}:443"}
    assert target.paths == {"/in/secret"}
    assert json.loads(target.lines[0]) == LINE


def test_control_nothing_is_told_to_a_target_whose_certificate_nobody_has_signed(tmp_path: Path) -> None:
    need("syslog-ng", "openssl")
    target = Target(tmp_path)
    other = authority(tmp_path, "another")
    with target.serving() as proxy, _shipping(tmp_path, proxy, other.certificate) as port:
        deadline = time.monotonic() + WITHIN
        while not target.proxy.asked and time.monotonic() < deadline:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"<190>Nov 24 02:00:00 gateway gateway: {}", ("127.0.0.1", port))
            time.sleep(0.5)
        time.sleep(3)
    assert target.proxy.asked
    assert target.lines == []
