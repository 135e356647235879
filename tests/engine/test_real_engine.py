"""The dev stack's containers on a real Docker Engine, by the real CLI and the real provider. The Engine has images made
of Debian's programs, and an internet of its own with nothing real in it, so all of the stack may run here."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.changes.cases import Edit
from ops.preview.files import rendered
from tests.engine.here import by_tag, limit_files
from tests.engine.marks import ENGINE
from tests.engine.whole import CONTAINER
from tests.engine.world import UNCHANGED, World, world
from tests.live.docker.conftest import PROGRAMS
from tests.live.docker.deployed import load_images, stand_ins, until
from tests.live.docker.edge import edge_of
from tests.live.docker.engine import Engine, host_of, running
from tests.live.docker.recorded import recorded
from tests.programs import need, need_root

pytestmark = [*ENGINE, pytest.mark.slow]
VOLUME = "docker:index/volume:Volume"
HEALTHY_WITHIN = 120.0


@dataclass(frozen=True)
class Real:
    """A stack, and the Engine that its containers are on."""

    world: World
    engine: Engine

    def unwell(self) -> list[str]:
        """Containers that should run, and do not, or are not healthy."""
        made = [each for each in self.world.resources() if each["type"] == CONTAINER]
        started = [each for each in made if each["inputs"].get("start", True)]
        return [each["inputs"]["name"] for each in started if not self._is_well(each["id"])]

    def leading_out(self) -> set[str]:
        """Networks that are not internal, but Docker's own."""
        own = {"bridge", "host", "none"}
        return {str(each.name) for each in self.engine.client.networks.list() if not each.attrs["Internal"]} - own

    def published(self) -> list[Any]:
        """Ports of this machine that lead to a container."""
        return [each.ports for each in self.engine.client.containers.list() if any(each.ports.values())]

    def owners(self, node: str) -> set[tuple[int, int, int]]:
        """Owner, group and mode of every file that the program put into a node's folders."""
        folders = (self.engine.folder / "data" / "volumes").glob(f"dev-{node}-*/_data")
        found = [path.stat() for folder in folders for path in folder.iterdir()]
        return {(each.st_uid, each.st_gid, stat.S_IMODE(each.st_mode)) for each in found}

    def _is_well(self, number: str) -> bool:
        state = self.engine.client.api.inspect_container(number)["State"]
        return bool(state["Running"]) and state.get("Health", {}).get("Status", "healthy") == "healthy"


@contextmanager
def real(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Real]:
    """A simulated cloud, and an Engine with images that has nothing on it yet."""
    recording = recorded()
    with running(host_of(rendered(recording)["host/user-data.yaml"])) as engine:
        load_images(engine, stand_ins(recording))
        edge_of(recording, engine.internet.edge).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{engine.folder}/sock")
        with world(folder, real_engine=True) as made:
            by_tag(made.simulation.project)
            limit_files(made.simulation.project)
            made.left_out = {}
            yield Real(made, engine)


def test_a_stack_on_a_real_engine_is_made_once_repaired_changed_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(*PROGRAMS, "docker")
    need_root()
    with real(tmp_path, monkeypatch) as found:
        made = found.world
        assert set(made.up()) <= {"create", *UNCHANGED}
        until(lambda: not found.unwell(), HEALTHY_WITHIN, "every container is healthy")
        assert found.leading_out() == {"dev-egress"}
        assert found.published() == []
        first = made.ids(CONTAINER)
        for node in ("api", "resolver", "cloudflared"):
            user = found.engine.client.api.inspect_container(first[node])["Config"]["User"]
            assert {f"{owner}:{group} {mode:o}" for owner, group, mode in found.owners(node)} == {f"{user} 400"}

        assert set(made.up()) <= UNCHANGED
        made.registrar_signs()
        made.refresh()
        assert set(made.preview()) <= UNCHANGED, "what the provider reads is what it was told"

        made.edit(Edit(at=("services", "api", "limits", "memory"), to="300m"))
        assert made.up()["update"] == 1
        assert made.ids(CONTAINER) == first
        inspected = found.engine.client.api.inspect_container(first["api"])
        assert inspected["HostConfig"]["Memory"] == 300 * 1024**2

        found.engine.client.containers.get(first["gateway"]).remove(force=True)
        made.refresh()
        assert made.up()["create"] == 1
        until(lambda: not found.unwell(), HEALTHY_WITHIN, "the gateway is back")
        assert {node for node, number in made.ids(CONTAINER).items() if number != first[node]} == {"gateway"}

        made.edit(Edit(at=("gateway", "rate"), to=60), Edit(at=("services", "dashboard")))
        made.up()
        until(lambda: not found.unwell(), HEALTHY_WITHIN, "everything is healthy after a change")
        assert first.keys() - made.ids(CONTAINER).keys() >= {"dashboard"}
        assert set(made.up()) <= UNCHANGED

        data = {row["inputs"]["name"] for row in made.resources() if row["type"] == VOLUME and row.get("protect")}
        made.destroy()
        assert found.engine.client.containers.list(all=True) == []
        assert found.leading_out() == set()
        kept = {volume.name for volume in found.engine.client.volumes.list()}
        assert "dev-postgres-data" in kept
        assert kept == data
