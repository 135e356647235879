"""What the real squid lets through and what it refuses, with the files as rendered.

`worker` may call api.example.net and *.wild.example.org, `mailer` other.example.net.
"""

import re
from pathlib import Path

import pytest

from components.egress.component import HEALTH_COMMAND
from tests.live.egress.stand import FIRST, INSIDE, METADATA, REBINDING, SECOND, Outcome, Stand, running

API, OTHER = "https://api.example.net/", "https://other.example.net/"


def refused(stand: Stand, outcome: Outcome) -> bool:
    """True where nothing was reached and the log says so."""
    line = stand.logged(outcome)[0]
    return not outcome.reached and (line["result"] == "TCP_DENIED" or line["tls"] == "terminate")


def complaints(stand: Stand, config: Path) -> list[str]:
    parsed = stand.namespace.run("squid", "-k", "parse", "-f", str(config))
    return re.findall(r"WARNING|ERROR|UPGRADE|FATAL", parsed.stderr) + ["failed"] * bool(parsed.returncode)


def test_squid_has_nothing_to_say_about_the_configuration(stand: Stand, tmp_path: Path) -> None:
    config = stand.folder / "config/squid.conf"
    assert complaints(stand, config) == []
    spoiled = tmp_path / "squid.conf"
    spoiled.write_text(config.read_text(encoding="utf-8") + "ssl_bunp splice all\n", encoding="utf-8")
    assert complaints(stand, spoiled)


@pytest.mark.parametrize(
    ("service", "url", "address"),
    [
        ("worker", API, FIRST),
        ("worker", "https://API.example.NET/", FIRST),
        ("worker", "https://a.wild.example.org/", SECOND),
        ("mailer", OTHER, FIRST),
        ("mailer-2", OTHER, FIRST),
    ],
)
def test_a_declared_domain_is_reached_on_443(stand: Stand, service: str, url: str, address: str) -> None:
    outcome = stand.call(service, url)
    assert (outcome.tunnel, outcome.body) == (200, f"reached {address}")


@pytest.mark.parametrize(
    ("service", "host"),
    [
        ("worker", "other.example.net"),
        ("mailer", "api.example.net"),
        ("mailer-2", "api.example.net"),
        ("worker", "wild.example.org"),
        ("worker", "example.net"),
        ("worker", "sub.api.example.net"),
        ("worker", "xapi.example.net"),
        ("worker", "api.example.net.attacker.example"),
        ("worker", "evilwild.example.org"),
        ("worker", "a.wildxexample.org"),
        ("worker", "carried-out.attacker.example"),
    ],
)
def test_any_other_domain_is_refused(stand: Stand, service: str, host: str) -> None:
    assert refused(stand, stand.call(service, f"https://{host}/"))


def test_a_refused_name_is_not_even_looked_up(stand: Stand) -> None:
    stand.call("worker", "https://carried-out.attacker.example/")
    stand.call("worker", API)
    assert "attacker.example" not in stand.looked_up
    assert "api.example.net" in stand.looked_up


def test_what_a_service_may_call_is_bound_to_its_address(stand: Stand) -> None:
    mailer = str(stand.client("mailer").address)
    assert refused(stand, stand.call("worker", API, source=mailer))
    assert stand.call("worker", OTHER, source=mailer).reached
    assert refused(stand, stand.call("worker", API, source=str(stand.values.resolvers[0])))


@pytest.mark.parametrize("address", [FIRST, SECOND, INSIDE, METADATA, "127.0.0.1"])
def test_an_address_literal_is_refused(stand: Stand, address: str) -> None:
    assert refused(stand, stand.call("worker", f"https://{address}/", "--insecure"))


def test_a_reverse_record_makes_no_address_a_declared_name(stand: Stand) -> None:
    reverse = ".".join([*reversed(SECOND.split(".")), "in-addr.arpa"])
    stand.call("worker", f"https://{SECOND}/", "--insecure")
    assert reverse not in stand.looked_up
    with running({"rules.conf": lambda text: text.replace("dstdomain -n", "dstdomain")}) as spoiled:
        spoiled.call("worker", f"https://{SECOND}/", "--insecure")
        assert reverse in spoiled.looked_up


@pytest.mark.parametrize("url", ["http://api.example.net/", "http://api.example.net:443/", "ftp://api.example.net/"])
def test_only_tunnels_are_made(stand: Stand, url: str) -> None:
    before = len(stand.connections)
    assert refused(stand, stand.call("worker", url))
    assert len(stand.connections) == before


@pytest.mark.parametrize("port", [22, 80, 853, 8443])
def test_only_port_443_is_reached(stand: Stand, port: int) -> None:
    assert refused(stand, stand.call("worker", f"https://api.example.net:{port}/"))


def greeting(stand: Stand, name: str, host: str = "api.example.net") -> Outcome:
    """A tunnel to one host, in which the TLS greeting asks for another name, or for none."""
    return stand.call("worker", f"https://{name}/", "--insecure", "--connect-to", f"{name}:443:{host}:443")


@pytest.mark.parametrize("name", ["other.example.net", "a.wild.example.org", "carried-out.attacker.example"])
def test_the_name_in_the_greeting_must_agree(stand: Stand, name: str) -> None:
    before = len(stand.connections)
    assert refused(stand, greeting(stand, name))
    assert len(stand.connections) == before


def test_below_a_wildcard_any_name_below_agrees(stand: Stand) -> None:
    assert greeting(stand, "b.wild.example.org", "a.wild.example.org").reached
    assert refused(stand, greeting(stand, "wild.example.org", "a.wild.example.org"))


def test_a_greeting_without_a_name_asks_for_nothing_else(stand: Stand) -> None:
    assert greeting(stand, FIRST).reached


def test_without_that_rule_it_need_not() -> None:
    with running({"rules.conf": lambda text: re.sub(r"(ssl_bump splice .*) name_\S+", r"\1", text)}) as stand:
        assert greeting(stand, "other.example.net").reached


def test_what_is_no_tls_reaches_no_server(stand: Stand) -> None:
    before = len(stand.connections)
    assert not stand.call("worker", "http://api.example.net:443/", "--proxytunnel", "--max-time", "5").reached
    assert len(stand.connections) == before


@pytest.mark.parametrize("name", REBINDING)
def test_a_declared_name_that_points_inside_is_refused(stand: Stand, name: str) -> None:
    assert refused(stand, stand.call("worker", f"https://{name}/"))
    assert not {INSIDE, METADATA} & set(stand.connections)


def test_without_that_rule_it_would_lead_inside() -> None:
    with running({"rules.conf": lambda text: re.sub(r"http_access deny .* private\n", "", text)}) as stand:
        assert stand.call("worker", "https://rebind.example.net/").body == f"reached {INSIDE}"
        assert stand.call("worker", "https://metadata.example.net/").body == f"reached {METADATA}"


def test_the_log_says_who_was_refused_where_and_nothing_of_health_checks(stand: Stand) -> None:
    line = stand.logged(stand.call("worker", "https://carried-out.attacker.example/"))[0]
    expected = (str(stand.client("worker").address), "carried-out.attacker.example:443", "TCP_DENIED")
    assert (line["client"], line["target"], line["result"]) == expected
    assert stand.namespace.run(*HEALTH_COMMAND).returncode == 0
    assert "127.0.0.1" not in {line["client"] for line in stand.log}


def test_a_client_can_not_forge_a_line_of_the_log(stand: Stand) -> None:
    forged = 'x","result":"TCP_TUNNEL'
    outcomes = [
        stand.call("worker", f'http://api.example.net/"{forged}"'),
        stand.call("worker", "http://api.example.net/", "--request", 'GET"x'),
    ]
    for outcome in outcomes:
        assert [line["result"] == "TCP_TUNNEL" for line in stand.logged(outcome)] == [False]
    assert all(set(line) == set(stand.log[0]) for line in stand.log)
