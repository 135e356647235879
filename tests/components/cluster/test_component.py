"""The Swarm as the program registers it: order, secrets, and nothing that is known to nobody."""

import json
import runpy
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ops.preview.record import Recording, record
from ops.preview.simulated import outputs_of
from ops.preview.stackfile import stack_values
from tests.mocks import nothing_known

ROOT = Path(__file__).parents[3]
COMMAND, SERVER = "command:local:Command", "hcloud:index/server:Server"
MACHINES = ("manager-1", "manager-2", "manager-3", "data-1")


@cache
def swarm(known: bool = True, **changed: str) -> Recording:
    """Pulumi.swarm.yaml with other values of some keys."""

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    config = stack_values(ROOT, "swarm") | {f"zero-exposure:{key}": value for key, value in changed.items()}
    return record(program, stack="swarm", config=config, outputs=outputs_of if known else nothing_known)


def named(recording: Recording, token: str, name: str) -> Any:
    return next(each for each in recording.of_type(token) if each.name == name)


def reaches(recording: Recording, start: str, goal: str) -> bool:
    """Whether a resource comes after another one, whatever lies between."""
    by_urn = {each.urn: each for each in recording.resources}
    children: dict[str, list[str]] = {}
    for each in recording.resources:
        children.setdefault(each.parent or "", []).append(each.urn)
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        urn = waiting.pop()
        if urn == goal:
            return True
        if urn not in seen and urn in by_urn:
            seen.add(urn)
            waiting += [*by_urn[urn].dependencies, *children.get(urn, [])]
    return False


def test_machines_are_made_one_after_another() -> None:
    recording = swarm()
    for before, after in pairwise(MACHINES):
        server = named(recording, SERVER, f"host-{after}-server")
        assert reaches(recording, server.urn, named(recording, COMMAND, f"member-{before}-joined").urn)


def test_services_come_after_every_machine_and_after_the_tokens_are_void() -> None:
    recording = swarm()
    provider = next(each for each in recording.resources if each.name == "swarm-docker")
    rotated = named(recording, COMMAND, "swarm-tokens-rotated")
    assert rotated.urn in provider.dependencies
    joined = {named(recording, COMMAND, f"member-{name}-joined").urn for name in MACHINES}
    assert joined <= set(rotated.dependencies)
    assert {each.provider for each in recording.of_type("docker:index/service:Service")} == {provider.urn}


@pytest.mark.parametrize("name", MACHINES)
def test_a_replaced_server_is_called_again_and_not_dismissed(name: str) -> None:
    joined = named(swarm(), COMMAND, f"member-{name}-joined")
    assert "triggers" not in joined.props
    assert joined.props["environment"]["SERVER"]
    assert "leave" in joined.props["delete"]


def test_new_servers_void_the_tokens_again() -> None:
    rotated = named(swarm(), COMMAND, "swarm-tokens-rotated")
    servers = [each for each in swarm().of_type(SERVER)]
    assert len(rotated.props["triggers"]) == len(servers) == len(MACHINES)


def test_the_key_is_a_secret_and_logged_nowhere() -> None:
    recording = swarm()
    assert recording.exports["unlockKey"] == "[secret]"
    commands = [each for each in recording.of_type(COMMAND) if each.name.startswith(("member-", "swarm-"))]
    assert {each.props["logging"] for each in commands} == {"none"}


def test_every_machine_has_a_way_in_of_its_own() -> None:
    recording = swarm()
    hosts = recording.exports["sshHosts"]
    assert hosts == {name: f"ssh-swarm-{name}.example.net" for name in MACHINES}
    for name in MACHINES:
        admin = named(
            recording,
            "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
            f"tunnel-admin-{name}-config",
        )
        rules = admin.props["config"]["ingresses"]
        assert [rule.get("hostname") for rule in rules] == [hosts[name], None]
        assert rules[0]["service"] == "ssh://127.0.0.1:22"


def test_machines_share_one_wall_and_stand_apart() -> None:
    recording = swarm()
    servers = recording.of_type(SERVER)
    assert len({tuple(each.props["firewallIds"]) for each in servers}) == 1
    groups = recording.of_type("hcloud:index/placementGroup:PlacementGroup")
    assert [group.props["type"] for group in groups] == ["spread", "spread"]
    assert {each.props["placementGroupId"] for each in servers if "manager" in each.name} != {
        each.props["placementGroupId"] for each in servers if "data" in each.name
    }


def test_more_than_ten_machines_of_a_kind_are_in_more_than_one_group() -> None:
    nodes = json.dumps({"manager": {"count": 3}, "data": {"role": "worker", "count": 21}})
    groups = swarm(nodes=nodes).of_type("hcloud:index/placementGroup:PlacementGroup")
    # In the order in which the engine is told of them, which is nobody's promise.
    assert sorted(group.name for group in groups) == [
        *(f"fleet-data-fsn1-{number}" for number in (1, 2, 3)),
        "fleet-manager-fsn1-1",
    ]


def test_deployments_go_through_the_manager_that_is_named() -> None:
    recording = swarm(swarm='{"through": "manager-3"}')
    provider = next(each for each in recording.resources if each.name == "swarm-docker")
    assert provider.props["host"] == "ssh://ops@ssh-swarm-manager-3.example.net"
    assert "init" in named(recording, COMMAND, "member-manager-3-joined").props["create"]
    assert "init" not in named(recording, COMMAND, "member-manager-1-joined").props["create"]


def test_a_first_preview_needs_no_machine() -> None:
    assert swarm(known=False).of_type("docker:index/service:Service")
