"""Property tests: whatever opens a way in is a violation, however it is written."""

import ipaddress
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from policy.rules import tokens
from policy.rules.engine import check_resource, check_stack, exposure
from policy.rules.model import UNKNOWN, Resource
from tests.policy import stacks
from tests.policy.cases.base import CLEAN, allow, container, firewall, ingress, network, policy, record, server
from tests.policy.stacks import changed
from tests.policy.test_stack_rules import put

CASES = settings(max_examples=100, deadline=None)
FEW = settings(max_examples=40, deadline=None)


def ids(resource: Resource) -> set[str]:
    """Rules that a resource violates at mandatory level."""
    return {violation.rule for violation in check_resource(resource) if violation.blocking}


def cased(text: str) -> st.SearchStrategy[str]:
    """Every way of writing a word in upper and lower case."""
    return st.tuples(*(st.sampled_from((letter.lower(), letter.upper())) for letter in text)).map("".join)


ports = st.one_of(
    st.none(),
    st.just(UNKNOWN),
    st.just("any"),
    st.integers(1, 65_535),
    st.integers(1, 65_535).map(str),
    st.tuples(st.integers(1, 65_535), st.integers(1, 65_535)).map(lambda pair: f"{min(pair)}-{max(pair)}"),
    st.text(max_size=6),
)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
networks = st.tuples(addresses, st.integers(0, 128)).map(
    lambda pair: str(ipaddress.ip_network((pair[0], min(pair[1], pair[0].max_prefixlen)), strict=False))
)
splits = st.sampled_from(("0.0.0.0/0", "::/0")).flatmap(
    lambda whole: st.integers(0, 6).map(
        lambda bits: [str(part) for part in ipaddress.ip_network(whole).subnets(prefixlen_diff=bits)]
    )
)
sources = st.one_of(st.none(), st.just(UNKNOWN), st.lists(networks, max_size=4), splits)
not_out = st.one_of(
    cased("in"), cased("out").filter(lambda word: word != "out"), st.none(), st.just(UNKNOWN), st.text(max_size=4)
).filter(lambda direction: direction != "out")
protocols = st.one_of(st.none(), st.just(UNKNOWN), st.sampled_from(("tcp", "udp", "icmp", "esp", "gre", "TCP", "any")))


@st.composite
def inbound_rules(draw: st.DrawFn) -> dict[str, Any]:
    """A rule that is not outbound, with each field there or missing."""
    fields = {"direction": not_out, "protocol": protocols, "port": ports, "sourceIps": sources}
    kept = draw(st.sets(st.sampled_from(sorted(fields))))
    return {name: draw(strategy) for name, strategy in fields.items() if name in kept}


OUT = {"direction": "out", "protocol": "tcp", "port": "443", "destinationIps": ["0.0.0.0/0"]}


@CASES
@given(inbound_rules(), st.integers(0, 3), st.integers(0, 3))
def test_no_inbound_rule_passes_wherever_it_stands(rule: dict[str, Any], before: int, after: int) -> None:
    spoiled = firewall(rules=[*[OUT] * before, rule, *[OUT] * after])
    assert "firewall-no-inbound" in ids(spoiled)
    assert exposure(put(stacks.cloud(), spoiled)).open_inbound_ports > 0


@CASES
@given(st.recursive(st.one_of(st.just(UNKNOWN), st.text(max_size=3), st.booleans(), st.none()), st.lists, max_leaves=4))
def test_rules_of_any_other_form_are_not_taken_for_none(value: Any) -> None:
    assume(value not in (None, []))
    assert "firewall-no-inbound" in ids(firewall(rules=value))


port = st.fixed_dictionaries(
    {},
    optional={
        "internal": st.one_of(st.integers(1, 65_535), st.just(UNKNOWN)),
        "external": st.one_of(st.integers(0, 65_535), st.just(UNKNOWN)),
        "ip": st.one_of(addresses.map(str), st.just(UNKNOWN)),
        "protocol": st.sampled_from(("tcp", "udp", "TCP")),
    },
)


@CASES
@given(st.lists(st.one_of(port, st.just(UNKNOWN), st.text(max_size=5)), min_size=1, max_size=4))
def test_no_published_port_passes(published: list[Any]) -> None:
    assert "container-no-ports" in ids(container(ports=published))


@CASES
@given(st.one_of(st.text(min_size=1), st.integers(), st.just(UNKNOWN)))
def test_only_known_network_modes_pass(mode: Any) -> None:
    assume(mode not in {"none", "bridge", "dev-link-gateway-api", "dev-link-api-db"})
    assert "container-network-mode" in ids(container(networkMode=mode))


@CASES
@given(
    st.one_of(cased("a"), cased("aaaa"), cased("srv"), cased("https"), cased("svcb"), cased("ns"), cased("uri")),
    st.one_of(addresses.map(str), st.text(max_size=8), st.just(UNKNOWN)),
    st.one_of(st.booleans(), st.none(), st.just(UNKNOWN)),
)
def test_no_record_that_tells_an_address_passes(kind: str, content: Any, proxied: Any) -> None:
    assert "dns-tunnel-only" in ids(record(type=kind, content=content, proxied=proxied))


@CASES
@given(networks)
@example("0.0.0.0/1")
@example("::/1")
def test_no_wide_network_is_let_in_by_its_address(text: str) -> None:
    network_ = ipaddress.ip_network(text)
    wide = network_.prefixlen < (16 if network_.version == 4 else 32)
    assert ("access-policy" in ids(allow(ip={"ip": text}))) == wide


@CASES
@given(cased("everyone"), st.sampled_from(("allow", "non_identity", "bypass", "ALLOW", "Allow", UNKNOWN, None)))
def test_everyone_is_never_let_in(word: str, decision: Any) -> None:
    assert "access-policy" in ids(policy(decision=decision, includes=[{word: {}}]))


@CASES
@given(st.from_regex(r"\A[a-z][a-z0-9+.-]{0,8}\Z"), st.one_of(addresses.map(str), st.just("origin.example.org")))
def test_a_tunnel_leads_nowhere_but_to_private_web_services(scheme: str, host: str) -> None:
    inside = any(
        ":" not in host and host[0].isdigit() and ipaddress.ip_address(host) in ipaddress.ip_network(private)
        for private in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
    )
    assume(not (inside and scheme in {"http", "https"}) and scheme != "http_status")
    target = f"[{host}]" if ":" in host else host
    assume(not (":" in host and scheme in {"http", "https"} and ipaddress.ip_address(host).is_private))
    entry = {"hostname": "api.example.org", "service": f"{scheme}://{target}:80"}
    assert "ingress-service" in ids(ingress(entry))


@FEW
@given(cased("http"), st.sampled_from(("10.128.1.2:3000", "127.0.0.1:6060", "db:5432")))
def test_nothing_leads_past_the_gateway_however_its_scheme_is_written(scheme: str, target: str) -> None:
    spoiled = ingress({"hostname": "api.example.org", "service": f"{scheme}://{target}"})
    assert "stack-central-ingress" in {violation.rule for violation in check_stack(put(stacks.cloud(), spoiled))}


DECISIVE = [
    *((CLEAN["firewall"], key) for key in ("rules", "applyTos")),
    *((CLEAN["server"], key) for key in ("firewallIds", "sshKeys", "publicNets", "rescue", "iso")),
    *(
        (CLEAN["api"], key)
        for key in (
            *("ports", "publishAllPorts", "networkMode", "networksAdvanced", "privileged", "pidMode", "ipcMode"),
            *("usernsMode", "cgroupnsMode", "devices", "deviceRequests", "deviceCgroupRules", "capabilities"),
            *("securityOpts", "volumes", "mounts", "sysctls", "groupAdds", "user", "readOnly", "envs", "memory"),
        )
    ),
    *((CLEAN["link-api-db"], key) for key in ("internal", "driver", "options", "ingress", "attachable", "labels")),
    *((CLEAN["gateway-files"], key) for key in ("driver", "driverOpts")),
    *((CLEAN["dns-api.example.org"], key) for key in ("type", "proxied", "data")),
    *((CLEAN["app-tunnel"], key) for key in ("configSrc",)),
    *((CLEAN["app-config"], key) for key in ("config", "source")),
    *((CLEAN["access-admin.example.org"], key) for key in ("type", "policies", "optionsPreflightBypass")),
    *((CLEAN["operators"], key) for key in ("decision", "includes")),
    *((CLEAN["ssl"], key) for key in ("settingId", "value")),
    *((CLEAN["firewall-rules"], key) for key in ("rules",)),
    *((CLEAN["engine"], key) for key in ("context",)),
    *((CLEAN["api-image"], key) for key in ("name", "build")),
]


@CASES
@given(st.sampled_from(DECISIVE), st.booleans())
def test_an_unknown_value_where_exposure_is_decided_never_passes(where: tuple[Resource, str], deep: bool) -> None:
    clean, key = where
    value = clean.props.get(key)
    spoiled = [UNKNOWN] if deep and isinstance(value, list) else UNKNOWN
    assume(not (deep and key in {"firewallIds", "sshKeys"}))
    assert ids(changed(clean, **{key: spoiled}))


@FEW
@given(st.sampled_from(sorted(CLEAN)), st.data())
def test_no_input_makes_the_pack_fall_over(name: str, data: st.DataObject) -> None:
    """Any input may be of any form: there are violations, and never an exception."""
    clean = CLEAN[name]
    assume(clean.props)
    leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just(UNKNOWN))
    value = data.draw(st.recursive(leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner)))
    spoiled = changed(clean, **{data.draw(st.sampled_from(sorted(clean.props))): value})
    check_resource(spoiled)
    stack = put(stacks.cloud(), spoiled)
    check_stack(stack)
    exposure(stack)


@FEW
@given(st.lists(st.sampled_from(("api", "db", "resolver", "gateway", "cloudflared")), unique=True, min_size=1))
def test_a_network_whose_members_are_not_its_link_never_passes(members: list[str]) -> None:
    assume(set(members) != {"api", "db"})
    extra = changed(network(), name="dev-extra")
    stack = put(stacks.cloud(), Resource(**{**_fields(extra), "urn": stacks.urn(tokens.NETWORK, "extra")}))
    for member in members:
        base = next(entry for entry in stack if entry.name == member)
        entries = [*base.props["networksAdvanced"], {"name": "dev-extra"}]
        stack = put(stack, changed(base, networksAdvanced=entries))
    assert "stack-links" in {violation.rule for violation in check_stack(stack)}


def _fields(resource: Resource) -> dict[str, Any]:
    return {name: getattr(resource, name) for name in Resource.__slots__}


def test_the_clean_resources_pass_so_that_a_violation_means_something() -> None:
    assert {name: ids(entry) for name, entry in CLEAN.items() if ids(entry)} == {}
    assert ids(server()) == set()
