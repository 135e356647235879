"""The example of a Swarm on three real Engines, by the real CLI and the real provider.

Machines join as servers do, by the program's own commands. What the kernel of a build machine lacks is left out of the
copied program (here.py).
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.changes.cases import Edit
from tests.engine.here import by_tag, limit_files, without_kernel_modules
from tests.engine.leaks import leaked, secrets_of
from tests.engine.marks import ENGINE
from tests.engine.world import UNCHANGED, World, world
from tests.live.docker.conftest import PROGRAMS
from tests.live.swarm.deployed import MACHINES, SERVICE, STACK, Deployed, apart, stub_ssh
from tests.live.swarm.service import converged
from tests.live.swarm.test_swarm import is_kept, note
from tests.programs import need, need_root

pytestmark = [*ENGINE, pytest.mark.slow]
VOLUME = "docker:index/volume:Volume"
MEASURED = {f"{STACK}-metrics", f"{STACK}-backup-metrics"}
"""Volumes that each machine makes for itself: they hold the last measurements, and go with the machine."""


@dataclass(frozen=True)
class Real:
    """A stack, and the machines that it is on."""

    world: World
    machines: Deployed

    def settle(self) -> None:
        """Wait until every service has all its tasks. Raises ``TimeoutError``."""
        for identity in self.world.ids(SERVICE).values():
            assert converged(self.machines.client(), identity) == "completed"

    def open_line(self) -> None:
        """The edge takes the connectors of the tunnel that there is now."""
        self.machines.edge.tunnel = self.world.stack.outputs()["appTunnelId"].value

    def spec(self, node: str) -> dict[str, Any]:
        """What Swarm was told of a service."""
        api: Any = self.machines.client().api
        return dict(api.inspect_service(self.world.ids(SERVICE)[node])["Spec"])


@contextmanager
def real(folder: Path) -> Iterator[Real]:
    with ExitStack() as stack:
        machines = stack.enter_context(apart())
        path = stub_ssh(Path(stack.enter_context(tempfile.TemporaryDirectory())), machines.fleet)
        made = stack.enter_context(world(folder, STACK, {"PATH": path}, real_engine=True))
        for left_out in (by_tag, limit_files, without_kernel_modules):
            left_out(made.simulation.project)
        made.left_out = {}
        made.edit(
            Edit(at=("nodes",), to={"manager": {"count": len(MACHINES)}}),
            Edit(at=("services", "postgres", "node"), to=MACHINES[0]),
            Edit(at=("services", "postgres", "standby"), to={"node": MACHINES[1]}),
        )
        yield Real(made, machines)


def test_a_swarm_is_formed_deployed_once_changed_and_left(tmp_path: Path) -> None:
    need("curl", *PROGRAMS, "docker")
    need_root()
    with real(tmp_path) as found:
        made = found.world
        assert set(made.up()) <= {"create", *UNCHANGED}
        found.settle()
        found.open_line()
        written = note(found.machines)
        first = made.ids(SERVICE)
        unlocking = found.machines.client().api.get_unlock_key()["UnlockKey"]
        assert made.stack.outputs()["unlockKey"].value.strip() == unlocking
        assert leaked({unlocking, *secrets_of(made)}, made.shown()) == []

        assert made.changed_by_another_up() == {}
        made.registrar_signs()
        made.refresh()
        assert made.changed_by_another_up() == {}, "what the provider reads is what it was told"

        made.edit(Edit(at=("services", "api", "limits", "memory"), to="300m"), Edit(at=("gateway", "rate"), to=60))
        made.up()
        found.settle()
        assert made.ids(SERVICE) == first
        assert found.spec("api")["TaskTemplate"]["Resources"]["Limits"]["MemoryBytes"] == 300 * 1024**2
        assert made.changed_by_another_up() == {}
        assert is_kept(found.machines, written)

        made.forget("prober")
        assert made.look_for_orphans() == 0
        made.up()
        found.settle()
        assert {node for node, number in made.ids(SERVICE).items() if number != first[node]} == {"prober"}

        data = {row["inputs"]["name"] for row in made.resources() if row["type"] == VOLUME and row.get("protect")}
        made.destroy()
        clients: list[Any] = [found.machines.client(machine) for machine in MACHINES]
        assert {client.info()["Swarm"]["LocalNodeState"] for client in clients} == {"inactive"}
        assert [client.containers.list(all=True) for client in clients] == [[]] * len(clients)
        left = {str(each.name) for client in clients for each in [*client.networks.list(), *client.volumes.list()]}
        assert {name for name in left if name.startswith(f"{STACK}-")} == data | MEASURED
