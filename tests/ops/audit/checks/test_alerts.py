"""The test alert on a real Alertmanager: delivered, refused by the receiver, and with nobody to tell."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socket import create_server

import pytest

from ops.audit.checks import alerts
from ops.audit.engine import Engine
from ops.audit.live import Live
from ops.audit.result import Result
from tests.live.namespace import stop, wait_until
from tests.ops.audit.stand import STACK, program
from tests.programs import need
from tests.samples import cloud_stack, settings
from topology.model import Node
from topology.plan import plan

PROGRAM = "prometheus-alertmanager"
CONFIG = """
route: {{ receiver: operators, group_wait: 0s }}
receivers:
  - name: operators
{receiver}
"""
WEBHOOK = "    webhook_configs: [{{ url: 'http://127.0.0.1:{port}/' }}]"


@dataclass(frozen=True)
class Here(Engine):
    """Commands run beside Alertmanager, as they would inside its container."""

    def execute(self, container: str, *command: str) -> str:
        """A command in the container's place."""
        assert container == f"{STACK}-alertmanager"
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


@contextmanager
def _receiver(status: int) -> Iterator[tuple[int, list[bytes]]]:
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port, got
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _alertmanager(folder: Path, receiver: str) -> Iterator[str]:
    need(PROGRAM, "amtool", "wget")
    config, log = folder / "alertmanager.yaml", folder / "log"
    config.write_text(CONFIG.format(receiver=receiver), encoding="utf-8")
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [PROGRAM, f"--config.file={config}", f"--storage.path={folder / 'data'}", "--cluster.listen-address="]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=output, stderr=output, text=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        ready = ["wget", "-q", "-O", "/dev/null", f"{url}/-/ready"]
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, log)
        yield url
    finally:
        stop(process)


def _measured(url: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr(alerts, "URL", url)
    monkeypatch.setattr(alerts, "WITHIN", 10)
    monkeypatch.setattr(alerts, "SETTLES", 1)
    return alerts.CHECKS[0].run(_live())


def _live() -> Live:
    given = settings(cloud_stack())
    planned = plan(given)
    nodes = {**planned.nodes, "alertmanager": Node("alertmanager", "alertmanager")}
    live = Live(STACK, given, replace(planned, nodes=nodes), program(), {}, Here())
    live.__dict__["on_machines"] = {"": [{"Name": f"/{STACK}-alertmanager", "State": {"Running": True}}]}
    return live


def test_an_alert_that_is_delivered_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _receiver(200) as (port, got), _alertmanager(tmp_path, WEBHOOK.format(port=port)) as url:
        result = _measured(url, monkeypatch)
    assert result.verdict == "pass", result
    assert b"A test by `make audit`" in got[0]


def test_an_alert_that_the_receiver_refuses_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _receiver(403) as (port, _), _alertmanager(tmp_path, WEBHOOK.format(port=port)) as url:
        result = _measured(url, monkeypatch)
    assert result.verdict == "fail"
    assert result.evidence[1] == "1 of 1 attempts to tell somebody failed"


def test_an_alert_for_nobody_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _alertmanager(tmp_path, "") as url:
        result = _measured(url, monkeypatch)
    assert result.verdict == "fail"
    assert "nobody was told" in result.evidence[1]


def test_without_alertmanager_the_check_does_not_apply() -> None:
    given = settings(cloud_stack())
    planned = plan(given)
    nodes = {name: node for name, node in planned.nodes.items() if name != "alertmanager"}
    live = Live(STACK, given, replace(planned, nodes=nodes), program(), {}, Here())
    assert alerts.CHECKS[0].run(live) == Result("not applicable", ("no Alertmanager in this stack",))
