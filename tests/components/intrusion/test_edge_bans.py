"""The worker that brings bans to the edge, against a Cloudflare of the test's own."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.intrusion import edge_bans
from components.intrusion.edge_bans import LIMIT, Settings, networks


def decision(number: int, value: str, scope: str = "Ip") -> dict[str, Any]:
    return {"id": number, "value": value, "scope": scope, "type": "ban", "duration": "4h"}


def test_the_newest_bans_come_first_and_each_once() -> None:
    given = [decision(1, "1.1.1.1"), decision(3, "1.1.1.3"), decision(2, "1.1.1.1")]
    assert networks(given) == ["1.1.1.3", "1.1.1.1"]
    assert networks(None) == []


def test_the_list_never_grows_beyond_what_cloudflare_takes() -> None:
    many = [decision(number, f"1.{number >> 16}.{number >> 8 & 255}.{number & 255}") for number in range(LIMIT + 500)]
    found = networks(many)
    assert len(found) == LIMIT
    assert found[0] == "1.0.41.3"
    assert "1.0.0.0" not in found


@pytest.mark.parametrize(
    ("value", "scope", "written"),
    [
        ("2a00:1450::5", "Ip", ["2a00:1450::/64"]),
        ("2a00:1450::/48", "Range", ["2a00:1450::/48"]),
        ("8.8.8.0/24", "Range", ["8.8.8.0/24"]),
        ("0.0.0.0/0", "Range", []),
        ("10.1.2.3", "Ip", []),
        ("DE", "Country", []),
    ],
)
def test_a_ban_is_written_as_cloudflare_reads_it_or_left_out(value: str, scope: str, written: list[str]) -> None:
    assert networks([decision(1, value, scope)]) == written


@dataclass
class Cloud:
    """CrowdSec's and Cloudflare's APIs at once."""

    bans: list[dict[str, Any]] = field(default_factory=list)
    lists: list[list[str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition)
    broken: bool = False
    failures: int = 0
    asked: int = 0

    def wait_for(self, expected: list[str]) -> bool:
        """Whether the list becomes what is expected, within 30 seconds."""
        with self.changed:
            return self.changed.wait_for(lambda: bool(self.lists) and self.lists[-1] == expected, 30)


def _handler(cloud: Cloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/decisions":
                self._answer(200 if self.headers["X-Api-Key"] == "key" else 403, cloud.bans or None)
            else:
                cloud.asked += 1
                self._answer(200, {"result": {"status": "pending" if cloud.asked % 2 else "completed"}})

        def do_PUT(self) -> None:
            items = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            cloud.tokens.add(str(self.headers["Authorization"]))
            if cloud.broken:
                with cloud.changed:
                    cloud.failures += 1
                    cloud.changed.notify_all()
                return self._answer(500, {})
            with cloud.changed:
                cloud.lists.append([item["ip"] for item in items])
                cloud.changed.notify_all()
            return self._answer(200, {"result": {"operation_id": "1"}})

        def _answer(self, status: int, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def worker(cloud: Cloud, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The worker as its container runs it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cloud))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "key").write_text("key\n")
    (tmp_path / "token").write_text("token\n")
    settings = Settings(
        f"{base}/decisions",
        str(tmp_path / "key"),
        f"{base}/lists/1/items",
        f"{base}/operations",
        str(tmp_path / "token"),
        every=0.05,
    )
    (tmp_path / "settings.json").write_text(json.dumps(asdict(settings)))
    process = subprocess.Popen([sys.executable, "-I", str(edge_bans.__file__), str(tmp_path / "settings.json")])
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)
        server.shutdown()
        server.server_close()


@pytest.mark.usefixtures("worker")
def test_bans_and_their_end_reach_the_edge(cloud: Cloud) -> None:
    assert cloud.wait_for([])
    cloud.bans = [decision(1, "8.8.8.8"), decision(2, "9.9.9.9")]
    assert cloud.wait_for(["9.9.9.9", "8.8.8.8"])
    cloud.bans = [decision(1, "8.8.8.8")]
    assert cloud.wait_for(["8.8.8.8"])
    assert cloud.tokens == {"Bearer token"}
    pushed = len(cloud.lists)
    assert pushed == 3


def test_what_fails_is_tried_again(cloud: Cloud, worker: subprocess.Popen[bytes]) -> None:
    assert cloud.wait_for([])
    cloud.broken = True
    cloud.bans = [decision(1, "8.8.8.8")]
    with cloud.changed:
        assert cloud.changed.wait_for(lambda: cloud.failures > 1, 30)
    assert worker.poll() is None
    assert cloud.lists == [[]]
    cloud.broken = False
    assert cloud.wait_for(["8.8.8.8"])
