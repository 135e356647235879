"""One JSON line a request, without what a log must not hold."""

import time

from tests.live.gateway.connector import HOST, VISITOR, compose, edge_headers
from tests.live.gateway.nginx import wait_until
from tests.live.gateway.stand import Stand

FIELDS = {
    "time", "id", "ray", "visitor", "host", "method", "target", "route", "login", "status", "bytes", "seconds",
    "upstream", "upstream_status", "upstream_seconds", "decision", "reason", "agent",
}  # fmt: skip


def test_a_line_tells_who_asked_for_what_and_what_was_decided(stand: Stand) -> None:
    response = stand.connector.ask("/ok?a=b")
    line = stand.logged(response.headers["x-request-id"])
    assert set(line) == FIELDS
    expected = {"ray": "8f2b00000000abcd-FRA", "visitor": VISITOR, "host": HOST, "method": "GET", "target": "/ok?a=b"}
    assert {key: line[key] for key in expected} == expected
    assert (line["route"], line["status"], line["upstream_status"]) == ("api/", 200, "200")
    assert (line["decision"], line["reason"]) == ("allowed", "")
    assert float(line["upstream_seconds"]) >= 0


def test_secrets_of_a_request_are_not_logged(stand: Stand) -> None:
    secret = "s3cr3t-of-this-test"
    headers = {"Authorization": f"Bearer {secret}", "Cookie": f"session={secret}", "X-API-Key": secret}
    response = stand.connector.ask(f"/read/x?token={secret}", headers=headers)
    line = stand.logged(response.headers["x-request-id"])
    assert line["target"] == "/read/x"
    assert secret not in (stand.nginx.folder / "access.log").read_text("utf-8", "replace")


def test_control_a_query_is_logged_where_the_route_is_not_sensitive(stand: Stand) -> None:
    response = stand.connector.ask("/ok?token=shown")
    assert stand.logged(response.headers["x-request-id"])["target"] == "/ok?token=shown"


def test_a_login_route_is_marked_for_crowdsec(stand: Stand) -> None:
    response = stand.connector.ask("/login", "POST")
    assert stand.logged(response.headers["x-request-id"])["login"] == "1"


def test_what_a_visitor_chooses_cannot_break_a_line_or_make_it_long(stand: Stand) -> None:
    agent = '"\\\x01{}' + "a" * 4000
    response = stand.connector.ask(f"/ok?{'q' * 4000}", headers={"User-Agent": agent})
    line = stand.logged(response.headers["x-request-id"])
    assert line["agent"] == agent[:256]
    assert len(line["target"]) == 1024


def test_an_unknown_host_is_logged_short_too(stand: Stand) -> None:
    marker = str(time.monotonic_ns())
    headers = {**edge_headers(host="nobody.example.com"), "User-Agent": marker + "\x01" * 4000}
    stand.connector.raw(compose("GET", f"/{'x' * 4000}", headers))
    wait_until(lambda: any(line["agent"].startswith(marker) for line in stand.log))
    (line,) = [line for line in stand.log if line["agent"].startswith(marker)]
    assert (line["decision"], line["reason"], line["status"]) == ("closed", "host", 444)
    assert len(line["agent"]) == 256
    assert len(line["target"]) == 1024


def test_every_line_of_every_test_is_json(stand: Stand) -> None:
    stand.connector.ask("/ok")
    wait_until(lambda: len(stand.log) > 0)
    assert all(set(line) == FIELDS for line in stand.log)
