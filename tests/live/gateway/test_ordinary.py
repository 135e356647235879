"""What CrowdSec is told of: every request but ordinary ones that succeed, and nothing that a scenario looks for."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.live.gateway.nginx import need_nginx
from tests.live.gateway.stand import API_HOST, CROWDSEC, SYSLOG_PORT, Stand, beside, running

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


@dataclass
class Watched:
    """A gateway, and the socket that gets CrowdSec's lines."""

    stand: Stand
    sink: socket.socket

    def ask(self, target: str, agent: str = CHROME, **more: Any) -> str:
        """One request; gives its id."""
        answer = self.stand.connector.ask(target, host=API_HOST, headers={"User-Agent": agent or None}, **more)
        return answer.headers["x-request-id"]

    def told(self) -> set[str]:
        """Ids of the lines so far: datagrams keep their order, and one more request is told of for certain."""
        last, found = self.ask("/status/404/last"), set[str]()
        while last not in found:
            found.add(json.loads(self.sink.recv(65536).partition(b"gateway: ")[2])["id"])
        return found


@pytest.fixture(scope="module")
def watched(stand: Stand) -> Iterator[Watched]:
    need_nginx()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind((CROWDSEC, SYSLOG_PORT))
        sink.settimeout(10)
        with running(backends=stand.backends, watched=True, **beside(6)) as found:
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


def test_control_without_the_words_a_successful_scan_stays_unseen(watched: Watched) -> None:
    def spoil(files: dict[str, str]) -> dict[str, str]:
        return {path: text.replace("wp-(?:login|admin|config)", "never") for path, text in files.items()}

    with running(spoil, backends=watched.stand.backends, watched=True, **beside(7)) as found:
        blind = Watched(found, watched.sink)
        asked = blind.ask("/status/200/wp-login")
        assert asked not in blind.told()
