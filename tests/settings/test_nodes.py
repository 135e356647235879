"""Machines in the stack file: what they are called, where they are, and what is refused."""

from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.load import SettingsError
from settings.nodes import address, is_mesh
from tests.samples import NAMESPACE, cloud_stack, local_stack, settings, swarm_stack

Raw = dict[str, Any]
WORKERS = {"count": 2, "role": "worker"}
BAD: list[tuple[str, Callable[[Raw], object], str, str]] = [
    ("an even number of managers", lambda s: s.update(nodes={"pair": {"count": 2}}), "nodes", "1, 3, 5 or 7"),
    ("no manager", lambda s: s.update(nodes={"manager": WORKERS}), "nodes", "0 managers"),
    ("nine managers", lambda s: s.update(nodes={"manager": {"count": 9}}), "nodes", "9 managers"),
    ("one machine", lambda s: s.update(nodes={"manager": {}}), "nodes", "1 machines for 2 gateways"),
    ("too many", lambda s: s["nodes"]["worker"].update(count=101), "nodes.worker.count", "100"),
    ("an unknown role", lambda s: s["nodes"]["worker"].update(role="master"), "nodes.worker.role", "worker"),
    ("an unknown key", lambda s: s["nodes"]["worker"].update(size=3), "nodes.worker.size", "no such key"),
    ("too many for WireGuard", lambda s: s["nodes"].update(batch={"count": 96, "role": "worker", "location": "ash"}),
     "nodes", "101 machines in several zones"),
    ("containers' addresses", lambda s: s.update(swarm={"network": "10.128.0.0/16"}), "swarm.network", "overlaps"),
    ("the Engine's addresses", lambda s: s.update(swarm={"network": "172.16.0.0/16"}), "swarm.network", "overlaps"),
    ("a public network", lambda s: s.update(swarm={"network": "203.0.0.0/16"}), "swarm.network", "private"),
    ("a small pool", lambda s: s.update(network={"pool": "10.128.0.0/20"}), "network.pool", "/18"),
    ("through a worker", lambda s: s.update(swarm={"through": "worker-1"}), "swarm.through", "manager-1, manager-2"),
    ("one name for SSH", lambda s: s.update(tunnel={"ssh_host": "ssh.example.org"}), "tunnel.ssh_host", "each machine"),
    ("volumes nowhere", lambda s: s["services"]["postgres"].pop("node"), "services.postgres.node", "manager-1"),
    ("an unknown machine", lambda s: s["services"]["api"].update(node="gone-1"), "services.api.node", "worker-2"),
    ("a resolver's name", lambda s: s["services"].update({"resolver-2": s["services"]["api"] | {"routes": []}}),
     "services.resolver-2", "resolvers"),
    ("a subnet for one server", lambda s: s.update(network={"subnets": {"gateway>api": "10.130.0.8/29"}}),
     "network.subnets.gateway>api", "/26"),
    ("a subnet in egress", lambda s: s.update(network={"subnets": {"gateway>api": "10.128.0.0/26"}}),
     "network.subnets.gateway>api", "10.128.0.0/21"),
    ("a subnet in ingress", lambda s: s.update(network={"subnets": {"gateway>api": "10.128.1.64/26"}}),
     "network.subnets.gateway>api", "10.128.0.0/21"),
    ("a subnet where every machine is", lambda s: s.update(network={"subnets": {"gateway>api": "10.128.4.192/26"}}),
     "network.subnets.gateway>api", "10.128.0.0/21"),
    ("labels nobody has", lambda s: s["services"]["api"].update(placement={"disk": "slow"}),
     "services.api.placement", "no machine"),
    ("a file too long", lambda s: s["services"]["api"].update(files={"/etc/a/b": "x" * 1_000_001}),
     "services.api.files./etc/a/b", "Swarm takes"),
    ("a standby of something else", lambda s: s["services"]["api"].update(standby={"node": "worker-1"}),
     "services.api.standby", "preset: postgres"),
    ("a standby on an unknown machine", lambda s: s["services"]["postgres"].update(standby={"node": "gone-1"}),
     "services.postgres.standby.node", "worker-2"),
    ("a standby beside its database", lambda s: s["services"]["postgres"].update(standby={"node": "manager-1"}),
     "services.postgres.standby.node", "lost with it"),
    ("a standby's name", lambda s: s["services"].update({
        "postgres": {**s["services"]["postgres"], "standby": {"node": "worker-1"}},
        "postgres-standby": s["services"]["api"] | {"routes": []}}),
     "services.postgres-standby", "taken by the standby of postgres"),
    ("a standby that keeps nothing", lambda s: s["services"]["postgres"].update(
        standby={"node": "worker-1", "keep_wal": "much"}), "services.postgres.standby.keep_wal", "write a size"),
    ("data in two places", lambda s: (s.update(backup={"store": "r2"}), s["services"].update(
        other={"preset": "postgres", "node": "worker-1"})), "backup", "other on worker-1"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "path", "right"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_names_the_key_and_what_is_right(spoil: Callable[[Raw], object], path: str, right: str) -> None:
    stack = swarm_stack()
    spoil(stack)
    with pytest.raises(SettingsError) as caught:
        settings(stack)
    assert any(
        line.strip().startswith(f"{NAMESPACE}:{path}:") and right in line for line in str(caught.value).splitlines()
    )


@pytest.mark.parametrize("key", ["node", "placement", "standby"])
def test_one_server_has_no_machines_to_choose_from(key: str) -> None:
    stack = cloud_stack()
    stack["services"]["api"][key] = {
        "node": "manager-1",
        "placement": {"disk": "fast"},
        "standby": {"node": "manager-2"},
    }[key]
    with pytest.raises(SettingsError, match=f"services.api.{key}: goes with nodes"):
        settings(stack)


def test_this_machine_is_one() -> None:
    with pytest.raises(SettingsError, match="nodes: needs target: cloud"):
        settings(local_stack(nodes={"manager": {"count": 3}}))


def test_managers_come_first_and_groups_inherit_from_the_host() -> None:
    raw = swarm_stack()
    raw["host"] = {"type": "ccx13", "location": "nbg1"}
    stack = settings(raw)
    assert [machine.name for machine in stack.machines] == [
        "manager-1", "manager-2", "manager-3", "worker-1", "worker-2",
    ]  # fmt: skip
    assert {(machine.type, machine.location, machine.zone) for machine in stack.machines} == {
        ("ccx13", "nbg1", "eu-central")
    }
    assert stack.through.name == "manager-1"


def test_several_locations_of_one_zone_are_one_network() -> None:
    nodes = {
        "falkenstein": {"location": "fsn1"}, "nuremberg": {"location": "nbg1"}, "helsinki": {"location": "hel1"},
    }  # fmt: skip
    stack = swarm_stack(nodes=nodes)
    stack["services"]["postgres"]["node"] = "helsinki-1"
    assert {machine.location for machine in settings(stack).machines} == {"fsn1", "nbg1", "hel1"}


def test_machines_in_several_zones_reach_each_other_by_wireguard_and_keep_their_addresses() -> None:
    one = swarm_stack()
    several = swarm_stack()
    several["nodes"]["worker"].update(location="ash", type="cpx31")
    assert (is_mesh(settings(one).machines), is_mesh(settings(several).machines)) == (False, True)
    assert [each.address for each in settings(one).machines] == [each.address for each in settings(several).machines]


def test_without_nodes_there_is_no_machine() -> None:
    assert settings(cloud_stack()).machines == ()


@given(st.from_regex(r"[a-z][a-z0-9]{1,8}-[1-9]", fullmatch=True), st.integers(12, 20))
def test_an_address_is_the_names_alone_and_never_one_of_the_providers(name: str, prefix: int) -> None:
    network = IPv4Network(("10.0.0.0", prefix))
    found = address(name, network)
    assert found == address(name, network)
    assert found in network
    assert network[15] < found < network.broadcast_address


def test_another_group_moves_nobody() -> None:
    before = {machine.name: machine.address for machine in settings(swarm_stack()).machines}
    nodes = {"manager": {"count": 3}, "worker": WORKERS, "batch": {"count": 4, "role": "worker"}}
    after = {machine.name: machine.address for machine in settings(swarm_stack(nodes=nodes)).machines}
    assert before.items() <= after.items()
