"""The real pack over gRPC: clean stacks pass, each evasion is caught at mandatory level, nothing switches it off."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import grpc  # type: ignore[import-untyped] # ships no types
import pytest
from pulumi.runtime import proto

from policy.rules import table, tokens
from policy.rules.model import UNKNOWN, Resource
from policy.rules.types import ALLOWED
from tests.policy import pack, stacks
from tests.policy.cases.base import CLEAN, container, firewall, image
from tests.policy.pack import Client
from tests.policy.stacks import changed, resource
from tests.policy.test_rules import CAUGHT
from tests.policy.test_stack_rules import TABLE, Spoil

INBOUND = firewall(rules=[{"direction": "in", "protocol": "tcp", "port": "22"}])
SOON = date.today() + timedelta(days=30)


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """One pack for the tests that leave its configuration alone."""
    with pack.running() as client:
        yield client


@pytest.fixture
def own() -> Iterator[Client]:
    """A pack for one test that configures it."""
    with pack.running() as client:
        yield client


def blocking(found: pack.Diagnostics) -> list[str]:
    """Names of the mandatory diagnostics."""
    return [each.policyName for each in found if each.enforcementLevel == proto.MANDATORY]


def levels(**changed_levels: int) -> dict[str, tuple[int, dict[str, object]]]:
    """What the engine sends where nothing is configured: every rule with its own level."""
    own_levels = {rule.id: getattr(proto, rule.level.upper()) for rule in table.ALL}
    return {name: (level, {}) for name, level in {**own_levels, **changed_levels}.items()}


def test_it_lists_every_rule(shared: Client) -> None:
    info = shared.info()
    assert info.name == "zero-exposure"
    assert {policy.name for policy in info.policies} == {*table.BY_ID, "waiver-valid"}
    assert all(policy.description and policy.remediation_steps and policy.severity for policy in info.policies)


@pytest.mark.parametrize("name", ["cloud", "local"])
@pytest.mark.parametrize("known", [True, False], ids=["update", "preview"])
def test_a_clean_stack_passes(shared: Client, name: str, known: bool) -> None:
    assert blocking(shared.run(getattr(stacks, name)(known), outputs=known)) == []


@pytest.mark.parametrize(("rule", "what", "case"), CAUGHT, ids=[f"{rule}: {what}" for rule, what, _ in CAUGHT])
def test_an_evasion_is_caught(shared: Client, rule: str, what: str, case: Resource) -> None:
    """A type that is not allowed at all is caught by that; the rest by the rule itself."""
    found = blocking(shared.analyze(case))
    assert rule in found
    assert ("type-allowed" in found) == (case.type not in ALLOWED and not case.type.startswith("zero-"))


@pytest.mark.parametrize(("rule", "what", "spoil"), TABLE, ids=[f"{rule}: {what}" for rule, what, _ in TABLE])
@pytest.mark.parametrize("known", [True, False], ids=["update", "preview"])
def test_an_evasion_of_the_stack_is_caught(shared: Client, rule: str, what: str, spoil: Spoil, known: bool) -> None:
    found = {each.policyName: each for each in shared.run(spoil(stacks.cloud(known)), outputs=known)}
    assert rule in found
    assert found[rule].enforcementLevel == getattr(proto, table.BY_ID[rule].level.upper())


def test_a_resource_that_was_only_read_is_checked_with_the_stack(shared: Client) -> None:
    read = replace(INBOUND, urn=stacks.urn(tokens.FIREWALL, "read"))
    assert "firewall-no-inbound" in blocking(shared.analyze_stack([read]))
    shared.analyze(replace(read, props={}))
    assert "firewall-no-inbound" in blocking(shared.analyze_stack([read]))


def test_outputs_that_are_known_count_for_more_than_inputs(shared: Client) -> None:
    stack = stacks.cloud()
    for entry in stack:
        shared.analyze(entry)
    published = changed(CLEAN["api"], ports=[{"internal": 80, "external": 49_153}])
    assert "checklist-1-no-inbound" in blocking(
        shared.analyze_stack([published if entry.name == "api" else entry for entry in stack])
    )


def test_a_value_never_leaves_with_a_message(shared: Client) -> None:
    canary = "canary-0123456789"
    for _, _, case in CAUGHT:
        spoiled = replace(case, props={key: _planted(value, canary) for key, value in case.props.items()})
        assert not any(canary in each.message for each in shared.analyze(spoiled))


def _planted(value: object, canary: str) -> object:
    if isinstance(value, str):
        return canary
    if isinstance(value, dict):
        return {key: _planted(inner, canary) for key, inner in value.items()}
    return [_planted(inner, canary) for inner in value] if isinstance(value, list) else value


def test_levels_as_the_engine_sends_them_are_taken(own: Client) -> None:
    own.configure(levels())
    assert "firewall-no-inbound" in blocking(own.analyze(INBOUND))


@pytest.mark.parametrize("level", [proto.DISABLED, proto.ADVISORY])
@pytest.mark.parametrize("rule", ["firewall-no-inbound", "image-pinned", "checklist-1-no-inbound", "waiver-valid"])
def test_no_rule_can_be_weakened(shared: Client, rule: str, level: int) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        shared.configure(levels(**{rule: level}))
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert f"{rule} can't be weakened or switched off" in refusal.value.details()
    assert "firewall-no-inbound" in blocking(shared.analyze(INBOUND))


def test_a_mandatory_rule_may_be_called_mandatory(own: Client) -> None:
    own.configure(levels(**{"checklist-10-monitoring": proto.MANDATORY}))


def test_a_project_can_allow_a_type_but_no_violation_on_it(own: Client) -> None:
    token = "hcloud:index/loadBalancerNetwork:LoadBalancerNetwork"
    private = resource(token, "lb", {"enablePublicInterface": False})
    public = resource(token, "lb", {"enablePublicInterface": True})
    assert blocking(own.analyze(private)) == ["type-allowed"]
    allow = {"allow": {token: "balances the private network only"}}
    own.configure({**levels(), "type-allowed": (proto.MANDATORY, allow)})
    assert blocking(own.analyze(private)) == []
    assert blocking(own.analyze(public)) == ["hetzner-balancer-private"]


@pytest.mark.parametrize(
    "allow",
    [{"pulumi-python:dynamic:Resource": "we know what it does"}, {"aws:*": "all of Amazon"}, {"aws:s3:Bucket": "x"}],
    ids=["a dynamic resource", "a wildcard", "no reason"],
)
def test_some_types_are_never_allowed(shared: Client, allow: dict[str, str]) -> None:
    with pytest.raises(grpc.RpcError, match=r"type-allowed\.allow"):
        shared.configure({**levels(), "type-allowed": (proto.MANDATORY, {"allow": allow})})


def waive(rule: str, entry: Resource, expires: date) -> dict[str, tuple[int, dict[str, object]]]:
    """The engine's configuration with one waiver."""
    waiver = {"rule": rule, "urn": entry.urn, "reason": "vendor ships no tags", "expires": expires.isoformat()}
    return {**levels(), "waiver-valid": (proto.MANDATORY, {"waivers": [waiver]})}


def test_a_waiver_makes_one_violation_of_one_resource_advisory(own: Client) -> None:
    spoiled = image(name="example/api:latest")
    own.configure(waive("image-pinned", spoiled, SOON))
    found = own.analyze(spoiled)
    assert [(each.policyName, each.enforcementLevel) for each in found] == [("image-pinned", proto.ADVISORY)]
    assert f"waived until {SOON}" in found[0].message
    other = replace(spoiled, urn=spoiled.urn + "-2")
    assert blocking(own.analyze(other)) == ["image-pinned"]


def test_a_waiver_expires(own: Client) -> None:
    spoiled = image(name="example/api:latest")
    own.configure(waive("image-pinned", spoiled, date.today() - timedelta(days=1)))
    assert blocking(own.analyze(spoiled)) == ["image-pinned"]
    assert "waiver-valid" in blocking(own.analyze_stack([]))


def test_a_waiver_cannot_cover_what_opens_a_way_in(own: Client) -> None:
    own.configure(waive("firewall-no-inbound", INBOUND, SOON))
    assert blocking(own.analyze(INBOUND)) == ["firewall-no-inbound"]
    assert "waiver-valid" in blocking(own.analyze_stack([]))


def test_it_survives_what_it_cannot_read(shared: Client) -> None:
    odd = container(labels="none", networksAdvanced=[UNKNOWN], uploads=3, volumes={"a": 1})
    assert blocking(shared.analyze(odd))
    assert blocking(shared.run([odd]))
