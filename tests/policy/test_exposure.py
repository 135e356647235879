"""The score is computed from the graph: it moves with it."""

import json

import pytest

from policy.rules.engine import exposure
from policy.rules.model import UNKNOWN
from tests.policy import stacks
from tests.policy.test_stack_rules import change, join, reroute, without


@pytest.mark.parametrize("known", [True, False])
def test_a_cloud_stack_scores_full_marks(known: bool) -> None:
    found = exposure(stacks.cloud(known))
    assert found.open_inbound_ports == 0
    assert found.security_layers == len(found.layers) == 9
    assert found.tls_termination_points == 1
    assert found.centralized_ingress_percent == 100
    assert [item.number for item in found.checklist] == list(range(1, 11))
    assert [item.number for item in found.checklist if not item.ok] == []


def test_a_local_stack_has_no_server_and_says_so() -> None:
    found = exposure(stacks.local())
    assert (found.open_inbound_ports, found.tls_termination_points) == (0, 0)
    assert found.layers == ("network isolation", "gateway", "container isolation", "intrusion detection")
    assert found.checklist[4].evidence == "no public host in this stack"


def test_it_is_json_in_the_agreed_shape() -> None:
    shape = json.loads(json.dumps(exposure(stacks.cloud()).as_json()))
    assert set(shape) == {
        "open_inbound_ports",
        "security_layers",
        "tls_termination_points",
        "centralized_ingress_percent",
        "checklist",
    }
    assert all(set(item) == {"item", "ok", "evidence"} for item in shape["checklist"])


@pytest.mark.parametrize(
    ("port", "ports"), [("22", 1), ("8000-8009", 10), ("any", 65_535), (None, 65_535), (UNKNOWN, 65_535)]
)
def test_an_inbound_rule_counts_its_ports(port: object, ports: int) -> None:
    spoiled = change("firewall", rules=[{"direction": "in", "protocol": "tcp", "port": port}])
    assert exposure(spoiled(stacks.cloud())).open_inbound_ports == ports


def test_a_server_without_its_firewall_is_wide_open() -> None:
    found = exposure(without("firewall")(stacks.cloud()))
    assert found.open_inbound_ports == 65_535
    assert "perimeter firewall" not in found.layers


def test_half_the_hosts_past_the_gateway_are_half_the_way_in() -> None:
    ingresses = [
        {"hostname": "api.example.org", "service": "http://10.128.0.18:8080"},
        {"hostname": "admin.example.org", "service": "http://10.128.1.2:3000"},
        {"service": "http_status:404"},
    ]
    spoiled = change("app-config", config={"ingresses": ingresses})
    assert exposure(spoiled(stacks.cloud())).centralized_ingress_percent == 50


def test_tls_to_the_gateway_is_a_second_place_where_it_ends() -> None:
    assert exposure(reroute("app-config", "https://10.128.0.18")(stacks.cloud())).tls_termination_points == 2


def test_a_layer_that_does_not_hold_does_not_count() -> None:
    assert "network isolation" not in exposure(join("resolver", "link-api-db")(stacks.cloud())).layers
    assert "container isolation" not in exposure(change("api", privileged=True)(stacks.cloud())).layers
    assert "identity" not in exposure(without("access-admin.example.org")(stacks.cloud())).layers
