#!/usr/bin/python3
"""pgweb as far as the example needs it: shows rows of the database in its bookmark, with that bookmark's role."""

import json
import sys
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg2  # type: ignore[import-untyped] # of the image, not of the tests

OPTIONS = dict(argument.lstrip("-").split("=", 1) for argument in sys.argv[1:] if "=" in argument)
BOOKMARK = Path(OPTIONS["bookmarks-dir"], f"{OPTIONS['bookmark']}.toml")
URL = tomllib.loads(BOOKMARK.read_text(encoding="utf-8"))["url"]


def rows() -> list[tuple[str, str]]:
    """Every image's id and status."""
    connection = psycopg2.connect(URL, connect_timeout=3)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT id::text, status FROM store.images ORDER BY created_at")
            return list(cursor.fetchall())
    finally:
        connection.close()


class Dashboard(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/api/info":
            return self._send(200, {"version": "0"})
        if self.path != "/":
            return self._send(404, {})
        try:
            return self._send(200, rows())
        except psycopg2.Error as problem:
            return self._send(503, str(problem))

    def _send(self, status: int, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


ThreadingHTTPServer(("0.0.0.0", 8081), Dashboard).serve_forever()  # noqa: S104 - as pgweb's image does
