#!/usr/bin/python3
"""PostgREST as far as the example needs it: each function of the schema ``api`` is a path, run as the visitor."""

import json
import os
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg2  # type: ignore[import-untyped] # of the image, not of the tests
import psycopg2.pool  # type: ignore[import-untyped]
from psycopg2 import sql

ADMIN = f"{os.environ['PGRST_ADMIN_SERVER_HOST']}:{os.environ['PGRST_ADMIN_SERVER_PORT']}"
URI = Path(os.environ["PGRST_DB_URI"].removeprefix("@")).read_text(encoding="utf-8").strip()
ROLE = os.environ["PGRST_DB_ANON_ROLE"]
SCHEMA = os.environ["PGRST_DB_SCHEMAS"]
POOL = psycopg2.pool.ThreadedConnectionPool(0, 10, URI, connect_timeout=3)
SLOTS = threading.BoundedSemaphore(10)


def call(function: str, arguments: dict[str, str], body: bytes | None) -> tuple[Any, str]:
    """A function's value, and the response headers that it set."""
    with SLOTS:
        connection = POOL.getconn()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(ROLE)))
                given = [sql.SQL("{} => %s").format(sql.Identifier(name)) for name in arguments]
                listed = sql.SQL("%s::bytea") if body is not None else sql.SQL(", ").join(given)
                name = sql.Identifier(SCHEMA, function)
                values = [psycopg2.Binary(body)] if body is not None else list(arguments.values())
                cursor.execute(sql.SQL("SELECT {}({})").format(name, listed), values)
                value = cursor.fetchone()[0]
                cursor.execute("SELECT current_setting('response.headers', true)")
                return value, cursor.fetchone()[0] or "[]"
        finally:
            POOL.putconn(connection, close=bool(connection.closed))


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._answer(parts.path, dict(parse_qsl(parts.query)), None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        self._answer(urlsplit(self.path).path, {}, body)

    def _answer(self, path: str, arguments: dict[str, str], body: bytes | None) -> None:
        if not path.startswith("/rpc/"):
            return self._send(404, b"{}", "application/json")
        try:
            value, headers = call(path.removeprefix("/rpc/"), arguments, body)
        except psycopg2.OperationalError as problem:
            return self._send(503, str(problem).encode(), "text/plain")
        except psycopg2.Error as problem:
            return self._send(404 if problem.pgcode == "42883" else 400, str(problem).encode(), "text/plain")
        if isinstance(value, memoryview):
            kind = {key: text for header in json.loads(headers) for key, text in header.items()}.get("Content-Type")
            return self._send(200, value.tobytes(), kind or "application/octet-stream")
        return self._send(200, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Admin(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            call("status", {"id": "00000000-0000-0000-0000-000000000000"}, None)
            self.send_response(200)
        except psycopg2.Error:
            self.send_response(503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Health checks are not logged."""


if "--ready" in sys.argv:
    urllib.request.urlopen(f"http://{ADMIN}/ready", timeout=4)
    sys.exit()
host, port = ADMIN.split(":")
threading.Thread(target=ThreadingHTTPServer((host, int(port)), Admin).serve_forever, daemon=True).start()
ThreadingHTTPServer((os.environ["PGRST_SERVER_HOST"], 3000), Api).serve_forever()
