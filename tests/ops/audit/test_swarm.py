"""An audit of a Swarm looks at every machine: a clean one passes, and each thing that is wrong on one is found."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ops.audit import gather
from ops.audit.checks.perimeter import judge_private, planned_private
from ops.audit.live import Live
from ops.audit.result import Result
from ops.audit.table import CHECKS
from tests.ops.audit.stand import ROOT
from tests.ops.audit.swarm import (
    ACCOUNT,
    APP,
    HOSTS,
    MACHINES,
    OUTPUTS,
    SERVERS,
    STACK,
    TUNNELS,
    ZONE,
    Swarm,
    answers,
    swarm,
)
from tests.ops.doctor.clouds import serving
from tests.samples import settings, swarm_stack
from topology.plan import plan

LAST = list(MACHINES)[-1]
AT_THE_CLOUDS = (
    "tcp-scan", "udp-scan", "provider-firewall", "private-networks", "dns-zone", "access", "tunnels", "tunnel-ingress",
    "tunnel-alert",
)  # fmt: skip
INSIDE = (
    "published-ports", "connector", "one-gateway", "networks", "isolation", "resolver", "containers", "images",
    "digests", "files",
)  # fmt: skip


@pytest.fixture
def clean() -> Iterator[Swarm]:
    """Four machines as the program makes them."""
    given = answers()
    with serving(given) as (base, _):
        yield swarm(base, given)


def _measured(given: Swarm) -> dict[str, Result]:
    live = given.live()
    return {check.id: check.run(live) for check in CHECKS if check.id in (*AT_THE_CLOUDS, *INSIDE)}


def test_what_the_program_makes_passes_and_every_machine_was_looked_at(clean: Swarm) -> None:
    found = _measured(clean)
    assert {name: result for name, result in found.items() if result.verdict != "pass"} == {}
    assert len(found) == len(AT_THE_CLOUDS) + len(INSIDE)
    for number in SERVERS.values():
        assert f"198.51.100.{number}: 65535 TCP ports tried" in found["tcp-scan"].evidence[0]
        assert f"2001:db8:{number}::1: 200 UDP ports tried" in found["udp-scan"].evidence[0]
    for machine in MACHINES:
        assert f"admin {machine}: healthy, 1 connectors" in found["tunnels"].evidence[0]
    assert "app: healthy, 2 connectors" in found["tunnels"].evidence[0]
    assert "on 4 servers" in found["provider-firewall"].evidence[0]


def _server(given: Swarm, machine: str = LAST) -> dict[str, Any]:
    server: dict[str, Any] = given.answers[f"GET /servers/{SERVERS[machine]}"][1]["server"]
    return server


def _tunnel(given: Swarm, identity: str, of: str = "") -> dict[str, Any]:
    return given.answers[f"GET /accounts/{ACCOUNT}/cfd_tunnel/{identity}{of}"][1]


def _open_port(given: Swarm) -> None:
    given.scanner.open["tcp"] = (2377,)


def _open_udp_port(given: Swarm) -> None:
    given.scanner.open["udp"] = (4789,)


def _publish(given: Swarm) -> None:
    ports = [{"TargetPort": 5432, "PublishedPort": 5432, "Protocol": "tcp", "PublishMode": "ingress"}]
    given.spec("postgres")["EndpointSpec"]["Ports"] = ports


def _record(given: Swarm) -> None:
    record = {"name": "old.example.net", "type": "A", "content": f"198.51.100.{SERVERS[LAST]}", "proxied": True}
    given.answers[f"GET /zones/{ZONE}/dns_records"][1]["result"].append(record)


def _stray(**of_host: Any) -> Callable[[Swarm], None]:
    """A container that somebody started by hand on the last machine."""

    def spoil(given: Swarm) -> None:
        resolver = given.container("resolver")
        host = {**resolver["HostConfig"], "Dns": [str(each) for each in given.live().topology.resolvers], **of_host}
        stray = {**resolver, "Id": "stray", "Name": "/stray", "HostConfig": host, "Mounts": []}
        stray["NetworkSettings"] = {"Networks": {}, "Ports": {}}
        given.engines[LAST].every.append(stray)

    return spoil


def _gaining(given: Swarm) -> None:
    task = given.container("api")
    for engine in given.engines.values():
        engine.machine.gaining.add(str(task["State"]["Pid"]))


def _in_the_wrong_network(given: Swarm) -> None:
    given.container("api")["NetworkSettings"]["Networks"][f"{STACK}-ingress"] = {"IPAddress": "10.128.1.9"}


def _fake_task(given: Swarm) -> None:
    task = given.container("api")
    given.engines[LAST].every.append(
        {**task, "Id": "fake", "Name": "/fake", "Config": {**task["Config"], "Labels": {
            **task["Config"]["Labels"], "com.docker.swarm.task.id": "another"}}}
    )  # fmt: skip


def _plain_network(given: Swarm) -> None:
    for engine in given.engines.values():
        engine.nets[-1]["Options"] = {}


def _new_config(given: Swarm) -> None:
    name = next(each for each in given.manager.data if each.startswith(f"{STACK}-gateway-"))
    given.manager.data[name] = "YQ=="


def _resolver(given: Swarm, **state: Any) -> None:
    given.container("resolver-3")["State"].update(state)


def _lost_task(given: Swarm) -> None:
    for engine in given.engines.values():
        engine.every[:] = [each for each in engine.every if not each["Name"].startswith(f"/{STACK}-postgres.")]


def _changed_file(given: Swarm) -> None:
    engine = next(each for each in given.engines.values() if f"{STACK}-resolver-2" in each.texts)
    path = next(iter(engine.texts[f"{STACK}-resolver-2"]))
    engine.texts[f"{STACK}-resolver-2"][path] = b"changed"


Spoil = Callable[[Swarm], object]
BROKEN: dict[str, tuple[Spoil, set[str], str]] = {
    "an open port on one machine": (_open_port, {"tcp-scan"}, f"198.51.100.{SERVERS[LAST]}: tcp open: 2377"),
    "a UDP port": (_open_udp_port, {"udp-scan"}, "udp open: 4789"),
    "no firewall on one machine": (
        lambda g: _server(g)["public_net"].update(firewalls=[]),
        {"provider-firewall"},
        f"no firewall is applied to {LAST}",
    ),
    "a second private network": (
        lambda g: _server(g)["private_net"].append({"network": 9, "ip": "10.9.0.2"}),
        {"private-networks"},
        f"{LAST}: attached to private network 9",
    ),
    "another address among the machines": (
        lambda g: _server(g)["private_net"][0].update(ip="10.0.0.99"),
        {"private-networks"},
        f"{LAST}: has not its address",
    ),
    "two private networks": (
        lambda g: _server(g)["private_net"][0].update(network=9),
        {"private-networks"},
        "on 2 networks, not on one",
    ),
    "a record with one machine's address": (
        _record,
        {"dns-zone"},
        "old.example.net: A record shows the server's address",
    ),
    "one machine's SSH without Access": (
        lambda g: g.answers[f"GET /accounts/{ACCOUNT}/access/apps"][1]["result"].pop(),
        {"access"},
        f"{HOSTS[LAST]}: no Access application",
    ),
    "one machine's tunnel is down": (
        lambda g: _tunnel(g, TUNNELS[LAST])["result"].update(status="down"),
        {"tunnels"},
        f"admin {LAST} tunnel is down",
    ),
    "a third connector": (
        lambda g: _tunnel(g, APP, "/connections")["result"].append({"id": "x", "conns": [{}]}),
        {"tunnels"},
        "app tunnel has 3 connectors, not 2",
    ),
    "a rule in one machine's tunnel": (
        lambda g: _tunnel(g, TUNNELS[LAST], "/configurations")["result"]["config"]["ingress"].insert(
            0, {"hostname": "x.example.net", "service": "http://127.0.0.1:2375"}
        ),
        {"tunnel-ingress"},
        f"admin {LAST} tunnel: x.example.net",
    ),
    "a tunnel of which nobody hears": (
        lambda g: g.answers[f"GET /accounts/{ACCOUNT}/alerting/v3/policies"][1]["result"][0]["filters"].update(
            tunnel_id=[APP]
        ),
        {"tunnel-alert"},
        f"nobody is told when tunnel {TUNNELS[LAST]}",
    ),
    "a service that publishes": (_publish, {"published-ports"}, "swarm-postgres: publishes 5432/tcp"),
    "a container that publishes": (
        _stray(PortBindings={"80/tcp": [{"HostPort": "80"}]}),
        {"published-ports", "containers"},
        "stray: publishes 80/tcp",
    ),
    "a privileged container": (_stray(Privileged=True), {"isolation", "containers"}, "stray: is privileged"),
    "a container that asks elsewhere": (_stray(Dns=["9.9.9.9"]), {"resolver", "containers"}, "stray asks 9.9.9.9"),
    "a task that may gain privileges": (_gaining, {"isolation"}, "swarm-api.0.task: may gain privileges"),
    "a connector that runs as root": (
        lambda g: g.container("cloudflared")["Config"].update(User="0"),
        {"connector", "isolation"},
        "runs as root",
    ),
    "a task on the ingress network": (
        _in_the_wrong_network,
        {"one-gateway", "networks"},
        "swarm-api is on ingress and on other networks",
    ),
    "a network that is not encrypted": (_plain_network, {"networks"}, "is not encrypted between machines"),
    "a network by hand": (
        lambda g: g.engines[LAST].nets.append({"Id": "x", "Name": "mine", "IPAM": {}}),
        {"networks"},
        "mine is not in the",
    ),
    "a resolver that is down": (
        lambda g: _resolver(g, Health={"Status": "unhealthy"}),
        {"resolver", "containers"},
        "swarm-resolver-3 is unhealthy",
    ),
    "a service by hand": (
        lambda g: g.manager.declared.append({"Spec": {**g.spec("api"), "Name": "mine"}}),
        {"containers"},
        "service mine is not in the program",
    ),
    "a service that is gone": (
        lambda g: g.manager.declared.remove(next(e for e in g.manager.declared if e["Spec"] is g.spec("prober"))),
        {"containers"},
        "service swarm-prober is missing",
    ),
    "a service with a capability": (
        lambda g: g.spec("api")["TaskTemplate"]["ContainerSpec"].update(CapabilityAdd=["NET_ADMIN"]),
        {"containers"},
        "service swarm-api: differs from the program in: added capabilities",
    ),
    "a service with a folder of the machine": (
        lambda g: g.spec("api")["TaskTemplate"]["ContainerSpec"]["Mounts"].append(
            {"Type": "bind", "Source": "/", "Target": "/host"}
        ),
        {"containers"},
        "differs from the program in: mounts",
    ),
    "a service moved": (
        lambda g: g.spec("postgres")["TaskTemplate"]["Placement"].update(Constraints=[]),
        {"containers"},
        "in: placement",
    ),
    "a service with another image": (
        lambda g: g.spec("api")["TaskTemplate"]["ContainerSpec"].update(Image="evil/postgrest:v14.17"),
        {"images"},
        "swarm-api runs evil/postgrest:v14.17",
    ),
    "a task that does not run": (_lost_task, {"containers"}, "service swarm-postgres: 0 tasks run, not 1"),
    "a container that only looks like a task": (_fake_task, {"containers"}, "fake is no task of the Swarm"),
    "a file of a task": (_new_config, {"files"}, "is not what the program writes"),
    "a file of a resolver": (_changed_file, {"files"}, "swarm-resolver-2: /etc/zero-exposure/resolver/"),
    "a resolver's digest": (
        lambda g: g.container("resolver-2")["Config"]["Labels"].update({"zero-exposure.config": "x"}),
        {"digests"},
        "swarm-resolver-2: files of digest x",
    ),
}
"""What is wrong → checks that fail, and no others, and words of the evidence."""


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_found(clean: Swarm, name: str) -> None:
    spoil, failing, words = BROKEN[name]
    spoil(clean)
    found = _measured(clean)
    assert {check for check, result in found.items() if result.verdict != "pass"} == failing, found
    assert any(words in line for check in failing for line in found[check].evidence), [found[c] for c in failing]


def test_every_check_is_seen_failing() -> None:
    assert set().union(*(failing for _, failing, _ in BROKEN.values())) == {*AT_THE_CLOUDS, *INSIDE}


def test_a_machine_that_does_not_answer_is_no_pass(clean: Swarm) -> None:
    clean.engines[LAST].silent.append(True)
    found = _measured(clean)
    assert {found[check].verdict for check in INSIDE} == {"not measured"}
    assert {found[check].verdict for check in AT_THE_CLOUDS} == {"pass"}


def test_an_output_without_one_machine_is_no_pass(clean: Swarm) -> None:
    del clean.outputs["serverIds"][LAST]
    result = _measured(clean)["tcp-scan"]
    assert (result.verdict, result.evidence) == ("not measured", (f"the stack's output serverIds has no {LAST}",))


def _intrusion(given: Swarm) -> Result:
    return next(check for check in CHECKS if check.id == "intrusion").run(given.live())


def test_crowdsec_is_shown_a_request_that_came_by_the_one_network_that_the_door_is_open_to(clean: Swarm) -> None:
    joined = clean.container("gateway")["NetworkSettings"]["Networks"]
    joined[f"{STACK}-ingress"]["IPAddress"] = "10.128.1.7"
    assert _intrusion(clean).verdict == "pass"
    ((container, url),) = clean.manager.asked
    assert (container, url.startswith("http://10.128.1.7:8080/")) == ("swarm-gateway.0.task", True)


def test_one_gateway_of_two_without_decisions_is_found(clean: Swarm) -> None:
    for engine in clean.engines.values():
        engine.deaf.append("swarm-gateway.1.task")
    assert "1 of 2 gateways do not get CrowdSec's decisions" in _intrusion(clean).evidence


def test_tasks_that_are_over_do_not_count(clean: Swarm) -> None:
    over = {**clean.container("api"), "Name": "/over", "State": {"Running": False, "Status": "exited"}}
    clean.engines[LAST].every.append(over)
    assert {result.verdict for result in _measured(clean).values()} == {"pass"}


def test_a_digest_that_swarm_added_to_an_image_is_no_difference(clean: Swarm) -> None:
    spec = clean.spec("api")["TaskTemplate"]["ContainerSpec"]
    spec["Image"] = f"{spec['Image']}@sha256:{'a' * 64}"
    assert _measured(clean)["images"].verdict == "pass"


def test_each_machine_is_reached_by_its_own_tunnel_and_host_key() -> None:
    live: Live = gather.live(ROOT, STACK, OUTPUTS)
    for name, engine in live.engines.items():
        assert engine.machine.ssh[-1] == f"ops@{HOSTS[name]}"
        assert f"KnownHostsCommand=/bin/echo {HOSTS[name]} ssh-ed25519 AAAA" in engine.machine.ssh
    assert list(live.engines) == list(MACHINES)


def test_machines_in_several_zones_are_on_no_private_network() -> None:
    one, several = swarm_stack(), swarm_stack()
    several["nodes"]["worker"].update(location="ash", type="cpx31")
    assert len(planned_private(plan(settings(one)).cluster)) == 5
    assert planned_private(plan(settings(several)).cluster) == planned_private(None) == {}
    found = {"manager-1": [{"network": 3, "ip": "10.0.1.1"}]}
    assert judge_private(found, {}).verdict == "fail"
    assert judge_private({"manager-1": []}, {}).verdict == "pass"
