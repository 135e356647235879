"""The resolver and the egress proxy in a whole deployment, on mocks."""

from typing import Any

import pytest

from deployment import deploy
from policy.rules.engine import check_resource, check_stack
from policy.rules.model import PackConfig, Resource
from tests.mocks import Recording, both_modes, run
from tests.samples import cloud_stack, local_stack, service, settings
from topology.plan import plan

TOKENS = {"hcloud:token": "t" * 64, "cloudflare:apiToken": "t"}
both_targets = pytest.mark.parametrize("make", [cloud_stack, local_stack], ids=["cloud", "local"])


def ran(raw: dict[str, Any], preview: bool) -> Recording:
    stack = settings(raw)

    def program() -> None:
        deploy(stack, plan(stack), "dev")

    return run(program, preview, TOKENS)


def with_egress(raw: dict[str, Any], *domains: str) -> dict[str, Any]:
    raw["services"]["worker"] = service(egress=list(domains))
    return raw


def container(recording: Recording, name: str) -> Resource:
    (found,) = [r for r in recording.of_type("docker:index/container:Container") if r.name == name]
    return found


@both_modes
def test_there_is_a_proxy_where_somebody_calls_out_and_none_elsewhere(preview: bool) -> None:
    token = "zero-exposure:index:Egress"
    assert len(ran(with_egress(local_stack(), "api.example.net"), preview).of_type(token)) == 1
    assert len(ran(cloud_stack(), preview).of_type(token)) == 1
    assert ran(local_stack(), preview).of_type(token) == []


@both_targets
@both_modes
def test_there_is_always_a_resolver_and_every_container_asks_it(make: Any, preview: bool) -> None:
    recording = ran(with_egress(make(), "api.example.net"), preview)
    containers = recording.of_type("docker:index/container:Container")
    asked = {found.name: found.props["dns"] for found in containers if "dns" in found.props}
    assert asked.pop("resolver") == ["127.0.0.1"]
    assert set(map(tuple, asked.values())) == {("10.128.0.2",)}
    assert {"worker", "gateway", "egress-proxy"} <= set(asked)


@both_modes
def test_the_resolver_is_there_before_whoever_asks_it_outside(preview: bool) -> None:
    recording = ran(with_egress(cloud_stack(), "api.example.net"), preview)
    resolver = container(recording, "resolver").urn
    assert resolver in container(recording, "cloudflared").dependencies
    assert resolver in container(recording, "egress-proxy").dependencies
    assert resolver not in container(recording, "api").dependencies


@both_targets
@both_modes
def test_a_stack_that_calls_out_breaks_no_rule(make: Any, preview: bool) -> None:
    recording, config = ran(with_egress(make(), "api.example.net", "*.pay.example.org"), preview), PackConfig()
    found = [violation for resource in recording.resources for violation in check_resource(resource, config)]
    found += check_stack(recording.resources, config)
    assert [f"{violation.rule}: {violation.message}" for violation in found if violation.blocking] == []
