"""Stand-ins for the two APIs, with everything right until a test spoils an answer."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = dict[str, tuple[int, dict[str, Any]]]
"""Method and path without its query → status and body."""
ACCOUNT, ZONE = "a" * 32, "b" * 32


def answers() -> Answers:
    """What the APIs say where a deployment may begin."""
    reads = ("cfd_tunnel", "access/apps", "access/service_tokens", "alerting/v3/policies")
    zone = {"name": "mine.dev", "status": "active", "account": {"id": ACCOUNT}}
    found: Answers = {
        "GET /servers": (200, {"servers": []}),
        "POST /ssh_keys": (422, {"error": {"code": "invalid_input"}}),
        "GET /server_types": (200, {"server_types": [{"name": "cx33", "prices": [{"location": "fsn1"}]}]}),
        "GET /user/tokens/verify": (200, {"result": {"status": "active"}}),
        f"GET /zones/{ZONE}": (200, {"result": zone}),
        f"GET /accounts/{ACCOUNT}/access/organizations": (
            200,
            {"result": {"auth_domain": "mine.cloudflareaccess.com"}},
        ),
        f"GET /zones/{ZONE}/bot_management": (200, {"result": {"fight_mode": False}}),
    }
    found |= {f"GET /accounts/{ACCOUNT}/{path}": (200, {"result": []}) for path in reads}
    return found | {
        f"GET /zones/{ZONE}/{path}": (200, {"result": []}) for path in ("dns_records", "settings/ssl", "rulesets")
    }


@contextmanager
def serving(given: Answers) -> Iterator[tuple[str, list[str]]]:
    """Serve answers on loopback; yields the address and the list of what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer()

        def _answer(self) -> None:
            key = f"{self.command} {self.path.partition('?')[0]}"
            asked.append(key)
            status, body = given.get(key, (404, {}))
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
