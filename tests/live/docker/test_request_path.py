"""A request's whole way: edge, connector, gateway, service, database, queue, worker, cache, and back."""

import hashlib
import json
import time

from tests.live.docker.deployed import Deployed, until
from tests.live.docker.edge import STRANGERS
from tests.live.docker.recorded import password
from tests.live.docker.visitor import API, DASHBOARD, Visitor

EXPORTERS = {"cache-exporter", "node-exporter", "postgres-exporter", "prober"}
WITHOUT_HEALTH_CHECK = {"crowdsec", "backup", "postgres-backup", "queue-backup", *EXPORTERS}


def _cache(stack: Deployed, *words: str) -> str:
    code, output = stack.execute("cache", "valkey-cli", "--user", "app", "--pass", password("cache-password"),
                                 "--no-auth-warning", *words)  # fmt: skip
    assert code == 0, output
    return output.strip()


def test_every_container_runs_and_is_healthy(stack: Deployed) -> None:
    states = {node: stack.inspect(node)["State"] for node in stack.nodes}
    assert {node: state["Health"]["Status"] for node, state in states.items() if "Health" in state} == dict.fromkeys(
        (node for node in stack.nodes if node not in WITHOUT_HEALTH_CHECK), "healthy"
    )
    assert all(state["Running"] and state["Restarting"] is False for state in states.values())


def test_a_visitors_image_goes_through_database_queue_worker_cache_and_image_processor(stack: Deployed) -> None:
    visitor, image = Visitor(stack.edge), f"image {time.time_ns()}".encode()
    identity = visitor.uploaded(image)
    until(lambda: visitor.status(identity) == "done", 30, "thumbnail")
    digest = hashlib.sha256(image).hexdigest()
    answer = visitor.thumbnail(identity)
    assert (answer.headers["content-type"], answer.body) == ("image/webp", f"thumbnail {digest}".encode())
    assert _cache(stack, "GET", f"thumbnail:{digest}") == f"thumbnail {digest}"
    assert [identity, "done"] in json.loads(visitor.dashboard().body)


def test_an_equal_image_comes_out_of_the_cache(stack: Deployed) -> None:
    visitor, image = Visitor(stack.edge), f"image {time.time_ns()}".encode()
    key = f"thumbnail:{hashlib.sha256(image).hexdigest()}"
    _cache(stack, "SET", key, "from the cache")
    identity = visitor.uploaded(image)
    until(lambda: visitor.status(identity) == "done", 30, "thumbnail")
    assert visitor.thumbnail(identity).body == b"from the cache"


def test_what_is_no_image_is_refused_by_the_image_processor_and_never_done(stack: Deployed) -> None:
    visitor = Visitor(stack.edge)
    bad, good = visitor.uploaded(b"nothing to see"), visitor.uploaded(f"image {time.time_ns()}".encode())
    until(lambda: visitor.status(good) == "done", 30, "thumbnail")
    assert visitor.status(bad) == "queued"


def test_the_dashboard_is_there_for_an_operator_and_for_nobody_else(stack: Deployed) -> None:
    visitor = Visitor(stack.edge)
    unknown = stack.edge.request("GET", "nobody.example.org", "/", visitor=f"{STRANGERS}.2", routed_as=DASHBOARD)
    assert visitor.dashboard().status == 200
    assert visitor.dashboard(f"{STRANGERS}.1") == unknown
    assert unknown.status == 502


def test_who_keeps_knocking_at_the_dashboard_is_banned_everywhere_and_nobody_else_is(stack: Deployed) -> None:
    visitor, knocking = Visitor(stack.edge), f"{STRANGERS}.3"
    for _ in range(6):
        visitor.dashboard(knocking)
    asked = f"/rpc/status?id={visitor.uploaded(b'image of someone else')}"
    until(lambda: stack.edge.request("GET", API, asked, visitor=knocking).status == 403, 30, "the ban")
    assert stack.edge.request("GET", API, asked).status == 200
