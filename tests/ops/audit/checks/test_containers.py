"""Judgements on what the Engine says of containers and networks, each opened in turn."""

from copy import deepcopy
from typing import Any

import pytest

from ops.audit.checks import containers
from tests.ops.audit.stand import STACK
from tests.samples import cloud_stack, settings
from topology.plan import plan

CLEAN: dict[str, Any] = {
    "Name": "/dev-api",
    "Image": "sha256:1",
    "Config": {"User": "1000:1000", "Labels": {"zero-exposure.role": "service", "zero-exposure.node": "api"}},
    "State": {"Running": True, "Status": "running"},
    "HostConfig": {"ReadonlyRootfs": True, "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges:true"]},
    "Mounts": [{"Type": "volume", "Name": "v", "Destination": "/data", "RW": True}],
    "NetworkSettings": {"Networks": {}, "Ports": {"8080/tcp": None}},
}


def _container(**host_config: Any) -> dict[str, Any]:
    found = deepcopy(CLEAN)
    found["HostConfig"].update(host_config)
    return found


def test_a_closed_container_passes() -> None:
    assert containers.judge_isolation([CLEAN]).verdict == "pass"
    assert containers.judge_connectors([CLEAN]).verdict == "pass"
    assert containers.judge_published([CLEAN]).verdict == "pass"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"Privileged": True}, "is privileged"),
        ({"CapAdd": ["NET_ADMIN"]}, "has capabilities: NET_ADMIN"),
        ({"CapDrop": []}, "does not drop all capabilities"),
        ({"SecurityOpt": []}, "may gain privileges"),
        ({"SecurityOpt": ["no-new-privileges:true", "seccomp=unconfined"]}, "runs with seccomp=unconfined"),
        ({"SecurityOpt": ["no-new-privileges:true", "label=disable"]}, "runs with label=disable"),
        ({"PidMode": "host"}, "shares the host's Pid"),
        ({"IpcMode": "host"}, "shares the host's Ipc"),
        ({"UTSMode": "host"}, "shares the host's UTS"),
        ({"UsernsMode": "host"}, "shares the host's Userns"),
        ({"Devices": [{"PathOnHost": "/dev/mem"}]}, "has devices of the host"),
        ({"ReadonlyRootfs": False}, "has a writable root file system"),
    ],
)
def test_each_opening_of_a_container_is_found(options: dict[str, Any], words: str) -> None:
    assert f"dev-api: {words}" in containers.judge_isolation([_container(**options)]).evidence
    assert containers.judge_connectors([_container(**options)]).verdict == "fail"


@pytest.mark.parametrize("user", ["", "0", "0:0", "root", "root:1000"])
def test_root_needs_a_reason_and_a_connector_can_have_none(user: str) -> None:
    found = deepcopy(CLEAN)
    found["Config"]["User"] = user
    assert containers.judge_isolation([found]).verdict == "fail"
    found["Config"]["Labels"]["zero-exposure.root-reason"] = "prepares its data"
    assert containers.judge_isolation([found]).verdict == "pass"
    assert containers.judge_connectors([found]).verdict == "fail"


def test_a_carrier_is_never_started_and_has_no_capability_either() -> None:
    carrier = _container(ReadonlyRootfs=False)
    carrier["Config"] = {"User": "", "Labels": {"zero-exposure.role": "carrier"}}
    carrier["State"] = {"Running": False, "Status": "created"}
    assert containers.judge_isolation([carrier]).verdict == "pass"
    carrier["HostConfig"]["Privileged"] = True
    assert containers.judge_isolation([carrier]).verdict == "fail"
    carrier["HostConfig"]["Privileged"] = False
    carrier["State"]["Running"] = True
    assert containers.judge_isolation([carrier]).verdict == "fail"


@pytest.mark.parametrize(
    "options",
    [
        {"PublishAllPorts": True},
        {"NetworkMode": "host"},
        {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]}},
    ],
)
def test_each_way_to_publish_is_found(options: dict[str, Any]) -> None:
    result = containers.judge_published([_container(**options)])
    assert (result.verdict, result.value) == ("fail", 1)


def test_a_network_that_leads_out_against_the_plan_is_found() -> None:
    topology = plan(settings(cloud_stack()))
    networks = [
        {"Name": f"dev-{net.name}", "Internal": net.internal, "IPAM": {"Config": [{"Subnet": str(net.subnet)}]}}
        for net in topology.networks
    ]
    assert containers.judge_networks(networks, [], topology, STACK).verdict == "pass"
    networks[1]["Internal"] = False
    assert "dev-ingress has a way out, against the plan" in str(
        containers.judge_networks(networks, [], topology, STACK).evidence
    )
    networks[1]["IPAM"] = {"Config": [{"Subnet": "10.0.0.0/8"}]}
    assert "has subnet ['10.0.0.0/8']" in str(containers.judge_networks(networks, [], topology, STACK).evidence)
    assert "dev-ingress is missing" in str(
        containers.judge_networks(networks[:1] + networks[2:], [], topology, STACK).evidence
    )


def test_a_resolver_that_is_only_starting_is_no_pass() -> None:
    resolver = _container(Dns=["127.0.0.1"])
    resolver["Name"] = "/dev-resolver"
    resolver["State"]["Health"] = {"Status": "starting"}
    assert containers.judge_resolver([resolver], ["10.128.0.2"], ["dev-resolver"]).verdict == "not measured"
    resolver["State"]["Health"] = {"Status": "healthy"}
    assert containers.judge_resolver([resolver], ["10.128.0.2"], ["dev-resolver"]).verdict == "pass"
