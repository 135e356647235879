"""The audit of a stack with target local, on an Engine that it shares with another stack."""

import json
import runpy
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import pytest

from ops.audit.live import Live
from ops.audit.result import Result
from ops.audit.table import CHECKS
from ops.audit.web import Web, system_connect
from ops.preview.record import Recording, record
from ops.preview.stackfile import stack_values
from settings.load import load
from tests.live.docker import images
from tests.live.docker.applier import Applier
from tests.live.docker.deployed import Deployed, load_images, stand_ins, until
from tests.live.docker.namespace import inside
from tests.live.docker.recorded import IMAGE, PASSWORD, ROOT, SERVICES, by_tag, password, tagged
from tests.programs import need
from topology.plan import plan

STACK = "local"
APPLICABLE = {
    "security-headers",
    "published-ports",
    "one-gateway",
    "networks",
    "isolation",
    "resolver",
    "containers",
    "images",
    "digests",
    "files",
    "intrusion",
}


def _values() -> dict[str, str]:
    """The example, with other addresses than the stack beside it. The API's stand-in knows another schema than this
    example's, so nobody waits for it to be ready."""
    values = stack_values(ROOT, STACK)
    services = json.loads(values[SERVICES])
    del services["api"]["healthcheck"]
    changed = {SERVICES: services, "zero-exposure:network": {"pool": "10.0.0.0/9"}}
    return {**values, **{key: json.dumps(value) for key, value in changed.items()}}


def _recorded(outputs: Any) -> Recording:
    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return by_tag(record(program, stack=STACK, preview=True, config=_values(), outputs=outputs))


@pytest.fixture(scope="module")
def local(stack: Deployed) -> Iterator[Deployed]:
    """The Engine with both stacks on it."""
    need("docker")
    archive = stand_ins(_recorded(lambda *_: {}))
    known = images.ids(archive)
    load_images(stack.engine, archive)

    def outputs(token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if token == IMAGE:
            return {"imageId": known[tagged(inputs["name"])]}
        return {"result": password(name)} if token == PASSWORD else {}

    client = stack.engine.client
    # A person's own machine has no such filter: there the gateway is called from the machine itself.
    stack.engine.load_firewall('insert rule inet zero_exposure output oifname "br-*" accept')
    try:
        Applier(client).apply(_recorded(outputs))
        until(lambda: all(_is_ready(found["Status"]) for found in client.api.containers()), 120, "every container")
        yield stack
    finally:
        _remove(client.api)
        stack.engine.load_firewall(stack.engine.host.firewall)


def _remove(api: docker.APIClient) -> None:
    for container in api.containers(all=True, filters={"name": f"^/{STACK}-"}):
        api.remove_container(container["Id"], force=True)
    for network in api.networks():
        if network["Name"].startswith(f"{STACK}-"):
            api.remove_network(network["Id"])
    for volume in api.volumes()["Volumes"]:
        if volume["Name"].startswith(f"{STACK}-"):
            api.remove_volume(volume["Name"])


def _is_ready(status: str) -> bool:
    return "(health: starting)" not in status and "(unhealthy)" not in status


def _measured(local: Deployed) -> dict[str, Result]:
    settings = load(_values(), "zero-exposure")
    topology = plan(settings)
    live = Live(
        STACK,
        settings,
        topology,
        _recorded(lambda *_: {}),
        {"gateway": topology.gateway_url},
        local.engine.asked,
        Web(connect=lambda address, port: inside(local.engine.netns, lambda: system_connect(address, port))),
    )
    return {check.id: check.run(live) for check in CHECKS if check.id != "alerts"}


def test_what_applies_passes_and_the_other_stack_is_left_out(local: Deployed) -> None:
    found = _measured(local)
    assert {check: result for check, result in found.items() if check in APPLICABLE and result.verdict != "pass"} == {}
    assert {check for check, result in found.items() if result.verdict == "not applicable"} == set(found) - APPLICABLE
    assert len(local.nodes) > 5
    assert "dev-" not in str(found)


def test_whoever_joins_a_network_of_the_stack_is_not_left_out(local: Deployed) -> None:
    api = local.engine.client.api
    api.connect_container_to_network("dev-worker", f"{STACK}-ingress")
    try:
        found = _measured(local)
    finally:
        api.disconnect_container_from_network("dev-worker", f"{STACK}-ingress")
    assert "dev-worker is on network local-ingress, against the plan" in found["networks"].evidence
    assert "dev-worker is on ingress and on other networks" in found["one-gateway"].evidence
