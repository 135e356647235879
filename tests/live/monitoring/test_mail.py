"""Alerts by mail: real Alertmanager, the relay's real socat, and a mail server behind a proxy. TLS from end to end."""

import base64
import json
import shutil
import socketserver
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from components.monitoring import nodes, render
from components.monitoring.render import values
from tests.components.monitoring.planned import EVERYTHING, SECRETS
from tests.live.certificates import Certificate, authority, signed
from tests.live.monitoring.proxy import Proxy
from tests.programs import need, need_root
from tests.samples import cloud_stack, settings
from topology.plan import plan

SERVER, RELAY, API_PORT = "smtp.example.net", "127.0.0.77", 19093
PASSWORD = "a password of the test"
WITHIN = 60.0


@dataclass
class Mail:
    """A mail server that speaks TLS from the first byte."""

    names: list[str | None] = field(default_factory=list)
    """Names in the greetings of TLS."""
    logins: list[bytes] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)

    @contextmanager
    def serving(self, made: Certificate) -> Iterator[int]:
        """Yields the port."""
        mail = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.certificate, made.key)
        context.sni_callback = lambda _socket, name, _context: mail.names.append(name)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                mail._converse(self)

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            server.handle_error = lambda *_: None  # type: ignore[method-assign] # who breaks off is no news
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server.server_address[1]
            server.shutdown()

    def _converse(self, handler: socketserver.StreamRequestHandler) -> None:
        handler.wfile.write(b"220 hello\r\n")
        for line in handler.rfile:
            word = line.split()[0].upper()
            if word == b"EHLO":
                handler.wfile.write(b"250-hello\r\n250 AUTH PLAIN\r\n")
            elif word == b"AUTH":
                self.logins.append(base64.b64decode(line.split()[2]))
                handler.wfile.write(b"235 welcome\r\n")
            elif word == b"DATA":
                handler.wfile.write(b"354 go on\r\n")
                self.letters.append(b"".join(iter(handler.rfile.readline, b".\r\n")).decode())
                handler.wfile.write(b"250 taken\r\n")
            elif word == b"QUIT":
                handler.wfile.write(b"221 bye\r\n")
                return
            else:
                handler.wfile.write(b"250 fine\r\n")


def _configuration(folder: Path, trusted: Path) -> Path:
    """The stack's own, with the relay's address here, and the test's authority."""
    raw = cloud_stack(monitoring={"mail": EVERYTHING["mail"]}, secrets=dict.fromkeys(SECRETS, "x"))
    text = render.alertmanager(values(settings(raw), "dev"))
    for old, new in (
        ("mail-relay:465", f"{RELAY}:465"),
        ("/run/secrets/", f"{folder}/"),
        ("tls_config: { ", f"tls_config: {{ ca_file: {trusted}, "),
        ("group_wait: 30s", "group_wait: 1s"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "mail-password").write_text(PASSWORD)
    (folder / "alertmanager.yaml").write_text(text)
    return folder / "alertmanager.yaml"


def _relay(proxy: int) -> list[str]:
    """The relay's own command, between addresses of this machine."""
    raw = cloud_stack(monitoring={"mail": EVERYTHING["mail"]}, secrets=dict.fromkeys(SECRETS, "x"))
    stack = settings(raw)
    spec = nodes.mail_relay(values(stack, "dev"), plan(stack), SERVER)
    listen, tunnel = spec.command or ()
    tunnel = tunnel.replace("PROXY:egress-proxy:", "PROXY:127.0.0.1:").replace("proxyport=3128", f"proxyport={proxy}")
    return ["socat", f"{listen},bind={RELAY}", tunnel]


def _alert() -> None:
    """Raise an alert at Alertmanager, as soon as that listens."""
    alerts = [{"labels": {"alertname": "TunnelDown", "severity": "critical"}, "annotations": {"summary": "no way in"}}]
    request = urllib.request.Request(
        f"http://127.0.0.1:{API_PORT}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    deadline = time.monotonic() + WITHIN
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - our own
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextmanager
def _mailing(folder: Path, mail: Mail, name: str) -> Iterator[Proxy]:
    """Everything between an alert and a mail server whose certificate is for ``name``."""
    by, proxy = authority(folder, "authority"), Proxy()
    path = _configuration(folder, by.certificate)
    binary = shutil.which("prometheus-alertmanager") or ""
    options = (
        "--cluster.listen-address=",
        f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{API_PORT}",
    )
    with ExitStack() as stack:
        to = stack.enter_context(proxy.leading_to(stack.enter_context(mail.serving(signed(folder, by, name)))))
        log = stack.enter_context((folder / "log").open("wb"))
        for command in (_relay(to), [binary, f"--config.file={path}", *options]):
            process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log))
            stack.callback(process.terminate)
        yield proxy


def test_a_letter_arrives_and_the_password_is_shown_to_the_mail_server_alone(tmp_path: Path) -> None:
    need("prometheus-alertmanager", "socat", "openssl")
    need_root()
    mail = Mail()
    with _mailing(tmp_path, mail, SERVER) as proxy:
        _alert()
        deadline = time.monotonic() + WITHIN
        while len(mail.letters) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)
    assert len(mail.letters) == 2
    assert {f"\0watch\0{PASSWORD}".encode()} == set(mail.logins)
    assert all("TunnelDown" in letter for letter in mail.letters)
    assert set(proxy.asked) == {f"CONNECT {SERVER}:465"}
    assert set(mail.names) == {SERVER}


def test_control_a_server_with_another_name_in_its_certificate_gets_no_password(tmp_path: Path) -> None:
    need("prometheus-alertmanager", "socat", "openssl")
    need_root()
    mail = Mail()
    with _mailing(tmp_path, mail, "other.example.net"):
        _alert()
        deadline = time.monotonic() + WITHIN
        while not mail.names and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(3)
    assert mail.names
    assert (mail.logins, mail.letters) == ([], [])
