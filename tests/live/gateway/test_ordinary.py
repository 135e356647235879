"""What CrowdSec is told of: every request but ordinary ones that succeed, and nothing that a scenario looks for.

And an ordinary one's line, which is written without being escaped: no visitor can break or forge it.
"""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from settings.gateway import Gateway
from tests.live.gateway.connector import HOST
from tests.live.gateway.nginx import need_nginx, wait_until
from tests.live.gateway.stand import API_HOST, API_KEY, CROWDSEC, SYSLOG_PORT, Change, Stand, beside, running

SYSTEM = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0)"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
FIREFOX = f"{SYSTEM} Gecko/20100101 Firefox/132.0"
AGENTS = (CHROME, FIREFOX)
TARGETS = (
    *("/status/200", "/status/200/a_b-C/7/", "/status/200/a?page=2&sort=-name,id&x="),
    *("/status/200/app.js", "/status/206/a.css?v=1"),
)
TOLD_TARGETS = (
    *("/status/200/wp-login", "/status/200/WP-Admin/x", "/status/200/wp-config", "/status/200/phpMyAdmin"),
    *("/status/200/phpinfo", "/status/200/actuator/env", "/status/200/cgi-bin/x", "/status/200?t=information_schema"),
    *("/status/200/x.sql", "/status/200/x.js.bak", "/status/200/.env", "/status/200/a%27b", "/status/200?q=a+b"),
    *("/status/200//a", "/status/200?a=<script", "/status/200?a=b?c", "/status/404/a", "/status/500/a"),
    f"/status/200/{'x' * 1100}",
)
TOLD_AGENTS = (
    *("curl/8.0", "Mozilla/5.0 zgrab/0.x", f"{CHROME} nikto/2.1", f"{CHROME}/sqlmap", f"{SYSTEM} (nuclei)"),
    *("Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)", "Mozilla/5.00 (Nikto/2.1.6)"),
    *(f"{FIREFOX} {'Mobile ' * 40}", ""),
)
# Of two workers one answers the last request while the other has yet to tell of the one before.
ONE_WORKER = Gateway(workers=1, rate=100_000, burst=100_000, connections=1000)


@dataclass
class Watched:
    """A gateway, and the socket that gets CrowdSec's lines."""

    stand: Stand
    sink: socket.socket

    def ask(self, target: str, agent: str = CHROME, **more: Any) -> str:
        """One request; gives its id."""
        answer = self.stand.connector.ask(target, host=API_HOST, headers={"User-Agent": agent or None}, **more)
        return answer.headers["x-request-id"]

    def line(self, asked: str) -> str:
        """The log's own line of one request, which may not be JSON."""

        def found() -> list[str]:
            text = (self.stand.nginx.folder / "access.log").read_bytes().decode("utf-8", "replace")
            return [line for line in text.split("\n") if f'"id":"{asked}"' in line]

        wait_until(found, f"no log line of {asked}")
        return found()[0]

    def told(self) -> set[str]:
        """Ids of the lines so far: one worker sends them in order, and one more request is told of for certain."""
        last, found = self.ask("/status/404/last"), set[str]()
        while last not in found:
            text = self.sink.recv(65536).partition(b"gateway: ")[2].decode("utf-8", "replace")
            found.add(json.loads(text)["id"])
        return found


def fields(line: str) -> dict[str, Any]:
    """What a line tells; nothing where it is broken. A field that comes twice is a forgery of its own."""
    try:
        pairs: list[tuple[str, Any]] = json.loads(line, object_pairs_hook=list)
    except ValueError:
        return {}
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}


@pytest.fixture(scope="module")
def watched(stand: Stand) -> Iterator[Watched]:
    need_nginx()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind((CROWDSEC, SYSLOG_PORT))
        sink.settimeout(10)
        with running(backends=stand.backends, watched=True, gateway=ONE_WORKER, **beside(6)) as found:
            yield Watched(found, sink)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("agent", AGENTS)
def test_an_ordinary_success_is_logged_and_crowdsec_is_not_told(watched: Watched, target: str, agent: str) -> None:
    asked = watched.ask(target, agent)
    assert asked not in watched.told()
    line = watched.stand.logged(asked)
    assert (line["target"], line["agent"], line["route"]) == (target, agent, "api/status")
    assert (line["decision"], line["reason"], line["login"], line["status"]) == ("allowed", "", "", int(target[8:11]))


@pytest.mark.parametrize("target", TOLD_TARGETS)
def test_crowdsec_is_told_of_an_address_that_a_scenario_could_look_for(watched: Watched, target: str) -> None:
    assert watched.ask(target) in watched.told()


@pytest.mark.parametrize("agent", TOLD_AGENTS)
def test_crowdsec_is_told_of_an_agent_that_is_no_plain_browser(watched: Watched, agent: str) -> None:
    assert watched.ask("/status/200", agent) in watched.told()


def test_more_agents_than_are_remembered_are_judged_too(watched: Watched) -> None:
    ordinary = {watched.ask("/status/200", f"{FIREFOX}.{number}") for number in range(1100)}
    unusual = watched.ask("/status/200", "curl/8.0")
    told = watched.told()
    assert unusual in told
    assert not ordinary & told


FORGED = '","status":200,"decision":"allowed","agent":"x'
HOSTILE = (FORGED, '"', "\\", '\\"', "\\u0022", "\t", "\x01", "\x7f", "\x80", "\xff", "\xe2\x80\xa8", "{", "'")
RAY, ASKED = "8f2b00000000abcd-FRA", "/status/200/a"


def hostile(place: str, text: str) -> tuple[str, dict[str, str]]:
    """Target and headers of a request that is ordinary but for a text in one place, and the field that shows it."""
    headers = {"CF-Ray": RAY, "User-Agent": CHROME}
    target = {"path": f"{ASKED}{text}", "query": f"{ASKED}?b={text}"}.get(place, ASKED)
    if place == "ray":
        headers["CF-Ray"] = RAY + text
    if place == "system":
        headers["User-Agent"] = CHROME.replace("NT", f"NT{text}")
    if place == "product":
        headers["User-Agent"] = CHROME.replace(" Chrome", f"{text}Chrome")
    if place == "end":
        headers["User-Agent"] = f"{CHROME}{text}x"
    return target, headers


PLACES = {"path": "target", "query": "target", "ray": "ray", "system": "agent", "product": "agent", "end": "agent"}


def spoilt(watched: Watched, place: str, texts: tuple[str, ...] = HOSTILE) -> list[str]:
    """Texts whose line is not one whole line that tells exactly what the visitor sent, or that it was refused."""
    asked = {}
    for text in texts:
        target, headers = hostile(place, text)
        sent = {"target": target, "ray": headers["CF-Ray"], "agent": headers["User-Agent"]}[PLACES[place]]
        answer = watched.stand.connector.ask(target, host=API_HOST, headers=headers)
        asked[answer.headers["x-request-id"]] = (text, sent.encode("latin-1").decode("utf-8", "replace"))
    lines = {request_id: fields(watched.line(request_id)) for request_id in asked}
    return [
        text
        for request_id, (text, sent) in asked.items()
        if lines[request_id].get(PLACES[place]) != sent and lines[request_id].get("decision") != "refused"
    ]


@pytest.mark.parametrize("place", PLACES)
def test_no_text_of_a_visitor_breaks_or_forges_a_line(watched: Watched, place: str) -> None:
    assert spoilt(watched, place) == []


def _takes_any(what: str) -> Change:
    """The gateway with the mistake that the test above is there for."""

    def spoil(files: dict[str, str]) -> dict[str, str]:
        conf, lua = "/etc/zero-exposure/gateway/ordinary.conf", "/etc/zero-exposure/lua/ordinary.lua"
        path, right, wrong = {
            "ray": (conf, " [\\w-]++ (?=/)", " .*? (?=/)"),
            "target": (conf, "(?:/[\\w-]++)*+", "/.*+"),
            "agent": (lua, "found = is_browser(text)", "found = true"),
        }[what]
        assert right in files[path]
        return files | {path: files[path].replace(right, wrong)}

    return spoil


@pytest.mark.parametrize(
    ("place", "texts"),
    [("query", (FORGED, "\\")), ("ray", ('"', "\t")), ("system", (FORGED, "\\")), ("product", (FORGED, "\t"))],
)
def test_control_an_expression_that_takes_too_much_lets_lines_be_broken(
    watched: Watched, place: str, texts: tuple[str, ...]
) -> None:
    with running(_takes_any(PLACES[place]), backends=watched.stand.backends, watched=True, **beside(8)) as found:
        assert spoilt(Watched(found, watched.sink), place, texts) == list(texts)


DECIDED: dict[str, tuple[str, dict[str, Any]]] = {
    "hidden admin": ("/admin/users", {"headers": {"X-Redirect": "1"}}),
    "ambiguous dots": ("/x/../ok", {"headers": {"X-Redirect": "1"}}),
    "refused method": ("/ok", {"method": "PROPFIND"}),
    "refused api_key": ("/keyed", {"host": API_HOST}),
    "refused header_missing": ("/strict", {"host": API_HOST}),
    "refused route": ("/nowhere", {"host": API_HOST}),
    "refused address": ("/ok", {"headers": {"CF-Connecting-IP": "1.2.3"}}),
    "redirected http": ("/ok", {"headers": {"X-Forwarded-Proto": "http"}}),
    "refused malformed": ("/ok", {"headers": {f"X-{number}": "1" for number in range(120)}}),
}


def decided(watched: Watched, decision: str) -> tuple[str, str]:
    """A browser's request that the gateway decides about: its id, and the decision that its line tells."""
    target, more = DECIDED[decision]
    headers = {"User-Agent": CHROME, **more.get("headers", {})}
    asked = watched.stand.connector.ask(target, **{"host": HOST, **more, "headers": headers}).headers["x-request-id"]
    line = watched.stand.logged(asked)
    return asked, f"{line['decision']} {line['reason']}"


@pytest.mark.parametrize("decision", DECIDED)
def test_a_browsers_request_that_was_decided_about_is_logged_and_told_so(watched: Watched, decision: str) -> None:
    asked, told = decided(watched, decision)
    assert told == decision
    assert asked in watched.told()


def test_control_a_decision_that_leaves_a_request_ordinary_is_not_seen(watched: Watched) -> None:
    def spoil(files: dict[str, str]) -> dict[str, str]:
        path, right = "/etc/zero-exposure/lua/gate.lua", '    var.ordinary = ""\n    metrics'
        assert right in files[path]
        return files | {path: files[path].replace(right, "    metrics")}

    with running(spoil, backends=watched.stand.backends, watched=True, **beside(9)) as found:
        asked, told = decided(Watched(found, watched.sink), "hidden admin")
        assert told != "hidden admin"
        assert asked not in Watched(found, watched.sink).told()


@pytest.mark.parametrize(
    ("target", "host", "key"), [("/read/x", HOST, "sensitive"), ("/login", HOST, "login"), ("/own/x", API_HOST, "own")]
)
def test_crowdsec_is_told_where_a_success_or_a_services_own_error_matters(
    watched: Watched, target: str, host: str, key: str
) -> None:
    """Sensitive and login routes as a whole, and a 404 that the service itself explains."""
    answer = watched.stand.connector.ask(target, host=host, headers={"User-Agent": CHROME, "X-API-Key": API_KEY})
    assert answer.headers["x-request-id"] in watched.told(), key


def test_control_without_the_words_a_successful_scan_stays_unseen(watched: Watched) -> None:
    def spoil(files: dict[str, str]) -> dict[str, str]:
        return {path: text.replace("wp-(?:login|admin|config)", "never") for path, text in files.items()}

    with running(spoil, backends=watched.stand.backends, watched=True, **beside(7)) as found:
        blind = Watched(found, watched.sink)
        asked = blind.ask("/status/200/wp-login")
        assert asked not in blind.told()
