"""What visitors notice of reloads and of services that fail: nothing, or only on the failing service's routes."""

import time
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from settings.route import Route
from tests.live.gateway.backend import Backend
from tests.live.gateway.connector import HOST
from tests.live.gateway.load import Load
from tests.live.gateway.nginx import wait_until
from tests.live.gateway.stand import BACKEND_PORT, ROUTES, Stand, beside, loopback, running, upstream
from topology.model import Upstream

FRAIL, TWIN, DEAD = loopback(21), loopback(22), loopback(23)
PAIR = Upstream("pair", Route(host=HOST, path="/pair"), (IPv4Address(TWIN), IPv4Address(DEAD)), BACKEND_PORT)


@pytest.fixture(scope="module")
def shaken(stand: Stand) -> Iterator[Stand]:
    """A gateway of this module's own, with services that come and go."""
    routes = (*ROUTES, upstream("frail", 21, path="/frail"), PAIR)
    with running(backends=stand.backends, upstreams=routes, **beside(2)) as found:
        yield found


def test_twenty_reloads_lose_no_request(shaken: Stand) -> None:
    with Load(shaken.connector) as load:
        for _ in range(20):
            before = shaken.nginx.workers()
            shaken.nginx.reload()
            wait_until(lambda before=before: shaken.nginx.workers() - before)
    assert load.statuses.keys() == {200}
    assert load.statuses[200] > 100


def test_control_a_stopped_gateway_does_lose_requests(stand: Stand) -> None:
    with running(backends=stand.backends, **beside(3)) as found, Load(found.connector) as load:
        wait_until(lambda: load.statuses[200] > 20)
        found.nginx.process.terminate()
        wait_until(lambda: load.statuses[0] > 0)


def test_a_service_that_dies_takes_only_its_own_routes_down_and_comes_back(shaken: Stand) -> None:
    frail = Backend(FRAIL, BACKEND_PORT, "frail").start()
    with Load(shaken.connector) as others, Load(shaken.connector, "/frail") as load:
        wait_until(lambda: load.statuses[404] > 20)
        assert load.statuses[502] == 0
        frail.stop()
        wait_until(lambda: load.statuses[502] > 20)
        frail = Backend(FRAIL, BACKEND_PORT, "frail").start()
        begun = time.monotonic()
        before = load.statuses[404]
        wait_until(lambda: load.statuses[404] > before)
        recovered = time.monotonic() - begun
    frail.stop()
    assert recovered < 3
    assert load.statuses.keys() == {404, 502}
    assert others.statuses.keys() == {200}
    assert shaken.metric('gateway_errors_total{route="frail/frail",status="502"') >= 20


def test_while_a_service_is_down_it_is_mostly_left_alone(shaken: Stand) -> None:
    ids = [shaken.connector.ask("/frail").headers["x-request-id"] for _ in range(40)]
    wait_until(lambda: {line["id"] for line in shaken.log} >= set(ids))
    asked = [line for line in shaken.log if line["id"] in ids and line["upstream"] == f"{FRAIL}:{BACKEND_PORT}"]
    assert 0 < len(asked) < 30


@pytest.mark.parametrize(("method", "statuses"), [("GET", {404}), ("POST", {404, 502})])
def test_only_what_may_be_repeated_is_tried_elsewhere(shaken: Stand, method: str, statuses: set[int]) -> None:
    """The second of the two hangs up on every request after having read it."""
    hanging_up = Backend(DEAD, BACKEND_PORT, "hanging up", hangs_up=True).start()
    sound = Backend(TWIN, BACKEND_PORT, "sound").start()
    found: set[int] = set()

    def asked() -> bool:
        found.add(shaken.connector.ask("/pair", method).status)
        return found >= statuses

    try:
        # A service that failed a moment ago is left alone for two seconds.
        wait_until(asked)
        for _ in range(12):
            asked()
    finally:
        hanging_up.stop()
        sound.stop()
    assert found == statuses


def test_metrics_are_for_prometheus_and_not_for_visitors(shaken: Stand) -> None:
    for _ in range(5):
        shaken.connector.ask("/ok", headers={"CF-Ray": None})
    wait_until(lambda: shaken.metric('gateway_refused_total{decision="refused",reason="ray"') >= 5)
    assert shaken.metric("gateway_requests_total") > 5
    assert shaken.metric("gateway_connections_active") >= 1
    assert shaken.connector.ask("/metrics").status == 404
