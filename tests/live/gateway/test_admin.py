"""Admin routes do not exist for anyone but operators: not by answer, not by spelling, not by time."""

import random
import re
import statistics
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from tests.live.gateway.connector import OPERATOR, VISITOR, Connection, Connector, Response, compose, edge_headers
from tests.live.gateway.stand import ADMIN_HOST, CLOSED_HOST, TEAM_HOST, Stand, beside, running

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "TRACE", "MKCOL")
ABSENT = "nimda"
"""As long as the admin path, and nowhere."""
REQUESTS = 300
ROUNDS = 5
"""Attempts at the timing test: another program on the machine may spoil one, a difference spoils them all."""


def _encoded(text: str, times: int = 1) -> str:
    for _ in range(times):
        text = "".join(f"%{byte:02x}" for byte in text.encode()) if text[0] != "%" else text.replace("%", "%25")
    return text


Spelling = Callable[[str], str]
SPELLINGS: dict[str, Spelling] = {
    "plain": lambda word: f"/{word}",
    "slash": lambda word: f"/{word}/",
    "below": lambda word: f"/{word}/users",
    "deep": lambda word: f"/{word}/users/1/keys",
    "query": lambda word: f"/{word}?a=b",
    "empty query": lambda word: f"/{word}?",
    "upper": lambda word: f"/{word.upper()}",
    "title": lambda word: f"/{word.title()}/",
    "mixed": lambda word: f"/{word[0]}{word[1:].upper()}",
    "double slash": lambda word: f"//{word}",
    "triple slash": lambda word: f"///{word}/",
    "inner slashes": lambda word: f"/{word}//users",
    "dot": lambda word: f"/./{word}",
    "dots": lambda word: f"/x/../{word}",
    "dots below": lambda word: f"/{word}/x/../users",
    "encoded dots": lambda word: f"/x/%2e%2e/{word}",
    "half encoded dots": lambda word: f"/x/.%2E/{word}",
    "encoded letter": lambda word: f"/%{ord(word[0]):02x}{word[1:]}",
    "encoded word": lambda word: f"/{_encoded(word)}",
    "upper hex": lambda word: f"/{_encoded(word).upper()}",
    "encoded twice": lambda word: f"/{_encoded(word, 2)}",
    "encoded thrice": lambda word: f"/{_encoded(word, 3)}",
    "encoded slash": lambda word: f"/%2f{word}",
    "encoded end": lambda word: f"/{word}%2fusers",
    "twice encoded slash": lambda word: f"/{word}%252fusers",
    "backslash": lambda word: f"/\\{word}",
    "encoded backslash": lambda word: f"/%5c{word}",
    "backslash below": lambda word: f"/{word}\\users",
    "parameter": lambda word: f"/{word};a=b",
    "parameter below": lambda word: f"/{word};a=b/users",
    "empty parameter": lambda word: f"/;/{word}",
    "dots and parameter": lambda word: f"/x/..;/{word}",
    "extension": lambda word: f"/{word}.json",
    "extension below": lambda word: f"/{word}.php/users",
    "trailing dot": lambda word: f"/{word}.",
    "trailing space": lambda word: f"/{word}%20",
    "tab": lambda word: f"/{word}%09",
    "newline": lambda word: f"/{word}%0a",
    "carriage return": lambda word: f"/{word}%0d%0aX:%20y",
    "null": lambda word: f"/{word}%00",
    "null extension": lambda word: f"/{word}%00.html",
    "fragment": lambda word: f"/{word}#top",
    "encoded fragment": lambda word: f"/{word}%23",
    "encoded query": lambda word: f"/{word}%3fa=b",
    "overlong slash": lambda word: f"/%c0%af{word}",
    "bad bytes": lambda word: f"/{word}%ff",
    "full width": lambda word: f"/{quote(chr(ord(word[0]) + 0xFEE0))}{word[1:]}",
    "absolute": lambda word: f"http://app.example.com/{word}",
    "dot segment end": lambda word: f"/{word}/.",
    "parent end": lambda word: f"/{word}/x/..",
}


def comparable(response: Response) -> bytes:
    """An answer without what differs between any two: the request's id and the time."""
    whole = response.raw_head + b"\r\n\r\n" + response.body
    whole = re.sub(rb"[0-9a-f]{32}", b"ID", whole)
    return re.sub(rb"\r\nDate: [^\r]*", b"\r\nDate: NOW", whole)


def differences(connector: Connector) -> list[str]:
    """Methods and spellings by which a visitor could tell the admin path from one that is not there."""
    return [
        f"{method} {name}"
        for method in METHODS
        for name, spell in SPELLINGS.items()
        if comparable(connector.ask(spell("admin"), method)) != comparable(connector.ask(spell(ABSENT), method))
    ]


def _refuses_openly(files: dict[str, str]) -> dict[str, str]:
    """The gateway with the mistake that this test is there for."""
    path = "/etc/zero-exposure/lua/gate.lua"
    hidden, refused = 'return hide(host, id, "hidden", "admin")', 'return refuse("403", "refused", "admin")'
    assert hidden in files[path]
    return files | {path: files[path].replace(hidden, refused)}


@pytest.fixture(scope="module")
def open_stand(stand: Stand) -> Iterator[Stand]:
    """A gateway that answers 403 on admin paths, beside the right one."""
    with running(_refuses_openly, stand.backends, **beside(1)) as found:
        yield found


def test_there_are_enough_methods_and_spellings() -> None:
    assert len(METHODS) >= 8
    assert len({spell("admin") for spell in SPELLINGS.values()}) == len(SPELLINGS) >= 40


def test_no_method_and_no_spelling_tells_an_admin_path_from_one_that_is_not_there(stand: Stand) -> None:
    assert differences(stand.connector) == []


@pytest.mark.parametrize("target", ["/admin", "/admin/users", "/admin/users?page=2", "/ADMIN", "/admin%20"])
def test_a_redirect_does_not_tell_either(stand: Stand, target: str) -> None:
    """A service that sends everyone to its login page repeats the path that it was asked for."""
    asked = {"X-Redirect": "1"}
    response = stand.connector.ask(target, headers=asked)
    absent = target.replace("admin", ABSENT).replace("ADMIN", ABSENT.upper())
    like = stand.connector.ask(absent, headers=asked)
    assert response.headers["location"] == f"/login?next={target}"
    assert like.headers["location"] == f"/login?next={absent}"
    assert response.status == like.status == 302


def test_control_an_open_refusal_is_seen(open_stand: Stand) -> None:
    assert len(differences(open_stand.connector)) > 100


def test_no_spelling_reaches_the_admin_service(stand: Stand) -> None:
    before = len(stand.backends["panel"].seen)
    for spell in SPELLINGS.values():
        stand.connector.ask(spell("admin"))
        assert not stand.backends["api"].seen[-1]["target"].lower().startswith("/admin")
    assert len(stand.backends["panel"].seen) == before


@pytest.mark.parametrize("operator", [OPERATOR, "2001:db8:7::1"])
def test_control_an_operator_reaches_it(stand: Stand, operator: str) -> None:
    for target in ("/admin", "/admin/users", "//admin", "/%61dmin"):
        assert stand.connector.ask(target, visitor=operator).status in (200, 404)
        assert stand.backends["panel"].seen[-1]["target"] == target


def test_an_admin_host_is_like_one_that_nobody_has(stand: Stand) -> None:
    for method in METHODS:
        for headers in ({}, {"X-Forwarded-Proto": "http"}, {"CF-Ray": None}, {"CF-Connecting-IP": "x"}, {"Host": "?"}):
            given = {key: value for key, value in headers.items() if value != "?"}
            admin = stand.connector.ask("/", method, host=ADMIN_HOST, headers=given)
            assert comparable(admin) == comparable(
                stand.connector.ask("/", method, host="none.example.com", headers=given)
            )
    assert stand.connector.ask("/ok", host=ADMIN_HOST, visitor=OPERATOR).status == 200


def trace(stand: Stand, target: str) -> tuple[str, ...]:
    """Which services an outsider's request reaches, and where a redirect of theirs leads."""
    counts = {name: len(backend.seen) for name, backend in stand.backends.items()}
    response = stand.connector.ask(target, host=TEAM_HOST, headers={"X-Redirect": "1"})
    reached = [name for name, backend in stand.backends.items() if len(backend.seen) > counts[name]]
    return *reached, response.headers.get("location", "").lower()


def tells_below_a_route(stand: Stand, spell: Spelling) -> bool:
    """Whether an outsider could tell an admin path below a route from one that is not there."""
    admin, absent = (trace(stand, f"/the.team{spell(word)}") for word in ("admin", ABSENT))
    return admin != (*absent[:-1], absent[-1].replace(spell(ABSENT).lower(), spell("admin").lower()))


@pytest.mark.parametrize(
    "kind", ["plain", "slash", "below", "query", "upper", "parameter", "extension", "trailing space"]
)
def test_an_admin_path_below_a_route_takes_the_way_of_one_that_is_not_there(stand: Stand, kind: str) -> None:
    assert trace(stand, f"/the.team{SPELLINGS[kind]('admin')}")[0] == "panel"
    assert not tells_below_a_route(stand, SPELLINGS[kind])


@pytest.mark.parametrize("target", ["/the.team/admin/open", "/THE.team/admin", "/the.team/x/../admin"])
def test_nor_does_any_other_way_to_it_tell(stand: Stand, target: str) -> None:
    admin, absent = trace(stand, target), trace(stand, target.replace("admin", ABSENT))
    assert admin[0] == absent[0]


def test_control_at_the_root_such_a_path_is_told_by_its_service(stand: Stand) -> None:
    def spoil(files: dict[str, str]) -> dict[str, str]:
        path, right = "/etc/zero-exposure/lua/gate.lua", "path.route(var.uri, config.visible[host])"
        assert right in files[path]
        return files | {path: files[path].replace(right, '""')}

    with running(spoil, stand.backends, **beside(10)) as found:
        assert tells_below_a_route(found, SPELLINGS["plain"])


def test_a_service_that_knows_the_rest_of_its_path_alone_does_not_tell(stand: Stand) -> None:
    asked = {"X-Redirect": "rest"}
    for word in ("admin", ABSENT):
        response = stand.connector.ask(f"/the.team/{word}/users", host=TEAM_HOST, headers=asked)
        assert response.headers["location"] == f"/login?next=/{word}/users"


@pytest.mark.parametrize("target", ["/Dots.", "/Dots./a", "/dots", "/DOTS.", "/dots.%20"])
def test_an_admin_path_that_ends_in_a_dot_is_hidden_too(stand: Stand, target: str) -> None:
    assert trace(stand, target)[0] == "api"
    assert stand.connector.ask("/Dots.", host=TEAM_HOST, visitor=OPERATOR).status == 404
    assert stand.backends["panel"].seen[-1]["target"] == "/Dots."


CLOSED = ("/", "/ok", "/echo?a=b", *(spell("admin") for spell in SPELLINGS.values()))


def test_where_the_root_is_an_admin_route_visitors_find_its_other_routes_alone(stand: Stand) -> None:
    before = len(stand.backends["panel"].seen)
    answers = {stand.connector.ask(target, host=CLOSED_HOST).status for target in CLOSED}
    spelled = {stand.connector.ask(spell("hooks"), host=CLOSED_HOST).status for spell in SPELLINGS.values()}
    assert len(stand.backends["panel"].seen) == before
    assert answers <= {404, 400, 0}
    assert spelled <= {404, 400, 0}


def test_control_its_other_routes_are_there_and_the_root_for_operators(stand: Stand) -> None:
    stand.connector.ask("/hooks/a", host=CLOSED_HOST)
    assert stand.backends["api"].seen[-1]["target"] == "/hooks/a"
    for target in ("/ok", "/admin", "/"):
        assert stand.connector.ask(target, host=CLOSED_HOST, visitor=OPERATOR).status == 200
        assert stand.backends["panel"].seen[-1]["target"] == target


def _duration(connection: Connection, target: str) -> float:
    request = compose("GET", target, edge_headers(VISITOR))
    begun = time.perf_counter()
    connection.send(request)
    connection.read()
    return time.perf_counter() - begun


def ratio(connector: Connector, one: str, other: str) -> float:
    """Median time of one path over that of another, over interleaved requests on one connection."""
    times: dict[str, list[float]] = {one: [], other: []}
    with connector.connect() as connection:
        for _ in range(REQUESTS):
            for target in random.sample((one, other), 2):
                times[target].append(_duration(connection, target))
    return statistics.median(times[one]) / statistics.median(times[other])


def differ_in_time(connector: Connector, one: str, other: str) -> bool:
    """Whether the medians are more than 10 % apart, again and again."""
    return all(not 0.9 < ratio(connector, one, other) < 1.1 for _ in range(ROUNDS))


@pytest.mark.parametrize("path", ["/admin", "/admin/users", "/ADMIN", "//admin"])
def test_time_does_not_tell_an_admin_path_either(stand: Stand, path: str) -> None:
    assert not differ_in_time(stand.connector, path, path.replace("admin", ABSENT).replace("ADMIN", ABSENT.upper()))


def test_control_an_open_refusal_shows_in_time(open_stand: Stand) -> None:
    assert differ_in_time(open_stand.connector, "/admin", f"/{ABSENT}")
