"""Ten thousand requests that nobody sends by mistake, and a scanner's own look."""

import random
import re
import string
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.gateway.connector import HOST, Connector, Response, compose, edge_headers
from tests.live.gateway.nginx import need_nginx, wait_until
from tests.live.gateway.stand import CONNECTOR, GATEWAY, Stand, beside, plain_nginx, running
from tests.programs import need

COUNT = 10_000
THREADS = 24
PATIENCE = 0.3
"""Seconds that the other side waits for an answer, or for a second one."""
ALLOWED = {0, 200, 308, 400, 404, 405, 408, 413, 414, 431, 501, 505}
"""0 is a connection that was closed without an answer. 200: what looked hostile was only odd."""
PRODUCT = re.compile(rb"nginx|openresty|\blua\b|crowdsec|cloudflared|debian|ExampleServer|\b\d+\.\d+\.\d+\b", re.I)

Make = Callable[[random.Random], bytes]


def _junk(chance: random.Random, size: int) -> bytes:
    return bytes(chance.randrange(256) for _ in range(size))


def _request(headers: dict[str, str], target: str = "/ok", method: str = "GET", body: bytes = b"") -> bytes:
    return compose(method, target, {**edge_headers(), "Connection": "close", **headers}, body)


def _smuggled(chance: random.Random) -> bytes:
    inner = b"GET /admin HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\n\r\n"
    coding = chance.choice(["chunked", " chunked", "xchunked", "chunked, identity", "\tchunked", "CHUNKED", "identity"])
    name = chance.choice(["Transfer-Encoding", "Transfer-Encoding ", "transfer-encoding", "Transfer_Encoding"])
    length = chance.choice(["0", "4", "+4", "-1", "4, 4", "0x4", "99999999999999999999", " 4"])
    return (
        _request({name: coding, "Content-Length": length, "Connection": "keep-alive"}, method="POST")
        + b"0\r\n\r\n"
        + inner
    )


def _split(chance: random.Random) -> bytes:
    end = chance.choice(["\r\n", "\n", "\r", "%0d%0a", "\r\n ", "\x0b", "\u0085"])
    place = chance.choice(["target", "header", "name"])
    text = f"{end}X-Injected: yes{end}{end}"
    if place == "target":
        return _request({}, f"/ok{text}")
    return _request({"X-A": f"b{text}"} if place == "header" else {f"X{text}": "b"})


def _encoded(chance: random.Random) -> bytes:
    part = chance.choice(["%", "%2", "%zz", "%00", "%c0%af", "%252e%252e%252f", "%u002e", "%ff%fe", "..%c1%9c", "%0a"])
    return _request({}, f"/{part * chance.randint(1, 40)}/admin")


def _oversize(chance: random.Random) -> bytes:
    size = chance.choice([5_000, 9_000, 40_000])
    kinds: dict[str, Callable[[], bytes]] = {
        "target": lambda: _request({}, "/" + "a" * size),
        "header": lambda: _request({"X-Big": "a" * size}),
        "many": lambda: _request({f"X-{number}": "a" * 20 for number in range(size // 20)}),
        "length": lambda: _request({"Content-Length": "9" * 10}, method="POST"),
        "cookie": lambda: _request({"Cookie": "a=b; " * (size // 5)}),
    }
    return kinds[chance.choice(list(kinds))]()


def _bad_text(chance: random.Random) -> bytes:
    junk = _junk(chance, chance.randint(1, 30)).replace(b"\n", b"").replace(b"\r", b"")
    line = chance.choice([b"GET /%s HTTP/1.1", b"%s /ok HTTP/1.1", b"GET /ok %s", b"GET /ok?%s HTTP/1.1"]) % junk
    return line + b"\r\n" + _request({}).partition(b"\r\n")[2]


def _absolute(chance: random.Random) -> bytes:
    scheme = chance.choice(["http", "https", "ftp", "file", "gopher", "HTTP", ""])
    place = chance.choice([HOST, "127.0.0.1:3000", "ops.example.com", "[::1]", "user@host", "a b", ""])
    return _request({}, f"{scheme}://{place}/admin", chance.choice(["GET", "CONNECT", "OPTIONS"]))


def _old(chance: random.Random) -> bytes:
    return chance.choice(
        [b"GET /\r\n", b"GET / HTTP/0.9\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/2.0\r\n\r\n", b"GET\r\n\r\n",
         b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\n",
         b"GET / HTTP/9.9\r\nHost: x\r\n\r\n"]
    )  # fmt: skip


def _null(chance: random.Random) -> bytes:
    raw = bytearray(_request({}, "/ok?a=b"))
    for _ in range(chance.randint(1, 3)):
        raw.insert(chance.randrange(len(raw)), 0)
    return bytes(raw)


def _flipped(chance: random.Random) -> bytes:
    raw = bytearray(_request({"X-Text": "".join(chance.choices(string.printable, k=30))}, method="POST", body=b"a=b"))
    for _ in range(chance.randint(1, 10)):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


def _noise(chance: random.Random) -> bytes:
    return _junk(chance, chance.randint(1, 300))


def _identity(chance: random.Random) -> bytes:
    value = chance.choice(
        ["127.0.0.1", "::1", "' or 1=1", "1.2.3.4, 5.6.7.8", "", "999.1.1.1", "a" * 500, "203.0.113.7:80"]
    )
    name = chance.choice(["CF-Connecting-IP", "Host", "X-Forwarded-Proto", "CF-Ray"])
    return _request({name: value}) if chance.random() < 0.5 else _request({name.lower(): value})


KINDS: tuple[Make, ...] = (
    _smuggled, _split, _encoded, _oversize, _bad_text, _absolute, _old, _null, _flipped, _noise, _identity,
)  # fmt: skip


def _sent(connector: Connector, seed: int) -> tuple[bytes, list[Response]]:
    """One hostile request and every answer that it got: more than one means that it was taken for two.

    The gateway waits longer for the rest of an unfinished request than this does.
    """
    raw = KINDS[seed % len(KINDS)](random.Random(seed))  # noqa: S311 - repeatable, not secret
    with connector.connect() as connection:
        connection.wire.settimeout(PATIENCE)
        connection.send(raw)
        answers = [connection.read()]
        while answers[-1].status:
            answers.append(connection.read())
    return raw, answers


def _scan(port: int) -> str:
    command = ["nmap", "-Pn", "-sT", "-sV", "-n", "-p", str(port), GATEWAY]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout


def test_ten_thousand_hostile_requests_break_nothing_and_learn_nothing(stand: Stand) -> None:
    workers = stand.nginx.workers()
    before = {name: len(backend.seen) for name, backend in stand.backends.items()}
    statuses: Counter[int] = Counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for raw, answers in pool.map(lambda seed: _sent(stand.connector, seed), range(COUNT)):
            for answer in answers:
                statuses[answer.status] += 1
                assert answer.status in ALLOWED, (raw, answer)
                assert answer.status in (0, 200) or not PRODUCT.search(
                    answer.raw_head.partition(b"\r\n")[2] + answer.body
                ), raw
    assert statuses[400] > 1000
    assert stand.nginx.workers() == workers
    assert "exited on signal" not in stand.nginx.errors.read_text(encoding="utf-8")
    assert stand.connector.ask("/ok").status == 200
    assert len(stand.backends["panel"].seen) == before["panel"], "a request reached the admin service"
    reached = [request["target"].partition("?")[0] for request in stand.backends["api"].seen[before["api"] :]]
    assert not [target for target in reached if "admin" in target.lower()]
    wait_until(lambda: len(stand.log) > COUNT // 2)


@pytest.mark.parametrize("peer", [CONNECTOR, "127.0.0.1"], ids=["as a stranger", "in the connector's place"])
def test_a_scanners_service_detection_names_no_product(stand: Stand, peer: str) -> None:
    """A scan of a loopback address comes from 127.0.0.1, so that is made the connector's place once."""
    need("nmap")
    with running(backends=stand.backends, peer=peer, **beside(5)) as found:
        told = _scan(found.nginx.port)
    (line,) = [line for line in told.splitlines() if line.startswith(f"{found.nginx.port}/tcp")]
    assert "open" in line
    assert not PRODUCT.search(told.partition("PORT")[2].encode().replace(b"nmap.org", b"")), told


def test_control_the_scan_does_name_a_plain_nginx() -> None:
    need_nginx()
    need("nmap")
    with plain_nginx(7) as port:
        assert "nginx" in _scan(port)
