"""What the gateway lets on, on real nginx: the first of its promises."""

import pytest

from tests.live.gateway.connector import HOST, OPERATOR, VISITOR, compose, edge_headers
from tests.live.gateway.stand import ADMIN_HOST, API_HOST, API_KEY, STRANGER, Stand


def test_a_visitors_request_reaches_its_service_with_the_visitors_address(stand: Stand) -> None:
    told = {"X-Forwarded-For": "1.2.3.4", "X-Real-IP": "1.2.3.4", "X-Request-Id": "mine"}
    response = stand.connector.ask("/echo?a=b", headers=told)
    seen = stand.backends["api"].seen[-1]
    assert response.status == 200
    assert seen["target"] == "/echo?a=b"
    assert seen["headers"]["x-real-ip"] == seen["headers"]["x-forwarded-for"] == VISITOR
    assert seen["headers"]["x-forwarded-proto"] == "https"
    assert seen["headers"]["x-request-id"] == response.headers["x-request-id"] != "mine"


@pytest.mark.parametrize("name", ["X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "Proxy", "Forwarded"])
def test_headers_that_name_another_request_are_not_passed_on(stand: Stand, name: str) -> None:
    assert stand.connector.ask("/echo", headers={name: "/admin"}).status == 200
    assert name.lower() not in stand.backends["api"].seen[-1]["headers"]


@pytest.mark.parametrize(
    "name",
    ["True-Client-IP", "X-Client-IP", "X-Cluster-Client-IP", "Client-IP", "Fastly-Client-IP", "X-Forwarded-Scheme"],
)
@pytest.mark.parametrize("target", ["/echo", "/socket/x"])
def test_no_header_of_a_visitor_gives_another_address_or_scheme(stand: Stand, name: str, target: str) -> None:
    """Some services believe these before X-Forwarded-For."""
    stand.connector.ask(target, headers={name: OPERATOR})
    assert name.lower() not in stand.backends["api"].seen[-1]["headers"]


def test_control_other_headers_are_passed_on(stand: Stand) -> None:
    stand.connector.ask("/echo", headers={"X-Anything": "yes"})
    assert stand.backends["api"].seen[-1]["headers"]["x-anything"] == "yes"


@pytest.mark.parametrize(
    "host", ["nobody.example.com", "example.com", f"{HOST}.", f"{HOST}:8080", f"x{HOST}", "127.0.0.1"]
)
def test_an_unknown_host_gets_no_byte(stand: Stand, host: str) -> None:
    assert stand.connector.ask(host=host).status == 0


def test_a_peer_that_is_not_the_connector_gets_no_byte(stand: Stand) -> None:
    assert stand.connector.ask("/ok").status == 200
    assert stand.connector.ask("/ok", source=STRANGER).status == 0
    assert stand.connector.raw(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", source=STRANGER).status == 0
    broken = compose("POST", "/ok", {**edge_headers(), "Transfer-Encoding": "chunked", "Content-Length": "3"})
    assert stand.connector.raw(broken, source=STRANGER).status == 0


@pytest.mark.parametrize("value", [None, "", "nonsense", "1.2.3", f"{VISITOR}, {OPERATOR}", f"{OPERATOR},{VISITOR}"])
def test_a_request_without_one_visitor_address_is_refused(stand: Stand, value: str | None) -> None:
    response = stand.connector.ask("/admin", headers={"CF-Connecting-IP": value})
    assert response.status == 400
    assert stand.logged(response.headers["x-request-id"])["reason"] == "address"


@pytest.mark.parametrize("pair", [(OPERATOR, VISITOR), (VISITOR, OPERATOR), (OPERATOR, OPERATOR)])
def test_two_visitor_addresses_are_refused(stand: Stand, pair: tuple[str, str]) -> None:
    request = compose("GET", "/admin", {**edge_headers(pair[0]), "cf-connecting-ip": pair[1]})
    assert stand.connector.raw(request).status == 400


def test_a_request_without_the_edges_ray_is_refused(stand: Stand) -> None:
    assert stand.connector.ask("/ok", headers={"CF-Ray": None}).status == 400


@pytest.mark.parametrize("name", ["CF-Ray", "X-Forwarded-Proto", "CF-Connecting-IP"])
def test_the_edges_headers_are_never_two(stand: Stand, name: str) -> None:
    """Whichever of two a service would take, and even where they are the same."""
    request = compose("GET", "/ok", {**edge_headers(), name.lower(): edge_headers()[name]})
    assert stand.connector.raw(request).status == 400


def test_control_other_headers_may_be_two(stand: Stand) -> None:
    with stand.connector.connect() as connection:
        connection.send(compose("GET", "/ok", {**edge_headers(), "X-Anything": "a", "x-anything": "b"}))
        assert connection.read().status == 200


BROKEN = {
    "two lengths": "Content-Length: 3\r\nContent-Length: 4\r\n",
    "length and chunks": "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    "unknown coding": "Transfer-Encoding: xchunked\r\n",
    "two codings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "second host": f"Host: {HOST}\r\n",
    "negative length": "Content-Length: -1\r\n",
    "long header": f"X-Long: {'a' * 9000}\r\n",
    "many headers": "".join(f"X-{index}: 1\r\n" for index in range(120)),
}


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431)])
def test_a_request_has_at_most_a_hundred_headers(stand: Stand, more: int, status: int) -> None:
    headers = {f"X-{number}": "1" for number in range(100 - len(edge_headers()) + more)}
    assert stand.connector.ask("/ok", headers=headers).status == status


@pytest.mark.parametrize("kind", BROKEN)
def test_a_request_with_two_readings_is_refused(stand: Stand, kind: str) -> None:
    head = compose("POST", "/ok", edge_headers()).decode().replace("Content-Length: 0\r\n", "")
    request = head.replace("User-Agent", f"{BROKEN[kind]}User-Agent", 1).encode() + b"0\r\n\r\n"
    response = stand.connector.raw(request)
    assert response.status in (400, 413, 431, 501)
    assert "request_id" in response.text


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("HEAD", 404), ("POST", 405), ("DELETE", 405)])
def test_a_route_takes_its_own_methods_only(stand: Stand, method: str, status: int) -> None:
    assert stand.connector.ask("/read/x", method).status == status


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "FOO"])
def test_methods_that_no_route_names_are_refused(stand: Stand, method: str) -> None:
    assert stand.connector.ask("/ok", method).status == 405


@pytest.mark.parametrize(("path", "size", "status"), [("/ok", 8, 200), ("/ok", 9, 413), ("/upload", 9, 200)])
def test_a_body_has_the_size_that_its_route_allows(stand: Stand, path: str, size: int, status: int) -> None:
    assert stand.connector.ask(path, "POST", body=b"x" * (size * 1024 * 1024 - 1)).status == status


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("", 401), (API_KEY[:-1], 401), (f"{API_KEY}0", 401)])
def test_an_api_key_has_to_be_the_whole_key(stand: Stand, key: str | None, status: int) -> None:
    assert stand.connector.ask("/keyed", host=API_HOST, headers={"X-API-Key": key}).status == status


def test_control_the_right_api_key_passes(stand: Stand) -> None:
    assert stand.connector.ask("/keyed", host=API_HOST, headers={"X-API-Key": API_KEY}).status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 400), ({"X-Client": ""}, 400), ({"X-Client": "a"}, 404), ({"X-Client": "a", "X-Debug": "1"}, 400)],
)
def test_a_route_requires_and_forbids_headers(stand: Stand, headers: dict[str, str], status: int) -> None:
    assert stand.connector.ask("/strict", host=API_HOST, headers=headers).status == status


AMBIGUOUS = (
    "/x/../ok",
    "/./ok",
    "/%2e%2e/ok",
    "/x/%252e%252e/ok",
    "/x%2f..%2fok",
    "/..;/ok",
    "/a\\b",
    "/%5cok",
    "/%0aok",
)


@pytest.mark.parametrize("path", [*AMBIGUOUS, "/%c0%af", "/%ff", "/\xff", "/ok%0d%0aX: 1", "/ok#x"])
def test_a_path_with_two_readings_does_not_exist(stand: Stand, path: str) -> None:
    response = stand.connector.ask(path)
    assert response.status in (404, 400)
    assert stand.backends["api"].seen[-1]["target"] != path


@pytest.mark.parametrize(
    "path", ["/ok", "/%6fk", "/ok?x=../..&y=%00#", "//ok", "/files/a%2Fb", "/a;v=1", "/.well-known/x"]
)
def test_control_a_path_with_one_reading_arrives_as_it_was_sent(stand: Stand, path: str) -> None:
    stand.connector.ask(path)
    assert stand.backends["api"].seen[-1]["target"] == path


@pytest.mark.parametrize("target", ["*", "ok", "?", f"http://{HOST}?a=b"])
def test_only_a_path_is_a_target(stand: Stand, target: str) -> None:
    assert stand.connector.ask(target, "OPTIONS").status == 400


def test_a_target_with_another_host_than_the_header_gets_no_byte(stand: Stand) -> None:
    assert stand.connector.ask(f"http://{ADMIN_HOST}/ok").status == 0
    assert stand.connector.ask(f"http://{ADMIN_HOST}/ok", visitor=OPERATOR).status == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_is_sent_to_https_with_its_method(stand: Stand, method: str) -> None:
    response = stand.connector.ask("/ok?a=b", method, headers={"X-Forwarded-Proto": "http"})
    assert (response.status, response.headers["location"]) == (308, f"https://{HOST}/ok?a=b")


UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAA"}


def test_websocket_passes_on_its_route(stand: Stand) -> None:
    with stand.connector.connect() as connection:
        connection.send(compose("GET", "/socket", {**edge_headers(), **UPGRADE}))
        assert connection.read().status == 101
        connection.send(b"ping")
        assert connection.wire.recv(4) == b"ping"


@pytest.mark.parametrize(("path", "protocol"), [("/echo", "websocket"), ("/socket", "h2c")])
def test_control_no_other_upgrade_passes(stand: Stand, path: str, protocol: str) -> None:
    response = stand.connector.ask(path, headers={**UPGRADE, "Upgrade": protocol})
    assert response.status in (200, 426)


def test_server_sent_events_arrive_one_by_one(stand: Stand) -> None:
    with stand.connector.connect() as connection:
        connection.send(compose("GET", "/events", edge_headers()))
        while b"data: 1" not in connection.received:
            connection.received += connection.wire.recv(4096)
        assert b"data: 2" not in connection.received
        while b"data: 2" not in connection.received:
            connection.received += connection.wire.recv(4096)


def test_an_upload_streams_to_its_service_before_it_is_whole(stand: Stand) -> None:
    with stand.connector.connect() as connection:
        connection.send(compose("POST", "/upload/stream", {**edge_headers(), "Content-Length": "1000000"}) + b"x" * 500)
        assert "bytes of 1000000" in connection.read().text


def test_a_slow_client_is_cut_off(stand: Stand) -> None:
    with stand.connector.connect() as connection:
        connection.send(b"GET /ok HTTP/1.1\r\n")
        connection.wire.settimeout(60)
        assert connection.read().status in (0, 408)
