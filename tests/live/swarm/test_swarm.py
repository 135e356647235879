"""The example on three real Engines: formed, asked, updated, walled off, and with one machine gone.

What this kernel lacks is asserted in the declared graph (tests/components/test_swarm.py): encryption of overlays (ESP)
and virtual addresses (IPVS). Everything else is the declared graph as it is.
"""

import json
import socket
import time
from collections import Counter
from typing import Any

import pytest

from tests.live.docker.deployed import until
from tests.live.docker.namespace import inside
from tests.live.docker.probe import REACHED, probe
from tests.live.swarm.deployed import COMMAND, MACHINES, SERVICE, STACK, Deployed, recorded
from tests.live.swarm.load import HOST, Load

pytestmark = pytest.mark.slow
LISTENS = {
    "gateway": (8080, 9145), "cloudflared": (20241,), "api": (3000,), "postgres": (5432,), "crowdsec": (8081,),
    "egress-proxy": (3128,), "node-exporter": (9100,), "postgres-exporter": (9187,), "alertmanager": (9093,),
    "prober": (9115,),
}  # fmt: skip
"""Where each of them takes connections."""


def note(swarm: Deployed) -> str:
    """The id of a note that the API has."""
    answer = swarm.edge.request("POST", HOST, "/rpc/upload", b"a note", within=20)
    assert answer.status == 200, answer
    return str(json.loads(answer.body))


def is_kept(swarm: Deployed, identity: str) -> bool:
    answer = swarm.edge.request("GET", HOST, f"/rpc/status?id={identity}", within=20)
    return answer.status == 200 and json.loads(answer.body) == "kept"


def nodes(swarm: Deployed) -> dict[str, Any]:
    """Members by the name of their machine."""
    api: Any = swarm.client().api
    return {node["Spec"]["Labels"]["zero-exposure.machine"]: node for node in api.nodes()}


def places(swarm: Deployed) -> dict[str, list[tuple[str, str, dict[str, str]]]]:
    """Service → of each task its machine, the path of its network namespace, and its addresses by network."""
    found: dict[str, list[tuple[str, str, dict[str, str]]]] = {}
    for resource in swarm.recording.of_type(SERVICE):
        for machine, identity in swarm.tasks(resource.name).items():
            api: Any = swarm.client(machine).api
            told = api.inspect_container(identity)
            joined = told["NetworkSettings"]["Networks"]
            addresses = {name: entry["IPAddress"] for name, entry in joined.items() if entry["IPAddress"]}
            found.setdefault(resource.name, []).append((machine, f"/proc/{told['State']['Pid']}/ns/net", addresses))
    return found


def test_the_recorded_commands_made_one_swarm_of_locked_managers(swarm: Deployed) -> None:
    found = nodes(swarm)
    assert set(found) == set(MACHINES)
    assert {node["Status"]["State"] for node in found.values()} == {"ready"}
    assert {node["ManagerStatus"]["Reachability"] for node in found.values()} == {"reachable"}
    api: Any = swarm.client().api
    assert api.inspect_swarm()["Spec"]["EncryptionConfig"]["AutoLockManagers"]
    assert swarm.commands["member-manager-1-joined"].startswith("SWMKEY-")


def test_no_command_shows_a_token_or_a_key(swarm: Deployed) -> None:
    texts = [str(command.props) for command in swarm.recording.of_type(COMMAND)]
    assert not any("SWMTKN-" in text or "SWMKEY-" in text for text in texts)
    others = {name: text for name, text in swarm.commands.items() if name != "member-manager-1-joined"}
    assert not any("SWM" in text for text in others.values())


def test_the_commands_change_nothing_the_second_time(swarm: Deployed) -> None:
    before = {name: node["ID"] for name, node in nodes(swarm).items()}
    for name in MACHINES:
        swarm.command(f"member-{name}-joined")
    assert {name: node["ID"] for name, node in nodes(swarm).items()} == before


def test_there_is_no_routing_mesh_and_nothing_is_published(swarm: Deployed) -> None:
    api: Any = swarm.client().api
    assert [network["Name"] for network in api.networks() if network.get("Ingress")] == []
    for service in api.services():
        assert service["Endpoint"].get("Ports", []) == []
    for machine in swarm.fleet.machines.values():
        own: Any = machine.engine.client.api
        for container in own.containers():
            assert [port for port in container["Ports"] if "PublicPort" in port] == []


def test_a_stolen_token_joins_nothing_once_tokens_were_made_anew(swarm: Deployed) -> None:
    stolen = swarm.fleet["manager-1"].call("token", "worker").strip()
    swarm.command("swarm-tokens-rotated")
    with swarm.fleet.stranger("10.0.250.250") as thief:
        for name in MACHINES:
            addresses = [*(machine.address for machine in swarm.fleet.machines.values()), thief.address]
            swarm.fleet[name].call("members", *addresses)
        thief.call("members", *addresses)
        with pytest.raises(RuntimeError):
            thief.call("join", thief.address, swarm.fleet["manager-1"].address, text=f"{stolen}\n")
        assert thief.call("state").strip() != "active"
        thief.call("leave")
        # Control: with the new token it would have been a member.
        fresh = swarm.fleet["manager-1"].call("token", "worker")
        thief.call("join", thief.address, swarm.fleet["manager-1"].address, text=fresh)
        assert thief.call("state").strip() == "active"
        identity = thief.call("identity").strip()
        thief.call("leave")
        api: Any = swarm.client().api
        until(lambda: _gone(api, identity), 60, "the thief's place")
    for name in MACHINES:
        swarm.fleet[name].call("members", *(machine.address for machine in swarm.fleet.machines.values()))
    swarm.command("swarm-tokens-rotated")


def _gone(api: Any, identity: str) -> bool:
    try:
        api.remove_node(identity, force=True)
    except Exception:
        return all(node["ID"] != identity for node in api.nodes())
    return True


def test_requests_are_served_by_two_connectors_and_two_gateways(swarm: Deployed) -> None:
    identity = note(swarm)
    assert all(is_kept(swarm, identity) for _ in range(60))
    for name in ("cloudflared", "gateway"):
        assert len(swarm.tasks(name)) == 2, "each on a machine of its own"
    serving = [
        machine
        for machine, container in swarm.tasks("gateway").items()
        if b"rpc/status" in swarm.client(machine).containers.get(container).logs(tail=200)
    ]
    assert len(serving) == 2
    assert len({machine for machine in swarm.tasks("api")}) == 3


def test_a_task_reaches_those_that_it_shares_a_link_with_on_whatever_machine_and_nobody_else(swarm: Deployed) -> None:
    found = places(swarm)
    offered = {
        (address, port): (server, network)
        for server, tasks in found.items()
        for _, _, addresses in tasks
        for network, address in addresses.items()
        for port in LISTENS.get(server, ())
    }
    wrong: list[str] = []
    allowed, refused = 0, 0
    for client, tasks in found.items():
        for machine, netns, own in tasks:
            others = {target: place for target, place in offered.items() if place[0] != client}
            for target, result in probe(netns, others).items():
                server, network = others[target]
                shared = network in own
                allowed, refused = allowed + shared, refused + (not shared)
                if (result == "open") != shared:
                    wrong.append(f"{client} on {machine} → {server} {target} by {network}: {result}")
    assert wrong == []
    print(f"{allowed} ways are open as declared, {refused} are closed")
    assert allowed > 20
    assert refused > 200


def test_a_task_reaches_no_port_of_any_machine(swarm: Deployed) -> None:
    targets = [(machine.address, port) for machine in swarm.fleet.machines.values() for port in (22, 2377, 7946, 2375)]
    for tasks in places(swarm).values():
        for _, netns, _ in tasks:
            assert not [target for target, result in probe(netns, targets).items() if result in REACHED]


def test_from_the_internet_no_port_of_any_machine_answers(swarm: Deployed) -> None:
    targets = [(f"192.0.2.{number}", port) for number in (11, 12, 13) for port in (22, 80, 443, 2377, 4789, 7946, 8080)]
    assert {result for result in probe(swarm.fleet.internet.path, targets).values()} <= {"silent", "unreachable"}


def test_names_lead_out_by_the_resolvers_and_by_nothing_else(swarm: Deployed) -> None:
    """Resolvers stand at the addresses that tasks are told, on three machines."""
    for number, machine in zip((2, 3, 4), MACHINES, strict=True):
        name = f"{STACK}-resolver" + (f"-{number - 1}" if number > 2 else "")
        told = swarm.client(machine).containers.get(name).attrs["NetworkSettings"]["Networks"]
        assert told[f"{STACK}-egress"]["IPAddress"] == f"10.128.0.{number}"
    machine, identity = next(iter(swarm.tasks("cloudflared").items()))
    code, output = swarm.execute(machine, identity, "nslookup", "resolver.internal", "10.128.0.3")
    assert code == 0, output


def test_a_stranger_on_the_private_network_reaches_no_port_of_swarm(swarm: Deployed) -> None:
    netns = swarm.fleet.plug_in("zs-neighbour", "10.0.251.251")
    targets = [(machine.address, port) for machine in swarm.fleet.machines.values() for port in (2377, 7946)]
    assert set(probe(netns, targets).values()) <= {"silent"}
    member = swarm.fleet["manager-2"].engine.netns
    first = swarm.fleet["manager-1"].address
    assert probe(member, [(first, 2377), (first, 7946)]) == {(first, 2377): "open", (first, 7946): "open"}


def test_a_rolling_update_fails_no_request(swarm: Deployed) -> None:
    def change(services: dict[str, Any]) -> None:
        services["api"]["env"]["VERSION"] = "2"

    identity = note(swarm)
    with Load(swarm.edge, identity) as load:
        time.sleep(3)
        assert swarm.apply(recorded(swarm.image_ids, change)) == ["api"]
        assert swarm.settled("api") == "completed"
        time.sleep(3)
    assert [answer.status for answer in load.failed] == []
    assert [answer.status for answer in load.writes if answer.status != 200] == []
    assert len(load.reads) > 100
    print(f"rolling update: {len(load.reads)} reads, {len(load.writes)} writes, none failed")


def test_a_version_that_fails_its_health_check_is_taken_back(swarm: Deployed) -> None:
    before = swarm.recording

    def spoil(services: dict[str, Any]) -> None:
        services["api"]["env"]["VERSION"] = "3"
        services["api"]["healthcheck"] = {
            "command": ["/bin/false"],
            "interval": "1s",
            "retries": 1,
            "start_period": "1s",
        }

    identity = note(swarm)
    with Load(swarm.edge, identity) as load:
        swarm.apply(recorded(swarm.image_ids, spoil))
        assert swarm.settled("api") == "rollback_completed"
    assert load.failed == []
    swarm.recording = before


def test_a_machine_that_is_gone_is_made_up_for_within_half_a_minute(swarm: Deployed) -> None:
    identity = note(swarm)
    lost = next(machine for machine in swarm.tasks("gateway") if machine != "manager-1")
    watched = ("api", "gateway", "cloudflared")
    with Load(swarm.edge, identity) as load:
        time.sleep(5)
        swarm.fleet[lost].cut_power()
        again = until(lambda: _is_full(swarm, watched, lost), 120, "all tasks on the other machines")
        time.sleep(10)
    told = Counter(answer.status for answer in load.failed)
    print(f"{lost} lost: full again after {again:.1f} s; of {len(load.reads)} reads failed {dict(told)}")
    missing = [kept for kept in load.kept if not is_kept(swarm, kept)]
    assert missing == [], "no acknowledged row is lost"
    assert load.share_failed <= 0.01
    assert again <= 30
    assert len(load.kept) > 50

    swarm.fleet[lost].start_again()
    assert swarm.fleet[lost].call("state").strip() == "locked"
    swarm.fleet[lost].call("unlock")
    until(lambda: nodes(swarm)[lost]["Status"]["State"] == "ready", 60, "the machine is a member again")


def _is_full(swarm: Deployed, services: tuple[str, ...], lost: str) -> bool:
    wanted = {"api": 3, "gateway": 2, "cloudflared": 2}
    return all(_count(swarm, name, lost) == wanted[name] for name in services)


def _count(swarm: Deployed, name: str, lost: str) -> int:
    """Running tasks of a service on machines that live. More than one may be on the same."""
    api: Any = swarm.client().api
    labels = {node["ID"]: node["Spec"]["Labels"]["zero-exposure.machine"] for node in api.nodes()}
    tasks = api.tasks({"service": f"{STACK}-{name}", "desired-state": "running"})
    return sum(task["Status"]["State"] == "running" and labels[task["NodeID"]] != lost for task in tasks)


def test_control_a_request_for_which_there_is_no_connector_fails(swarm: Deployed) -> None:
    with inside(swarm.fleet.internet.path, lambda: socket.create_server(("198.51.100.1", 7999))) as deaf:
        edge = type(swarm.edge)(deaf, swarm.edge.tunnel, swarm.edge.ingress)
        assert edge.request("GET", HOST, "/rpc/status", within=1).status == 530
