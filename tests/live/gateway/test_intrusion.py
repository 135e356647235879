"""Real CrowdSec on the gateway's real log, and its bans at the gateway."""

import time
from collections.abc import Callable, Iterator

import pytest

from components.intrusion import edge_bans
from tests.live.gateway.connector import OPERATOR
from tests.live.gateway.crowdsec import CrowdSec
from tests.live.gateway.load import Load
from tests.live.gateway.nginx import wait_until
from tests.live.gateway.stand import ADMIN_HOST, API_HOST, Stand, beside, running
from tests.programs import need

PROMPTLY = 5.0
"""Seconds within which a ban, and its end, have to hold."""


@pytest.fixture(scope="module")
def crowdsec() -> Iterator[CrowdSec]:
    """A CrowdSec of this module's own."""
    need("crowdsec", "cscli")
    found = CrowdSec()
    try:
        yield found.start()
    finally:
        found.remove()


@pytest.fixture(scope="module")
def watched(crowdsec: CrowdSec, stand: Stand) -> Iterator[Stand]:
    """A gateway that CrowdSec watches."""
    with running(backends=stand.backends, watched=True, **beside(4)) as found:
        wait_until(lambda: found.metric("gateway_crowdsec_up") == 1)
        yield found


def is_banned(stand: Stand, visitor: str) -> bool:
    return stand.connector.ask("/ok", visitor=visitor).status == 403


def seconds_until(condition: Callable[[], bool]) -> float:
    """How long a condition takes to hold."""
    begun = time.monotonic()
    wait_until(condition, within=30)
    return time.monotonic() - begun


def test_thirty_bad_requests_ban_an_address_on_every_route_and_no_other_address(
    watched: Stand, crowdsec: CrowdSec
) -> None:
    for number in range(30):
        watched.connector.ask(f"/nowhere/{number}", visitor="198.51.100.20")
    assert seconds_until(lambda: is_banned(watched, "198.51.100.20")) < PROMPTLY
    for target, host in (("/ok", "app.example.com"), ("/read/x", "app.example.com"), ("/keyed", API_HOST)):
        response = watched.connector.ask(target, visitor="198.51.100.20", host=host)
        assert response.status == 403
        line = watched.logged(response.headers["x-request-id"])
        assert (line["decision"], line["reason"], line["upstream"]) == ("banned", "ban", "")
    assert not is_banned(watched, "198.51.100.21")
    crowdsec.cscli("decisions", "delete", "--ip", "198.51.100.20")
    assert seconds_until(lambda: not is_banned(watched, "198.51.100.20")) < PROMPTLY


ATTACKS: dict[str, Callable[[Stand, str], object]] = {
    "admin-probing": lambda stand, visitor: [stand.connector.ask("/admin", visitor=visitor) for _ in range(6)],
    "credential-stuffing": lambda stand, visitor: [
        stand.connector.ask("/login", "POST", visitor=visitor) for _ in range(12)
    ],
    "host-scanning": lambda stand, visitor: [
        stand.connector.ask(host=f"h{number}.example.com", visitor=visitor) for number in range(5)
    ],
    "malformed": lambda stand, visitor: [
        stand.connector.ask(headers={"CF-Ray": None}, visitor=visitor) for _ in range(25)
    ],
    "api-key-guessing": lambda stand, visitor: [
        stand.connector.ask("/keyed", host=API_HOST, visitor=visitor) for _ in range(25)
    ],
    "sensitive-files": lambda stand, visitor: [
        stand.connector.ask(path, visitor=visitor)
        for path in ("/.env", "/.git/config", "/wp-login.php", "/backup.sql", "/actuator/env")
    ],
    "injection": lambda stand, visitor: [
        stand.connector.ask(f"/ok?{query}", visitor=visitor)
        for query in ("q=1%20union%20select%201", "q=%3Cscript%3E", "f=../../etc/passwd", "x=%24%7Bjndi:ldap", "q=1")
    ],
    "scanners": lambda stand, visitor: [
        stand.connector.ask("/ok", visitor=visitor, headers={"User-Agent": "sqlmap/1.7"}) for _ in range(3)
    ],
}


def test_every_kind_of_attack_is_recognised_as_itself(watched: Stand, crowdsec: CrowdSec) -> None:
    visitors = {f"198.51.100.{100 + index}": kind for index, kind in enumerate(ATTACKS)}
    for visitor, kind in visitors.items():
        ATTACKS[kind](watched, visitor)
    wait_until(lambda: all(is_banned(watched, visitor) for visitor in visitors))
    listed = crowdsec.cscli("decisions", "list", "-o", "raw").splitlines()
    for visitor, kind in visitors.items():
        assert any(f"zero-exposure/{kind}" in line for line in listed if visitor in line), kind


def test_control_a_visitor_who_behaves_and_an_operator_who_does_not_stay(watched: Stand, crowdsec: CrowdSec) -> None:
    for number in range(40):
        watched.connector.ask("/ok", visitor="198.51.100.30")
        watched.connector.ask(f"/nowhere/{number}", visitor=OPERATOR)
        watched.connector.ask(f"/nowhere/{number}", visitor="198.51.100.31")
    wait_until(lambda: is_banned(watched, "198.51.100.31"))
    assert not is_banned(watched, "198.51.100.30")
    assert not is_banned(watched, OPERATOR)
    assert watched.connector.ask("/", host=ADMIN_HOST, visitor=OPERATOR).status == 200
    assert OPERATOR not in crowdsec.cscli("decisions", "list", "-o", "raw")


@pytest.mark.parametrize(
    ("decision", "inside", "outside"),
    [
        (("--range", "192.0.2.64/26"), ("192.0.2.64", "192.0.2.127"), ("192.0.2.63", "192.0.2.128")),
        (("--ip", "2001:db8:5:5::1"), ("2001:db8:5:5::1", "2001:db8:5:5:ffff::9"), ("2001:db8:5:6::1",)),
        (("--range", "2001:db8:8::/46"), ("2001:db8:8::1", "2001:db8:b::1"), ("2001:db8:c::1",)),
        (("--ip", "192.0.2.9", "--type", "captcha"), ("192.0.2.9",), ("192.0.2.8",)),
    ],
)
def test_networks_ipv6_and_captchas_are_enforced(
    watched: Stand, crowdsec: CrowdSec, decision: tuple[str, ...], inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    crowdsec.cscli("decisions", "add", *decision)
    assert seconds_until(lambda: all(is_banned(watched, visitor) for visitor in inside)) < PROMPTLY
    assert not any(is_banned(watched, visitor) for visitor in outside)


def test_the_end_of_one_ban_does_not_lift_a_longer_one_of_the_same_network(watched: Stand, crowdsec: CrowdSec) -> None:
    crowdsec.cscli("decisions", "add", "--ip", "2001:db8:64::1", "--duration", "1h")
    crowdsec.cscli("decisions", "add", "--ip", "2001:db8:64::2", "--duration", "4h")
    wait_until(lambda: is_banned(watched, "2001:db8:64::3"))
    crowdsec.cscli("decisions", "delete", "--ip", "2001:db8:64::1")
    crowdsec.cscli("decisions", "add", "--ip", "198.51.100.60")
    wait_until(lambda: is_banned(watched, "198.51.100.60"))
    assert is_banned(watched, "2001:db8:64::3")
    crowdsec.cscli("decisions", "delete", "--ip", "2001:db8:64::2")
    assert seconds_until(lambda: not is_banned(watched, "2001:db8:64::3")) < PROMPTLY


def test_no_ban_holds_for_an_operator_whoever_decided_it(watched: Stand, crowdsec: CrowdSec) -> None:
    """As a shared blocklist may: what CrowdSec reads of operators itself never gets this far."""
    crowdsec.cscli("decisions", "add", "--range", f"{OPERATOR.rpartition('.')[0]}.0/24")
    neighbour = f"{OPERATOR}7"
    assert seconds_until(lambda: is_banned(watched, neighbour)) < PROMPTLY
    assert not is_banned(watched, OPERATOR)
    assert watched.connector.ask("/admin", visitor=OPERATOR).status == 200


def test_while_crowdsec_is_away_nothing_is_lost_and_its_bans_hold(watched: Stand, crowdsec: CrowdSec) -> None:
    crowdsec.cscli("decisions", "add", "--ip", "198.51.100.40")
    wait_until(lambda: is_banned(watched, "198.51.100.40"))
    with Load(watched.connector, visitor="198.51.100.41") as load:
        crowdsec.stop()
        wait_until(lambda: watched.metric("gateway_crowdsec_up") == 0)
        assert is_banned(watched, "198.51.100.40")
        watched.nginx.reload()
        before = load.statuses[200]
        wait_until(lambda: load.statuses[200] > before + 50)
        crowdsec.start()
        wait_until(lambda: watched.metric("gateway_crowdsec_up") == 1)
        assert is_banned(watched, "198.51.100.40")
    assert load.statuses.keys() == {200}
    assert not is_banned(watched, "198.51.100.42")


def test_the_worker_for_the_edge_reads_real_decisions(crowdsec: CrowdSec) -> None:
    crowdsec.cscli("decisions", "add", "--ip", "9.9.9.9")
    crowdsec.cscli("decisions", "add", "--range", "8.8.8.0/24")
    crowdsec.cscli("decisions", "add", "--ip", "2a00:1450:4001:80b::200e")
    key = str(crowdsec.folder / "secrets/reader-gateway")
    settings = edge_bans.Settings(f"http://{crowdsec.values.listen}/v1/decisions", key, "", "", "")
    found = edge_bans.decisions(settings, edge_bans.fetcher(""))
    assert found[:3] == ["2a00:1450:4001:80b::/64", "8.8.8.0/24", "9.9.9.9"]
    assert not [network for network in found if network.startswith("198.51.100.")], "documentation's own is not public"


def test_crowdsec_explains_a_real_line_by_our_parser_and_scenario(watched: Stand, crowdsec: CrowdSec) -> None:
    response = watched.connector.ask("/explained/nowhere", visitor="198.51.100.50")
    watched.logged(response.headers["x-request-id"])
    text = (watched.nginx.folder / "access.log").read_text("utf-8", "replace")
    line = next(line for line in text.splitlines() if response.headers["x-request-id"] in line)
    explained = crowdsec.cscli("explain", "--type", "gateway", "--log", f"<190>Nov 23 15:06:38 host gateway: {line}")
    for name in ("gateway-raw", "gateway (+", "operators", "probing"):
        assert f"zero-exposure/{name}" in explained
