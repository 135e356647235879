"""Machines in several network zones, as the program registers them: no private network, and no way in for WireGuard."""

import json
import runpy
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Network
from typing import Any

import pytest
import yaml

from components.underlay import WIREGUARD_PORT
from ops.preview.files import rendered
from ops.preview.graph import graph
from ops.preview.record import Recording, record
from ops.preview.simulated import outputs_of
from ops.recorded import read
from policy.rules.engine import check_resource, check_stack, exposure
from policy.rules.model import PackConfig
from settings.nodes import address
from tests.components.cluster.test_component import named, reaches
from tests.mocks import both_modes, nothing_known
from tests.zones import MACHINES, ROOT, STACK, config

COMMAND, SERVER, FIREWALL, NETWORK = (
    "command:local:Command",
    "hcloud:index/server:Server",
    "hcloud:index/firewall:Firewall",
    "docker:index/network:Network",
)
ADDRESS = "hcloud:index/primaryIp:PrimaryIp"


@cache
def mesh(known: bool = True, preview: bool = False) -> Recording:
    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    outputs = outputs_of if known else nothing_known
    return record(program, stack=STACK, config=config(), outputs=outputs, preview=preview)


def joined(name: str) -> Any:
    return named(mesh(), COMMAND, f"member-{name}-joined").props


@both_modes
def test_no_private_network_joins_them_and_the_firewall_has_no_inbound_rule(preview: bool) -> None:
    recording = mesh(preview=preview)
    assert [each.name for each in recording.resources if each.type.startswith("hcloud:index/network")] == []
    assert recording.of_type("hcloud:index/serverNetwork:ServerNetwork") == []
    (firewall,) = recording.of_type(FIREWALL)
    assert {rule["direction"] for rule in firewall.props["rules"]} == {"out"}


def test_wireguard_may_call_each_machine_and_nobody_else() -> None:
    (firewall,) = mesh().of_type(FIREWALL)
    (rule,) = (rule for rule in firewall.props["rules"] if rule["port"] == str(WIREGUARD_PORT))
    assert rule["protocol"] == "udp"
    addresses = {str(outputs_of(ADDRESS, f"fleet-address-{name}", {})["ipAddress"]) for name in MACHINES}
    assert set(rule["destinationIps"]) == {f"{each}/32" for each in addresses}


def test_a_server_keeps_its_address_when_it_is_replaced() -> None:
    recording = mesh()
    for name, place in zip(MACHINES, ("ash", "sin", "fsn1"), strict=True):
        kept = named(recording, ADDRESS, f"fleet-address-{name}")
        server = named(recording, SERVER, f"host-{name}-server")
        assert (kept.props["location"], kept.props["autoDelete"]) == (place, False)
        assert "assigneeId" not in kept.props
        (public,) = server.props["publicNets"]
        assert public["ipv4Enabled"]
        assert public["ipv4"]
        assert kept.urn in server.property_dependencies["publicNets"]
        assert server.props["firewallIds"]


def test_machines_that_have_joined_before_are_told_of_the_newcomer_and_it_of_them() -> None:
    assert "mesh reach" not in joined("america-1")["create"]
    last = joined("europe-1")["create"]
    network = IPv4Network("10.0.0.0/16")
    first, second = (str(address(name, network)) for name in ("america-1", "asia-1"))
    assert last.count("mesh peers") == 4
    assert f"mesh reach {first} {second}" in last
    assert last.index("mesh reach") < last.index(" join ")


def test_every_machine_is_told_where_all_are_and_called_again_when_one_before_it_is_another() -> None:
    for number, name in enumerate(MACHINES):
        environment = joined(name)["environment"]
        assert len(environment["ENDPOINTS"].splitlines()) == len(MACHINES)
        assert len(environment.get("PEERS", "").split()) == number
        assert "triggers" not in joined(name)


def test_no_key_of_wireguard_is_anywhere_in_the_graph() -> None:
    text = json.dumps([dict(each.props) for each in mesh().resources], default=str)
    assert "PrivateKey = %s" in text, "the tool's own line"
    assert "mesh key" not in text
    assert set(joined("europe-1")["environment"]) == {"SERVER", "ENDPOINTS", "PEERS"}


def test_overlays_leave_room_for_wireguard() -> None:
    assert {each.props["options"]["com.docker.network.driver.mtu"] for each in mesh().of_type(NETWORK)} == {"1420"}


def test_pictures_say_that_wireguard_joins_them() -> None:
    recording = mesh()
    shown = read(graph(STACK, "cloud", recording, [], exposure(recording.resources)))
    assert shown.server == "ccx13 in ash, ccx13 in sin, cx33 in fsn1, joined by WireGuard"
    assert shown.inbound_rules == 0


def test_machines_are_made_one_after_another() -> None:
    recording = mesh()
    server = named(recording, SERVER, "host-europe-1-server")
    assert reaches(recording, server.urn, named(recording, COMMAND, "member-asia-1-joined").urn)


def test_the_machine_is_given_the_address_on_wireguard_that_swarm_is_told() -> None:
    files = rendered(mesh())
    for name in MACHINES:
        own = str(address(name, IPv4Network("10.0.0.0/16")))
        text = files[f"host-{name}/user-data.yaml"]
        written = {file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]}
        assert f"Address = {own}/16\n" in written["/etc/wireguard/wg0.conf"]
        assert f"ip daddr {own} ip saddr @members jump swarm" in text


def test_a_first_preview_needs_no_machine() -> None:
    assert mesh(known=False, preview=True).of_type("docker:index/service:Service")


@pytest.mark.parametrize("known", [True, False])
def test_the_policy_pack_finds_nothing_and_no_open_port(known: bool) -> None:
    resources = mesh(known=known, preview=not known).resources
    found = [violation for each in resources for violation in check_resource(each, PackConfig())]
    assert [each for each in (*found, *check_stack(resources, PackConfig())) if each.blocking] == []
    assert exposure(resources).open_inbound_ports == 0


def test_the_policy_pack_refuses_wireguard_that_may_call_everyone() -> None:
    (firewall,) = mesh().of_type(FIREWALL)
    rules = [dict(rule) for rule in firewall.props["rules"]]
    rules[-1]["destinationIps"] = ["0.0.0.0/0"]
    found = check_resource(replace(firewall, props={**firewall.props, "rules": rules}), PackConfig())
    assert {each.rule for each in found} == {"firewall-wireguard-members"}
