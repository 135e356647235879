"""The audit's look from outside: a stack as it should be passes, and each thing that is wrong is found."""

import ssl
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.audit.result import Result
from ops.audit.table import CHECKS
from ops.audit.web import Answer
from tests.live.certificates import Certificate, authority, signed
from tests.ops.audit.stand import (
    ACCOUNT,
    ADMIN,
    API,
    EDGE4,
    ORIGIN4,
    ORIGIN6,
    SSH,
    TUNNELS,
    ZONE,
    Stand,
    records,
    site,
    stand,
)
from tests.programs import need

OUTSIDE = (
    "tcp-scan",
    "udp-scan",
    "provider-firewall",
    "private-networks",
    "dns-zone",
    "dns-outside",
    "tls",
    "tls-termination",
    "https-redirect",
    "security-headers",
    "admin-invisible",
    "access",
    "tunnels",
    "tunnel-ingress",
    "tunnel-alert",
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificate, Certificate, Certificate, Path]:
    """An authority, a certificate of its, one that ends soon, and their folder."""
    need("openssl")
    folder = tmp_path_factory.mktemp("certificates")
    by = authority(folder, "authority")
    return by, signed(folder, by, "*.example.org", days=60), signed(folder, by, "api.example.org", days=5), folder


@pytest.fixture
def clean(certificates: tuple[Certificate, Certificate, Certificate, Path]) -> Iterator[Stand]:
    """A stack as it should be."""
    with stand(certificates[0], certificates[1]) as found:
        yield found


def _measured(given: Stand) -> dict[str, Result]:
    live = given.live()
    return {check.id: check.run(live) for check in CHECKS if check.id in OUTSIDE}


def test_a_stack_as_it_should_be_passes_every_check(clean: Stand) -> None:
    found = _measured(clean)
    assert {name: result for name, result in found.items() if result.verdict != "pass"} == {}
    assert set(found) == set(OUTSIDE)


def _body(given: Stand, key: str) -> Any:
    return given.answers[key][1]


def _open_port(given: Stand) -> None:
    given.scanner.open["tcp"] = (22,)


def _open_udp_port(given: Stand) -> None:
    given.scanner.open["udp"] = (53,)


def _unfiltered(given: Stand) -> None:
    given.scanner.closed = 3


def _inbound_rule(given: Stand) -> None:
    _body(given, "GET /firewalls/7")["firewall"]["rules"].append({"direction": "in", "protocol": "tcp", "port": "22"})


def _no_firewall(given: Stand) -> None:
    _body(given, "GET /servers/42")["server"]["public_net"]["firewalls"] = []


def _pending_firewall(given: Stand) -> None:
    _body(given, "GET /servers/42")["server"]["public_net"]["firewalls"][0]["status"] = "pending"


def _private_network(given: Stand) -> None:
    _body(given, "GET /servers/42")["server"]["private_net"] = [{"network": 9}]


def _record(**record: Any) -> Callable[[Stand], None]:
    def spoil(given: Stand) -> None:
        given.answers[f"GET /zones/{ZONE}/dns_records"] = (200, {"result": [*records(), record]})

    return spoil


def _unproxied(given: Stand) -> None:
    found = records()
    found[0]["proxied"] = False
    given.answers[f"GET /zones/{ZONE}/dns_records"] = (200, {"result": found})


def _no_record(given: Stand) -> None:
    kept = [record for record in records() if record["name"] not in (SSH, "*.example.org")]
    given.answers[f"GET /zones/{ZONE}/dns_records"] = (200, {"result": kept})


def _leaking_name(given: Stand) -> None:
    given.names[SSH] = (EDGE4, ORIGIN4)


def _old_tls(given: Stand) -> None:
    _speaking(given.context, ssl.TLSVersion.TLSv1, ssl.TLSVersion.MAXIMUM_SUPPORTED)


def _new_tls_refused(given: Stand) -> None:
    _speaking(given.context, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)


def _speaking(context: ssl.SSLContext, oldest: ssl.TLSVersion, newest: ssl.TLSVersion) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = oldest, newest


def _elsewhere(given: Stand) -> None:
    given.names[API] = ("203.0.113.9",)


def _https_behind(given: Stand) -> None:
    _ingress(given, "app")[0]["service"] = "https://10.128.0.18:8443"


def _ingress(given: Stand, role: str) -> Any:
    path = f"GET /accounts/{ACCOUNT}/cfd_tunnel/{TUNNELS[role]}/configurations"
    return _body(given, path)["result"]["config"]["ingress"]


def _answering(change: Callable[[str, str, bool, Answer], Answer]) -> Callable[[Stand], None]:
    def spoiled(host: str, path: str, plain: bool) -> Answer:
        return change(host, path, plain, site(host, path, plain))

    def spoil(given: Stand) -> None:
        given.sites.append(spoiled)

    return spoil


def _with(**headers: str) -> Callable[[Stand], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _answering(lambda _host, _path, _plain, was: replace(was, headers={**was.headers, **named}))


def _without(*names: str) -> Callable[[Stand], None]:
    def change(_host: str, path: str, _plain: bool, was: Answer) -> Answer:
        return replace(was, headers={name: value for name, value in was.headers.items() if name not in names})

    return _answering(change)


def _no_redirect(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return Answer(200, was.headers, "in plain") if plain and not path.startswith("/cdn-cgi") else was


def _bare_errors(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return Answer(404, {"server": "cloudflare", "cf-ray": "1-FRA"}) if host == API and path != "/" else was


def _login_page(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return Answer(302, {**was.headers, "location": "https://example.cloudflareaccess.com/"}) if host == ADMIN else was


def _other_body(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return replace(was, body=was.body + " admins only") if host == ADMIN else was


def _other_header(host: str, path: str, plain: bool, was: Answer) -> Answer:
    return replace(was, headers={**was.headers, "www-authenticate": "Basic"}) if host == ADMIN else was


def _seen_as_operator(_host: str, path: str, _plain: bool, was: Answer) -> Answer:
    return Answer(200, was.headers, "ip=203.0.113.9\n") if path == "/cdn-cgi/trace" else was


def _no_application(given: Stand) -> None:
    del _body(given, f"GET /accounts/{ACCOUNT}/access/apps")["result"][1]


def _policy(**policy: Any) -> Callable[[Stand], None]:
    def spoil(given: Stand) -> None:
        _body(given, f"GET /accounts/{ACCOUNT}/access/apps")["result"][0]["policies"].append(policy)

    return spoil


def _tunnel(path: str, key: str, value: Any) -> Callable[[Stand], None]:
    def spoil(given: Stand) -> None:
        _body(given, f"GET /accounts/{ACCOUNT}/cfd_tunnel/{TUNNELS['app']}{path}")[key] = value

    return spoil


def _second_connector(given: Stand) -> None:
    connectors = [{"id": one, "conns": [{}] * 4} for one in "ab"]
    _tunnel("/connections", "result", connectors)(given)


def _extra_rule(given: Stand) -> None:
    _ingress(given, "admin").insert(0, {"hostname": "back.example.org", "service": "http://127.0.0.1:2375"})


def _missing_rule(given: Stand) -> None:
    del _ingress(given, "app")[0]


def _unguarded(given: Stand) -> None:
    del _ingress(given, "admin")[0]["originRequest"]


def _other_order(given: Stand) -> None:
    _ingress(given, "app").reverse()


def _alert(**change: Any) -> Callable[[Stand], None]:
    def spoil(given: Stand) -> None:
        _body(given, f"GET /accounts/{ACCOUNT}/alerting/v3/policies")["result"][0].update(change)

    return spoil


BROKEN: dict[str, tuple[Callable[[Stand], None], set[str], str]] = {
    "an open port": (_open_port, {"tcp-scan"}, f"{ORIGIN4}: tcp open: 22"),
    "an open UDP port": (_open_udp_port, {"udp-scan"}, f"{ORIGIN6}: udp open: 53"),
    "ports that answer": (_unfiltered, {"tcp-scan", "udp-scan"}, "3 tcp ports answer that they are closed"),
    "an inbound rule": (_inbound_rule, {"provider-firewall"}, "firewall 7 lets in tcp 22"),
    "no firewall": (_no_firewall, {"provider-firewall"}, "no firewall is applied"),
    "a firewall that is not in force": (_pending_firewall, {"provider-firewall"}, "firewall 7 is pending"),
    "a private network": (_private_network, {"private-networks"}, "network 9, which no firewall filters"),
    "a record with the address": (
        _record(name="old.example.org", type="A", content=ORIGIN4, proxied=True),
        {"dns-zone"},
        f"old.example.org: A record shows the server's address {ORIGIN4}",
    ),
    "a record with the address in other letters": (
        _record(name="old.example.org", type="AAAA", content="2001:DB8:7:0:0:0:0:1", proxied=False),
        {"dns-zone"},
        f"AAAA record shows the server's address {ORIGIN6}",
    ),
    "SPF with the address": (
        _record(name="example.org", type="TXT", content=f'"v=spf1 ip4:{ORIGIN4} -all"'),
        {"dns-zone"},
        "TXT record shows",
    ),
    "SPF with the address's network": (
        _record(name="example.org", type="TXT", content='"v=spf1 ip6:2001:db8:7::/64 -all"'),
        {"dns-zone"},
        "TXT record shows",
    ),
    "an internal name": (
        _record(name="db.example.org", type="A", content="10.128.0.9"),
        {"dns-zone"},
        "private address",
    ),
    "a record that is not proxied": (_unproxied, {"dns-zone"}, f"{API}: not proxied"),
    "a name without a record": (_no_record, {"dns-zone"}, f"{SSH}: the zone has no record"),
    "a name that leads elsewhere": (
        _record(name=ADMIN, type="A", content="203.0.113.9", proxied=True),
        {"dns-zone"},
        f"{ADMIN}: A record does not lead to a tunnel",
    ),
    "an admin host by name": (
        _record(name=ADMIN, type="CNAME", content=f"{TUNNELS['app']}.cfargotunnel.com", proxied=True),
        {"dns-zone"},
        f"{ADMIN}: an admin host is listed by name",
    ),
    "a name that resolves to the server": (_leaking_name, {"dns-outside"}, f"{SSH} resolves to"),
    "an old TLS version": (_old_tls, {"tls"}, f"{API} accepts TLSv1"),
    "a TLS version that is too old for anyone": (
        _new_tls_refused,
        {"tls"},
        f"{API} accepts no version from TLSv1_2 on",
    ),
    "a host that is not the edge": (_elsewhere, {"tls-termination"}, f"{API} leads to 203.0.113.9"),
    "an answer that is not the edge's": (_without("cf-ray"), {"tls-termination"}, "has not passed the edge"),
    "TLS behind the tunnel": (_https_behind, {"tls-termination", "tunnel-ingress"}, "speaks TLS behind the tunnel"),
    "plain HTTP": (_answering(_no_redirect), {"https-redirect"}, f"{API}: HTTP 200, not a redirect"),
    "a redirect to another host": (
        _answering(lambda _host, _path, _plain, was: replace(was, headers={**was.headers, "location": "https://x/"})),
        {"https-redirect"},
        "not a redirect to",
    ),
    "a missing header": (
        _without("content-security-policy"),
        {"security-headers"},
        f"{API}/: without content-security-policy",
    ),
    "errors without headers": (_answering(_bare_errors), {"security-headers"}, "(no such path): without"),
    "HSTS for a minute": (
        _with(strict_transport_security="max-age=60"),
        {"security-headers"},
        "for less than half a year",
    ),
    "framing allowed": (_with(x_frame_options="ALLOWALL"), {"security-headers"}, "x-frame-options: ALLOWALL"),
    "addresses told to everyone": (_with(referrer_policy="unsafe-url"), {"security-headers"}, "unsafe-url"),
    "software named": (_with(x_powered_by="PHP"), {"security-headers"}, "names its software: X-Powered-By"),
    "a server named": (_with(server="nginx/1.2"), {"security-headers"}, "names its software: Server"),
    "a login page for strangers": (_answering(_login_page), {"admin-invisible"}, "HTTP 302, an absent one 403"),
    "another body on the admin host": (_answering(_other_body), {"admin-invisible"}, "has another body"),
    "another header on the admin host": (_answering(_other_header), {"admin-invisible"}, "www-authenticate"),
    "an admin host without Access": (_no_application, {"access"}, f"{ADMIN}: no Access application"),
    "a policy that bypasses": (_policy(decision="bypass", include=[]), {"access"}, "lets everyone pass by"),
    "a policy for everyone": (_policy(decision="allow", include=[{"everyone": {}}]), {"access"}, "takes everyone"),
    "a policy that says nothing": (_policy(id="p"), {"access"}, "does not say what it decides"),
    "a tunnel that is down": (
        _tunnel("", "result", {"status": "down", "config_src": "cloudflare"}),
        {"tunnels"},
        "app tunnel is down",
    ),
    "a tunnel configured elsewhere": (
        _tunnel("", "result", {"status": "healthy", "config_src": "local"}),
        {"tunnels"},
        "configured where its connector runs",
    ),
    "a second connector": (_second_connector, {"tunnels"}, "app tunnel has 2 connectors, not 1"),
    "a rule made by hand": (_extra_rule, {"tunnel-ingress"}, "back.example.org → http://127.0.0.1:2375 without Access"),
    "a rule taken away": (_missing_rule, {"tunnel-ingress"}, f"{API} → http://10.128.0.18:8080 without Access is mis"),
    "SSH without Access": (_unguarded, {"tunnel-ingress"}, f"{SSH} → ssh://127.0.0.1:22 without Access is not in"),
    "rules in another order": (_other_order, {"tunnel-ingress"}, "in another order"),
    "an alert that is off": (_alert(enabled=False), {"tunnel-alert"}, "nobody is told when tunnel 1"),
    "an alert for nobody": (_alert(mechanisms={"email": []}), {"tunnel-alert"}, "nobody is told when tunnel 2"),
}
"""What is wrong → checks that fail, and no others, and words of the evidence."""


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_found(clean: Stand, name: str) -> None:
    spoil, failing, words = BROKEN[name]
    spoil(clean)
    found = _measured(clean)
    assert {check for check, result in found.items() if result.verdict == "fail"} == failing
    assert any(words in line for check in failing for line in found[check].evidence), [found[c] for c in failing]


def test_every_check_from_outside_is_seen_failing() -> None:
    assert set().union(*(failing for _, failing, _ in BROKEN.values())) == set(OUTSIDE)


def test_a_certificate_that_ends_soon_is_found(
    certificates: tuple[Certificate, Certificate, Certificate, Path],
) -> None:
    with stand(certificates[0], certificates[2]) as given:
        result = _measured(given)["tls"]
    assert result.verdict == "fail"
    assert any(f"{API}: the certificate ends in 4 days" in line for line in result.evidence), result
    assert any(f"{SSH}: the certificate is not good: Hostname mismatch" in line for line in result.evidence), result


def test_a_certificate_of_somebody_else_is_found(
    certificates: tuple[Certificate, Certificate, Certificate, Path],
) -> None:
    other = authority(certificates[3], "other")
    with stand(other, certificates[1]) as given:
        result = _measured(given)["tls"]
    assert any("unable to get local issuer certificate" in line for line in result.evidence), result


UNMEASURED: dict[str, tuple[Callable[[Stand], None], set[str], str]] = {
    "no way out to unusual ports": (
        lambda given: setattr(given, "dead_ports", (8443, 2053, 2087)),
        {"tcp-scan"},
        "from here no TCP gets out by IPv4 to unusual ports",
    ),
    "no UDP": (lambda given: setattr(given, "udp", False), {"udp-scan"}, "from here no UDP gets out"),
    "no IPv6 to try with": (
        lambda given: given.names.update({API: (EDGE4,)}),
        {"tcp-scan", "udp-scan"},
        "no public name has an IPv6 address to try the way out with",
    ),
    "a scan that was cut short": (
        lambda given: setattr(given.scanner, "tried", 100),
        {"tcp-scan", "udp-scan"},
        "only 100 ports were tried",
    ),
    "somebody else's server": (
        lambda given: _body(given, "GET /servers/42")["server"].update(labels={"zero-exposure": "prod"}),
        {"tcp-scan", "udp-scan", "provider-firewall", "private-networks", "dns-zone", "dns-outside"},
        "server 42 is not labelled zero-exposure=dev: it is left alone",
    ),
    "a token that may not read": (
        lambda given: given.answers.update({f"GET /zones/{ZONE}/dns_records": (403, {})}),
        {"dns-zone", "dns-outside"},
        "the API does not say",
    ),
    "an operator's address": (
        _answering(_seen_as_operator),
        {"admin-invisible"},
        "203.0.113.9 is within operators.networks",
    ),
    "a challenge": (_with(cf_mitigated="challenge"), {"security-headers"}, "answers api.example.org with a challenge"),
    "a server without an address": (
        lambda given: _body(given, "GET /servers/42")["server"]["public_net"].update(ipv4=None, ipv6=None),
        {"tcp-scan", "udp-scan"},
        "the API names no public address of a server",
    ),
    "an output that is not there": (
        lambda given: given.outputs.pop("serverId"),
        {"tcp-scan", "udp-scan", "provider-firewall", "private-networks", "dns-zone", "dns-outside"},
        "the stack has no output serverId",
    ),
}


@pytest.mark.parametrize("name", UNMEASURED)
def test_what_cannot_be_looked_at_is_no_pass(clean: Stand, name: str) -> None:
    spoil, checks, words = UNMEASURED[name]
    spoil(clean)
    found = _measured(clean)
    assert {check for check, result in found.items() if result.verdict != "pass"} == checks
    assert {found[check].verdict for check in checks} == {"not measured"}
    assert any(words in line for check in checks for line in found[check].evidence), [found[c] for c in checks]


def test_an_open_port_is_found_even_where_the_rest_could_not_be_tried(clean: Stand) -> None:
    clean.names[API] = (EDGE4,)
    clean.scanner.open["tcp"] = (22,)
    assert _measured(clean)["tcp-scan"].verdict == "fail"


def test_no_token_is_no_pass(clean: Stand) -> None:
    live = clean.live()
    live.hetzner_api = live.cloudflare_api = None
    found = {check.id: check.run(live).verdict for check in CHECKS if check.id in OUTSIDE}
    asking = {"provider-firewall", "dns-zone", "dns-outside", "tls-termination", "access", "tunnels", "tunnel-alert"}
    assert {found[check] for check in asking} == {"not measured"}


def test_a_former_name_is_asked_for(clean: Stand) -> None:
    live = clean.live()
    edge = live.settings.edge.model_copy(update={"former_names": ("www.example.net",)})
    live.settings = live.settings.model_copy(update={"edge": edge})
    clean.names["www.example.net"] = (ORIGIN4,)
    result = next(check for check in CHECKS if check.id == "dns-outside").run(live)
    assert result.verdict == "fail"
    assert f"www.example.net resolves to the server's address {ORIGIN4}" in result.evidence


def test_every_page_of_a_long_list_is_read(clean: Stand) -> None:
    body = _body(clean, f"GET /zones/{ZONE}/dns_records")
    body["result_info"]["total_pages"] = 3
    result = _measured(clean)["dns-zone"]
    assert result.evidence[0] == f"{3 * len(records())} records in the zone, 3 names served"
