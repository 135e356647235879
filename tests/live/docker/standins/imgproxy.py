#!/usr/bin/python3
"""imgproxy as far as the example needs it: fetches an original from an allowed source and answers a "thumbnail"."""

import base64
import hashlib
import os
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = int(os.environ["IMGPROXY_BIND"].removeprefix(":"))
ALLOWED = os.environ["IMGPROXY_ALLOWED_SOURCES"]


def thumbnail(original: bytes) -> bytes:
    """Stands for a smaller image; ValueError for what is none."""
    if not original.startswith(b"image"):
        raise ValueError("no image")
    return b"thumbnail " + hashlib.sha256(original).hexdigest().encode()


class Processor(BaseHTTPRequestHandler):
    secret = ""

    def do_GET(self) -> None:
        if self.path == "/health":
            return self._send(200, b"ok")
        if self.headers.get("authorization") != f"Bearer {self.secret}":
            return self._send(403, b"")
        encoded = self.path.rpartition("/")[2].removesuffix(".webp")
        source = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        if not source.startswith(ALLOWED):
            return self._send(404, b"")
        try:
            with urllib.request.urlopen(source, timeout=10) as answer:  # noqa: S310 - checked right above
                return self._send(200, thumbnail(answer.read()))
        except (ValueError, urllib.error.URLError) as problem:
            return self._send(422, str(problem).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "image/webp")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if sys.argv[1:] == ["health"]:
    urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=4)
    sys.exit()
settings = Path(os.environ["IMGPROXY_ENV_LOCAL_FILE_PATH"]).read_text(encoding="utf-8")
Processor.secret = dict(line.split("=", 1) for line in settings.splitlines() if line)["IMGPROXY_SECRET"]
ThreadingHTTPServer(("", PORT), Processor).serve_forever()
