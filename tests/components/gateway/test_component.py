"""The gateway and its connector, on mocks."""

from typing import Any

import pulumi
import pytest

from components.gateway.component import Gateway, GatewayArgs
from components.networks.component import Networks
from policy.rules.model import Resource
from tests.components.site import one_server
from tests.mocks import Recording, both_modes, run
from tests.samples import cloud_stack, local_stack, settings
from topology.plan import plan

CONTAINER = "docker:index/container:Container"
TOKEN = "eyJhIjoidG9rZW4ifQ=="


def _deploy(raw: dict[str, Any]) -> None:
    stack = settings(raw)
    topology = plan(stack)
    networks = Networks("networks", {"stack": "dev", "topology": topology})
    args: GatewayArgs = {
        "gateway": stack.gateway,
        "tunnel": stack.tunnel,
        "topology": topology,
        "operators": stack.operators,
        "domain": stack.domain,
        "target": stack.target,
        "site": one_server(topology, networks),
        "tunnel_token": pulumi.Output.secret(TOKEN) if stack.target == "cloud" else None,
        "secrets": {name: pulumi.Output.secret(value.get_secret_value()) for name, value in stack.secrets.items()},
    }
    Gateway("gateway", args)


def ran(raw: dict[str, Any], preview: bool) -> Recording:
    return run(lambda: _deploy(raw), preview)


def container(recording: Recording, name: str) -> Resource:
    return next(resource for resource in recording.of_type(CONTAINER) if resource.name == name)


def networks_of(found: Resource) -> set[str]:
    return {network["ipv4Address"] for network in found.props["networksAdvanced"]}


GATEWAY_LINKS = ("gateway-api", "gateway-admin", "gateway-crowdsec", "prometheus-gateway")


@both_modes
def test_the_connector_is_on_ingress_and_egress_and_the_gateway_on_ingress_and_its_links(preview: bool) -> None:
    recording = ran(cloud_stack(), preview)
    topology = plan(settings(cloud_stack()))
    assert networks_of(container(recording, "cloudflared")) == {
        str(topology.network(name).members["cloudflared"])
        for name in ("ingress", "egress", "link-prometheus-cloudflared")
    }
    assert networks_of(container(recording, "gateway")) == {
        str(topology.network(name).members["gateway"])
        for name in ("ingress", *(f"link-{link}" for link in GATEWAY_LINKS))
    }


@both_modes
def test_both_are_closed_and_run_as_nobody(preview: bool) -> None:
    recording = ran(cloud_stack(), preview)
    for name, user in (("gateway", "65533:65533"), ("cloudflared", "65532:65532")):
        props = container(recording, name).props
        assert props["user"] == user
        assert props["readOnly"] is True
        assert "ports" not in props
        assert {"label": "zero-exposure.role", "value": name} in props["labels"]


@both_modes
def test_the_tunnel_token_is_in_a_secret_file_and_nowhere_else(preview: bool) -> None:
    recording = ran(cloud_stack(), preview)
    with_token = [resource.name for resource in recording.resources if TOKEN in repr(resource.props)]
    assert with_token == ["cloudflared-carrier"]
    carrier = container(recording, "cloudflared-carrier")
    assert carrier.secrets
    assert container(recording, "cloudflared").props["command"][-3:] == [
        "run",
        "--token-file",
        "/run/secrets/tunnel-token",
    ]


@both_modes
def test_an_api_key_is_a_secret_file_of_the_gateway(preview: bool) -> None:
    key = "k" * 32
    raw = cloud_stack(secrets={"partner": key})
    raw["services"]["api"]["routes"][0]["api_key"] = "partner"
    recording = ran(raw, preview)
    assert [resource.name for resource in recording.resources if key in repr(resource.props)] == ["gateway-carrier"]


@pytest.mark.parametrize(("local", "count"), [("none", 0), ("quick", 1)])
@both_modes
def test_a_local_stack_has_a_connector_where_it_asks_for_one(preview: bool, local: str, count: int) -> None:
    recording = ran(local_stack(tunnel={"local": local}), preview)
    found = [resource for resource in recording.of_type(CONTAINER) if resource.name == "cloudflared"]
    assert len(found) == count
    for connector in found:
        assert connector.props["command"][-2:] == ["--http-host-header", "api.example.org"]
        assert "http://10.128.0.18:8080" in connector.props["command"]


@both_modes
def test_every_part_belongs_to_the_component(preview: bool) -> None:
    recording = ran(cloud_stack(), preview)
    (gateway,) = recording.of_type("zero-exposure:index:Gateway")
    assert {container(recording, name).parent for name in ("gateway", "cloudflared")} == {gateway.urn}
