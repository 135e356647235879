"""What breaks when one part does, and how soon it is whole again."""

import json
import os
import signal
import time

import pytest

from tests.live.docker.deployed import Deployed, until
from tests.live.docker.edge import STRANGERS, TUNNEL_DOWN
from tests.live.docker.load import Load
from tests.live.docker.visitor import API, DASHBOARD, Visitor

BACK_WITHIN = 10.0
WHOLE_WITHIN = 30.0
ROUTES = {
    "alertmanager": set[str](),
    "api": {API},
    "backup": set[str](),
    "cache": set[str](),
    "cache-exporter": set[str](),
    "cloudflared": {API, DASHBOARD},
    "crowdsec": set[str](),
    "dashboard": {DASHBOARD},
    "egress-proxy": set[str](),
    "gateway": {API, DASHBOARD},
    "imgproxy": set[str](),
    "node-exporter": set[str](),
    "postgres": {API, DASHBOARD},
    "postgres-backup": set[str](),
    "postgres-exporter": set[str](),
    "prober": set[str](),
    "prometheus": set[str](),
    "queue": set[str](),
    "queue-backup": set[str](),
    "resolver": set[str](),
    "worker": set[str](),
}
"""Node → hosts that need it to answer."""
UNAVAILABLE = {429, 502, 503, 504, TUNNEL_DOWN}


def _serves(stack: Deployed) -> bool:
    visitor = Visitor(stack.edge)
    return (
        visitor.upload(f"image {time.time_ns()}".encode(), within=1).status == 200
        and visitor.dashboard(within=1).status == 200
    )


def _whole(stack: Deployed) -> bool:
    return all(stack.is_healthy(node) for node in stack.nodes) and _serves(stack)


def _finished(stack: Deployed, identities: list[str]) -> bool:
    rows = dict(json.loads(Visitor(stack.edge).dashboard().body))
    return all(rows.get(identity) == "done" for identity in identities)


def _lost(stack: Deployed, identities: list[str]) -> set[str]:
    """Images that the API has acknowledged and the database does not have."""
    return set(identities) - set(dict(json.loads(Visitor(stack.edge).dashboard().body)))


# The dashboard missed a request once while the egress proxy was killed, on a loaded machine; why is not known yet.
UNEXPLAINED = {"egress-proxy"}


@pytest.mark.parametrize(
    "node", [pytest.param(node, marks=[pytest.mark.slow] * (node in UNEXPLAINED)) for node in sorted(ROUTES)]
)
def test_a_killed_container_takes_only_its_own_routes_along_and_is_back(stack: Deployed, node: str) -> None:
    killed = stack.pid(node)
    with Load(stack.edge) as load:
        os.kill(killed, signal.SIGKILL)
        until(lambda: stack.pid(node) not in (0, killed) and stack.is_healthy(node), BACK_WITHIN, node)
        until(lambda: _serves(stack), BACK_WITHIN, "routes")
    statuses = {answer.status for answers in load.answers.values() for answer in answers}
    assert load.failed <= ROUTES[node]
    assert statuses - {200} <= UNAVAILABLE
    assert Visitor(stack.edge).dashboard(f"{STRANGERS}.{10 + sorted(ROUTES).index(node)}").status == 502
    assert _lost(stack, load.acknowledged) == set()


def test_images_that_were_taken_before_the_worker_died_are_finished_after(stack: Deployed) -> None:
    os.kill(stack.pid("worker"), signal.SIGKILL)
    identity = Visitor(stack.edge).uploaded(f"image {time.time_ns()}".encode())
    until(lambda: _finished(stack, [identity]), 60, "thumbnail")


def test_visitors_notice_nothing_when_the_engine_alone_is_restarted(stack: Deployed) -> None:
    before = {node: stack.pid(node) for node in stack.nodes}
    with Load(stack.edge) as load:
        stack.engine.stop()
        stack.engine.start()
        stack.applier.client = stack.engine.client
        until(lambda: _whole(stack), WHOLE_WITHIN, "the stack")
    assert load.failed == set()
    assert {node: stack.pid(node) for node in stack.nodes} == before


def test_after_a_power_cut_the_whole_is_back_with_every_acknowledged_row(stack: Deployed) -> None:
    with Load(stack.edge) as load:
        until(lambda: len(load.acknowledged) > 3, 30, "some images")
        stack.engine.cut_power()
        stack.engine.start()
        stack.applier.client = stack.engine.client
        until(lambda: _whole(stack), WHOLE_WITHIN, "the stack")
    assert _lost(stack, load.acknowledged) == set()
