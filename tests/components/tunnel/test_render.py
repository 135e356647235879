"""Ingress, names and tokens of the two tunnels, without Pulumi."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.tunnel import render

DOMAIN = "example.com"
GATEWAY = "http://10.128.0.18:8080"
labels = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
hosts = st.one_of(st.just(DOMAIN), labels.map(lambda label: f"{label}.{DOMAIN}"))


@st.composite
def split_hosts(draw: st.DrawFn) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Visitor hosts and admin hosts; no host is both."""
    every = draw(st.lists(hosts, unique=True, max_size=12))
    cut = draw(st.integers(0, len(every)))
    return tuple(every[:cut]), tuple(every[cut:])


def answer(rules: tuple[render.Rule, ...], host: str) -> render.Rule:
    """The rule that the connector takes for a host: the first that matches."""
    return next(rule for rule in rules if rule.hostname in (None, host))


@settings(deadline=None)
@given(split_hosts())
def test_the_catch_all_is_last_and_only_last(both: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    rules = render.app_rules(*both, GATEWAY)
    assert [rule.hostname is None for rule in rules] == [False] * (len(rules) - 1) + [True]
    assert rules[-1].service == render.NOT_FOUND


@settings(deadline=None)
@given(split_hosts())
def test_every_host_reaches_the_gateway_and_only_admin_hosts_are_guarded(
    both: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:
    visitors, admins = both
    rules = render.app_rules(visitors, admins, GATEWAY)
    assert all(answer(rules, host) == render.Rule(GATEWAY, host) for host in visitors)
    assert all(answer(rules, host) == render.Rule(GATEWAY, host, guarded=True) for host in admins)


@settings(deadline=None)
@given(split_hosts(), labels)
def test_a_name_that_nobody_declared_reaches_nothing(both: tuple[tuple[str, ...], tuple[str, ...]], label: str) -> None:
    rules = render.app_rules(*both, GATEWAY)
    assert answer(rules, f"{label}.elsewhere.{DOMAIN}").service == render.NOT_FOUND


@settings(deadline=None)
@given(split_hosts())
def test_admin_hosts_are_in_no_record_by_name_and_every_host_is_covered(
    both: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:
    visitors, admins = both
    names = render.app_names(DOMAIN, visitors, admins)
    assert set(names) & set(admins) <= {DOMAIN}
    wildcard = f"*.{DOMAIN}" in names
    assert all(host in names or (wildcard and host != DOMAIN) for host in (*visitors, *admins))


def test_without_an_admin_host_there_is_no_wildcard() -> None:
    assert render.app_names(DOMAIN, ("api.example.com",), ()) == ("api.example.com",)
    assert "*.example.com" in render.app_names(DOMAIN, ("api.example.com",), ("admin.example.com",))


def test_the_domain_itself_gets_a_record_because_no_wildcard_covers_it() -> None:
    assert render.app_names(DOMAIN, (), (DOMAIN,)) == (DOMAIN,)


def test_the_order_of_the_stack_file_changes_nothing() -> None:
    one = render.app_rules(("b.example.com", "a.example.com"), ("d.example.com", "c.example.com"), GATEWAY)
    other = render.app_rules(("a.example.com", "b.example.com"), ("c.example.com", "d.example.com"), GATEWAY)
    assert one == other


def test_the_admin_tunnel_serves_ssh_behind_access_and_nothing_else() -> None:
    ssh, rest = render.admin_rules("ssh-dev.example.com")
    assert (ssh.service, ssh.guarded) == ("ssh://127.0.0.1:22", True)
    assert rest == render.Rule(render.NOT_FOUND)


@pytest.mark.parametrize(
    ("stack", "host"),
    [
        ("dev", "ssh-dev.example.com"),
        ("Feature_42.b", "ssh-feature-42-b.example.com"),
        ("x" * 80, f"ssh-{'x' * 59}.example.com"),
        ("x" * 58 + "_y", f"ssh-{'x' * 58}.example.com"),
    ],
)
def test_the_default_ssh_host_is_one_dns_label_whatever_the_stack_is_called(stack: str, host: str) -> None:
    assert render.ssh_host(stack, DOMAIN, None, ()) == host


def test_each_machine_of_a_swarm_has_an_ssh_host_of_its_own() -> None:
    assert render.ssh_host("prod", DOMAIN, None, (), "manager-1") == f"ssh-prod-manager-1.{DOMAIN}"


def test_a_chosen_ssh_host_is_taken_as_it_is() -> None:
    assert render.ssh_host("dev", DOMAIN, "door.example.com", ()) == "door.example.com"


@pytest.mark.parametrize(
    ("chosen", "machine", "key"),
    [(None, "", "tunnel.ssh_host"), ("ssh-dev-a-1.example.com", "", "tunnel.ssh_host"), (None, "a-1", "services")],
)
def test_an_ssh_host_that_a_route_has_is_refused_by_its_key(chosen: str | None, machine: str, key: str) -> None:
    taken = ("ssh-dev.example.com", "ssh-dev-a-1.example.com")
    with pytest.raises(ValueError, match=rf"^{key}: ssh-dev\S*\.example\.com is a route's host already: choose"):
        render.ssh_host("dev", DOMAIN, chosen, taken, machine)


def test_a_tunnels_secret_is_32_bytes_of_a_random_text() -> None:
    one, other = render.secret("random"), render.secret("another")
    assert len(base64.b64decode(one, validate=True)) == 32
    assert one != other


def test_the_token_has_the_three_fields_that_the_connector_reads() -> None:
    secret = base64.b64encode(bytes(32)).decode()
    decoded = json.loads(base64.b64decode(render.token("account", "tunnel", secret), validate=True))
    assert decoded == {"a": "account", "t": "tunnel", "s": secret}


def test_the_target_is_the_tunnels_name() -> None:
    assert render.target("1234") == "1234.cfargotunnel.com"
