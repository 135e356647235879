"""What a Swarm keeps and nobody knows is found and removed; what is deployed is not."""

from typing import Any

import pytest

from ops.audit.engine import Engine
from ops.orphans.engine import engine, remove, swarm
from ops.orphans.found import Found
from tests.live.swarm.deployed import MACHINES, STACK, Deployed
from tests.programs import need

pytestmark = pytest.mark.slow
LOST = f"{STACK}-lost"
MARK = {"zero-exposure.node": "lost"}


def _marked(deployed: Deployed) -> dict[str, tuple[Engine, Found]]:
    """What `make orphans` would hold against the state, by id: each machine's, then what all of them share."""
    engines = [deployed.fleet[machine].engine.asked for machine in MACHINES]
    looks = [
        *((each, engine(each, each.containers(), STACK)) for each in engines),
        (engines[0], swarm(engines[0], STACK)),
    ]
    return {row.id: (docker, row) for docker, rows in looks for row in rows}


def _lose(deployed: Deployed) -> None:
    """One of each kind, made on the Swarm and known to nobody."""
    client: Any = deployed.client(MACHINES[0])
    image = str(client.images.list()[0].id)
    network = client.networks.create(LOST, driver="overlay", internal=True, labels={"zero-exposure.network": "link"})
    client.configs.create(name=f"{LOST}-{16 * 'a'}", data=b"a file")
    client.secrets.create(name=f"{LOST}-{16 * 'b'}", data=b"a secret")
    client.services.create(
        image, ["sleep", "600"], name=LOST, labels=MARK, container_labels=MARK, networks=[network.id]
    )
    deployed.client(MACHINES[1]).containers.create(image, ["true"], name=LOST, labels=MARK)


def test_what_was_made_and_nobody_knows_is_removed_from_a_swarm_and_nothing_else_is(swarm: Deployed) -> None:
    need("docker")
    before = _marked(swarm)
    assert {row.kind for _, row in before.values()} == {"container", "service", "config", "secret", "network"}
    containers = {number for number, (_, row) in before.items() if row.kind == "container"}
    assert containers <= set(swarm.identities.values()), "no task is among them: it is Swarm's"
    _lose(swarm)
    lost = [found for number, found in _marked(swarm).items() if number not in before]
    assert [row.kind for _, row in lost] == ["container", "service", "config", "secret", "network"]
    for docker, row in lost:
        remove(docker, row)
    assert _marked(swarm).keys() == before.keys()
