"""The firewall's rules, asked about requests. Without Pulumi."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.edge import render
from components.edge.plan import PLANS, Plan
from components.edge.render import Hosts, Rule
from tests.components.edge.expressions import matches

HOSTS = Hosts(
    visitors=("api.example.com", "example.com"),
    admins=("admin.example.com",),
    ssh=("ssh-dev.example.com",),
    others=("www.example.com",),
    networks=("203.0.113.0/24", "2001:db8::/48"),
)
OPERATOR, OPERATOR_6, STRANGER = "203.0.113.7", "2001:db8::7", "198.51.100.9"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
labels = st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True)


def request(
    host: str = "api.example.com",
    source: str = STRANGER,
    path: str = "/",
    method: str = "GET",
    port: int = 443,
    agent: str = BROWSER,
) -> dict[str, object]:
    return {
        "http.host": host,
        "ip.src": source,
        "http.request.uri.path": path,
        "http.request.method": method,
        "cf.edge.server_port": port,
        "http.user_agent": agent,
    }


def decision(asked: dict[str, object], hosts: Hosts = HOSTS) -> str | None:
    """The ref of the rule that blocks a request, or None."""
    blocking = [rule for rule in render.custom_rules(hosts, False, PLANS["free"]) if rule.action == "block"]
    return next((rule.ref for rule in blocking if matches(rule.expression, asked)), None)


def test_visitors_pass() -> None:
    assert decision(request()) is None
    assert decision(request(host="example.com", path="/a/b", method="POST")) is None
    assert decision(request(host="API.Example.com")) is None
    assert decision(request(host="www.example.com")) is None


def test_operators_reach_their_hosts() -> None:
    assert decision(request(host="admin.example.com", source=OPERATOR)) is None
    assert decision(request(host="admin.example.com", source=OPERATOR_6)) is None


def test_ssh_is_reached_from_anywhere_because_access_asks_there() -> None:
    assert decision(request(host="ssh-dev.example.com", agent="cloudflared/2025.10.0")) is None


@settings(deadline=None)
@given(labels)
def test_to_a_stranger_an_admin_host_is_like_any_name_that_does_not_exist(label: str) -> None:
    unknown = f"zz{label}.example.com"
    for path, method, port in [("/", "GET", 443), ("/.env", "TRACE", 8443)]:
        real = request(host="admin.example.com", path=path, method=method, port=port)
        assert decision(real) == decision({**real, "http.host": unknown}) == "hosts"


def test_the_rule_of_names_comes_first_so_that_no_other_rule_tells_them_apart() -> None:
    assert render.custom_rules(HOSTS, True, PLANS["pro"])[0].ref == "hosts"


BANNED = {"$bans": ["203.0.0.0/16", "2001:db8::/64", f"{STRANGER}/32"]}


@pytest.mark.parametrize(
    ("source", "ref"),
    [(OPERATOR, None), (OPERATOR_6, None), (STRANGER, "bans"), ("203.0.112.7", "bans"), ("198.51.100.8", None)],
)
@pytest.mark.parametrize("host", ["api.example.com", "ssh-dev.example.com"])
def test_a_ban_holds_for_everyone_but_operators(source: str, ref: str | None, host: str) -> None:
    """Shared blocklists know no operators, and the rule stands before SSH too."""
    assert decision(request(host, source) | BANNED, replace(HOSTS, bans="bans")) == ref


def test_control_where_no_operators_are_named_it_holds_for_everyone() -> None:
    assert decision(request(source=OPERATOR) | BANNED, replace(HOSTS, bans="bans", networks=())) == "bans"


def test_without_operators_networks_an_admin_host_exists_for_nobody() -> None:
    hosts = Hosts(HOSTS.visitors, HOSTS.admins, HOSTS.ssh, (), ())
    assert decision(request(host="admin.example.com", source=OPERATOR), hosts) == "hosts"


def test_without_admin_hosts_other_names_of_the_zone_are_nobodys_business() -> None:
    hosts = Hosts(HOSTS.visitors, (), HOSTS.ssh, (), HOSTS.networks)
    assert decision(request(host="shop.example.com"), hosts) is None
    assert decision(request(host="shop.example.com")) == "hosts"


@pytest.mark.parametrize("port", [2052, 2053, 8080, 8443, 8880])
def test_ports_that_only_the_edge_listens_on_are_closed(port: int) -> None:
    assert decision(request(port=port)) == "protocol"


def test_plain_http_reaches_the_redirect() -> None:
    assert decision(request(port=80)) is None


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "get"])
def test_methods_that_nothing_uses_are_refused(method: str) -> None:
    assert decision(request(method=method)) == "protocol"


@pytest.mark.parametrize("path", ["/.env", "/.git/config", "/app/.aws/credentials", "/x/.well-known/y"])
def test_hidden_files_are_refused(path: str) -> None:
    assert decision(request(path=path)) == "hidden-files"


@pytest.mark.parametrize("path", ["/.well-known/security.txt", "/v1.2/a.b", "/file.env"])
def test_public_paths_with_dots_are_not_hidden_files(path: str) -> None:
    assert decision(request(path=path)) is None


@pytest.mark.parametrize(
    "agent", ["sqlmap/1.9", "Mozilla/5.0 (compatible; Nmap Scripting Engine; x)", "Mozilla/5.0 zgrab/0.x"]
)
def test_scanners_that_say_so_are_refused(agent: str) -> None:
    assert decision(request(agent=agent)) == "scanners"


@pytest.mark.parametrize("agent", [BROWSER, "curl/8.5.0", "python-requests/2.32", "CoinMap/3.1", ""])
def test_clients_with_other_names_are_not_scanners(agent: str) -> None:
    assert decision(request(agent=agent)) is None


def test_only_the_ssh_host_is_spared_the_bot_challenge() -> None:
    *blocking, spared = render.custom_rules(HOSTS, True, PLANS["pro"])
    assert (spared.ref, spared.action) == ("ssh", "skip")
    assert {rule.action for rule in blocking} == {"block"}
    assert matches(spared.expression, request(host="ssh-dev.example.com"))
    assert not matches(spared.expression, request(host="api.example.com"))


def test_the_rate_limit_counts_every_request_and_looks_at_the_path_only() -> None:
    rule = render.rate_rule()
    assert all(matches(rule.expression, request(path=path)) for path in ("/", "/a", "/login?x"))
    assert rule.expression.split()[0] == "http.request.uri.path"
    assert "http.host" not in rule.expression


@pytest.mark.parametrize("name", sorted(PLANS))
@pytest.mark.parametrize("spare_ssh", [True, False])
def test_the_rules_fit_into_every_plan_with_one_left_for_bans(name: str, spare_ssh: bool) -> None:
    spared = spare_ssh and bool(PLANS[name].challenged)
    assert len(render.custom_rules(HOSTS, spared, PLANS[name])) <= PLANS[name].custom_rules - 1


def test_control_more_rules_than_the_plan_has_are_refused() -> None:
    with pytest.raises(ValueError, match="4 firewall rules, but Cloudflare's plan has 3"):
        render.custom_rules(HOSTS, False, Plan(custom_rules=3, rate_limits=1, mitigation=10))


def test_a_rule_longer_than_cloudflare_takes_is_refused_with_advice() -> None:
    many = tuple(f"customer-{number}.example.com" for number in range(200))
    with pytest.raises(ValueError, match=r"the firewall rule hosts has \d+ characters.*by path"):
        render.custom_rules(Hosts(many, HOSTS.admins, HOSTS.ssh, (), HOSTS.networks), False, PLANS["free"])


def test_rules_keep_their_refs_apart() -> None:
    rules: tuple[Rule, ...] = (*render.custom_rules(HOSTS, True, PLANS["pro"]), render.rate_rule())
    assert len({rule.ref for rule in rules}) == len(rules)


def test_expressions_are_one_line_without_comments() -> None:
    for rule in render.custom_rules(HOSTS, True, PLANS["pro"]):
        assert "\n" not in rule.expression
        assert "{#" not in rule.expression
        assert "Danger" not in rule.expression
