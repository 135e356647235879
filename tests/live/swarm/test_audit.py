"""The audit's look inside, on three real Engines that are one Swarm: as deployed, and with something by hand."""

import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from ops.audit.live import Live
from ops.audit.result import Result
from ops.audit.table import CHECKS
from ops.preview.record import Recording, record
from ops.preview.stackfile import project_name
from settings.load import load
from tests.live.docker.deployed import until
from tests.live.docker.recorded import ROOT, by_tag
from tests.live.swarm.deployed import MACHINES, STACK, Deployed, stack_file
from tests.programs import need
from topology.plan import plan

pytestmark = pytest.mark.slow
INSIDE = (
    "published-ports", "connector", "one-gateway", "networks", "isolation", "resolver", "containers", "images",
    "digests", "files", "intrusion",
)  # fmt: skip


@cache
def _program() -> Recording:
    """As an audit records it: what only a cloud knows is unknown."""

    def run() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return by_tag(record(run, stack=STACK, preview=True, config=stack_file(), outputs=lambda *_: {}))


def _live(swarm: Deployed) -> Live:
    """A fresh look: nothing is remembered from the one before."""
    need("docker")
    settings = load(stack_file(), project_name(ROOT))
    engines = {name: swarm.fleet[name].engine.asked for name in MACHINES}
    return Live(STACK, settings, plan(settings), _program(), {}, engines=engines)


def _measured(swarm: Deployed) -> dict[str, Result]:
    live = _live(swarm)
    return {check.id: check.run(live) for check in CHECKS if check.id in INSIDE}


def _are_told_healthy(swarm: Deployed) -> bool:
    every = [container for name in MACHINES for container in swarm.client(name).containers.list()]
    return all(container.attrs["State"].get("Health", {}).get("Status", "healthy") == "healthy" for container in every)


def test_every_check_inside_passes_on_the_swarm_as_deployed_but_for_what_this_kernel_lacks(swarm: Deployed) -> None:
    until(lambda: _are_told_healthy(swarm), 120, "every container")
    found = _measured(swarm)
    networks = found.pop("networks")
    assert {name: result for name, result in found.items() if result.verdict != "pass"} == {}
    assert {*found, "networks"} == set(INSIDE)
    assert networks.verdict == "fail"
    assert all(line.endswith("is not encrypted between machines") for line in networks.evidence[1:]), networks


@contextmanager
def _by_hand(swarm: Deployed, machine: str) -> Iterator[None]:
    client = swarm.client(machine)
    made = client.containers.create(str(client.images.list()[0].id), ["true"], name="by-hand", privileged=True)
    try:
        yield
    finally:
        made.remove(force=True)


def test_a_container_by_hand_is_found_on_whatever_machine(swarm: Deployed) -> None:
    with _by_hand(swarm, MACHINES[-1]):
        found = _measured(swarm)
    assert "by-hand is not in the program" in found["containers"].evidence
    assert "by-hand: is privileged" in found["isolation"].evidence
    assert _measured(swarm)["containers"].verdict == "pass"
