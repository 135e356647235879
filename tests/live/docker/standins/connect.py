#!/usr/bin/python3
"""Redpanda Connect as far as the example needs it: the three pipelines, with what their own files say.

What it reads there: addresses, credentials, subjects and SQL. What a pipeline does with them is written here.
"""

import base64
import json
import re
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped] # of the image, not of the tests
import yaml
from cache_client import Cache  # type: ignore[import-not-found]
from queue_client import Queue  # type: ignore[import-not-found]

FOLDER = Path("/etc/connect")
working: set[str] = set()


def load(name: str) -> Any:
    """One of the container's files."""
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def find(content: Any, key: str) -> list[Any]:
    """Every value of a key, wherever it stands."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [found for name, value in inner for found in ([value] if name == key else find(value, key))]


SETUP, DISPATCH, RESIZE, RESOURCES = (load(name) for name in ("setup", "dispatch", "resize", "resources"))
CLAIM, STORE = (find(content, "sql_raw")[0] for content in (DISPATCH, RESIZE))
GET = find(RESIZE, "http")[0]
JOBS = RESIZE["input"]["nats_jetstream"]
STREAM = json.loads(find(SETUP, "mapping")[0].removeprefix("root = "))
SOURCE = re.search(r'"(http://[^"]+)"', find(RESIZE, "mapping")[0])
CACHE = find(RESOURCES, "redis")[0]


def execute(statement: dict[str, Any], *values: object) -> list[tuple[Any, ...]]:
    """Run a statement with numbered parameters; its rows."""
    connection = psycopg2.connect(statement["dsn"], connect_timeout=3)
    try:
        with connection, connection.cursor() as cursor:
            query = re.sub(r"\$(\d)", r"%(p\1)s", statement["query"])
            cursor.execute(query, {f"p{number}": value for number, value in enumerate(values, 1)})
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


def dispatch(queue: Queue) -> None:
    """PostgreSQL to queue, once."""
    for image, digest, attempts in execute(CLAIM):
        job = json.dumps({"id": image, "sha256": digest}).encode()
        queue.request(JOBS["subject"], job, f"{image}/{attempts}")
    time.sleep(0.5)


def resize(queue: Queue) -> None:
    """One job of the queue, if there is one within a second."""
    wanted = json.dumps({"batch": 1, "expires": 1_000_000_000}).encode()
    _, address, content = queue.request(f"$JS.API.CONSUMER.MSG.NEXT.{JOBS['stream']}.{JOBS['queue']}", wanted)
    if not address:
        return
    job = json.loads(content)
    execute(STORE, job["id"], psycopg2.Binary(thumbnail(job["id"], job["sha256"])))
    queue.acknowledge(address)


def thumbnail(image: str, digest: str) -> bytes:
    """From the cache, else from the image processor, and then into the cache."""
    cache = Cache(CACHE["url"])
    try:
        key = CACHE["prefix"] + digest
        found: bytes | None = cache.call("GET", key)
        if found is None:
            found = processed(image)
            cache.call("SET", key, found, "EX", "86400")
        return found
    finally:
        cache.close()


def processed(image: str) -> bytes:
    """What the image processor makes of an original."""
    if SOURCE is None:
        raise ValueError("no source in resize.yaml")
    encoded = base64.urlsafe_b64encode((SOURCE[1] + image).encode()).decode().rstrip("=")
    url = re.sub(r"\$\{! [^}]+\}", encoded, GET["url"])
    with urllib.request.urlopen(urllib.request.Request(url, headers=GET["headers"]), timeout=20) as answer:  # noqa: S310
        return bytes(answer.read())


def setup(queue: Queue) -> None:
    """The stream of jobs, and the consumer that all workers share."""
    queue.api(f"STREAM.CREATE.{STREAM['name']}", STREAM)
    consumer = {"durable_name": JOBS["queue"], "ack_policy": "explicit", "ack_wait": 60_000_000_000}
    queue.api(
        f"CONSUMER.DURABLE.CREATE.{JOBS['stream']}.{JOBS['queue']}",
        {"stream_name": JOBS["stream"], "config": consumer},
    )


def keep(name: str, step: Callable[[Queue], None]) -> None:
    """Run a pipeline for ever, on a new connection after each failure."""
    while True:
        try:
            queue = Queue(JOBS["urls"][0])
            try:
                setup(queue)
                while True:
                    working.add(name)
                    step(queue)
            finally:
                queue.close()
        except (OSError, psycopg2.Error, ValueError, KeyError) as problem:
            working.discard(name)
            print(name, problem, file=sys.stderr, flush=True)
            time.sleep(0.5)


class Status(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if len(working) == 2 else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Health checks are not logged."""


for title, pipeline in (("dispatch", dispatch), ("resize", resize)):
    threading.Thread(target=keep, args=(title, pipeline), daemon=True).start()
host, _, port = load("observability")["http"]["address"].rpartition(":")
ThreadingHTTPServer((host, int(port)), Status).serve_forever()
