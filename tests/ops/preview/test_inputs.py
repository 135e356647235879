"""Inputs are held against the provider SDKs' own types."""

from collections.abc import Mapping
from typing import Any

import pytest

from ops.preview.inputs import check_inputs
from policy.rules.model import UNKNOWN, Resource

CONTAINER = "docker:index/container:Container"
CASES: list[tuple[str, str, Mapping[str, Any], str]] = [
    ("text for a boolean", CONTAINER, {"image": "a", "privileged": "yes"}, "privileged: must be bool"),
    ("a nested number as text", CONTAINER, {"image": "a", "ports": [{"internal": "eighty"}]}, "ports[0].internal"),
    ("an unknown key", CONTAINER, {"image": "a", "readonly": True}, "readonly: no such input"),
    ("an unknown nested key", CONTAINER, {"image": "a", "healthcheck": {"tests": [], "every": "1"}}, "healthcheck.e"),
    ("a missing key", CONTAINER, {}, "image: needed"),
    ("a missing nested key", CONTAINER, {"image": "a", "ports": [{"external": 80}]}, "ports[0].internal: needed"),
    ("a text for a list", CONTAINER, {"image": "a", "dns": "10.0.0.1"}, "dns: must be a list"),
    ("a list for a map", CONTAINER, {"image": "a", "tmpfs": ["/tmp"]}, "tmpfs: must be a map"),  # noqa: S108
    ("a boolean for a number", CONTAINER, {"image": "a", "memory": True}, "memory: must be int"),
    ("an enum's unknown value", "command:local:Command", {"logging": "loud"}, "logging: must be one of"),
    ("a provider's unknown key", "pulumi:providers:docker", {"hosts": "x"}, "hosts: no such input"),
    ("a cloudflare dict's unknown key",
     "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
     {"accountId": "a", "tunnelId": "t", "config": {"ingress": []}}, "config.ingress: no such input"),
]  # fmt: skip


def _findings(token: str, props: Mapping[str, Any]) -> list[str]:
    return [violation.message for violation in check_inputs(Resource(token, "x", "urn::x", props))]


@pytest.mark.parametrize(("token", "props", "finding"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_finds(token: str, props: Mapping[str, Any], finding: str) -> None:
    assert any(message.startswith(finding) for message in _findings(token, props))


GOOD: list[tuple[str, Mapping[str, Any]]] = [
    (CONTAINER, {"image": UNKNOWN, "memory": 64, "dns": [UNKNOWN], "tmpfs": {"/run": "size=1m"}, "ports": UNKNOWN}),
    (CONTAINER, {"image": "a", "labels": [{"label": "a", "value": "b"}], "user": None}),
    ("pulumi:providers:docker", {"host": "ssh://a@b", "sshOpts": '["-o","BatchMode=yes"]'}),
    ("hcloud:index/server:Server", {"serverType": "cx33", "firewallIds": [UNKNOWN, 3]}),
    ("zero-exposure:index:Host", {"anything": 1}),
    ("pulumi:pulumi:Stack", {}),
]


@pytest.mark.parametrize(("token", "props"), GOOD)
def test_passes_what_the_provider_takes(token: str, props: Mapping[str, Any]) -> None:
    assert _findings(token, props) == []
