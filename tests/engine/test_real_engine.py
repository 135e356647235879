"""Containers by the real CLI and provider on a real Docker Engine of the test's own; the clouds are simulated."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.changes.cases import Edit
from ops.preview.files import rendered
from tests.engine.world import UNCHANGED, World, world
from tests.live.docker import images
from tests.live.docker.conftest import PROGRAMS
from tests.live.docker.deployed import load
from tests.live.docker.engine import Engine, host_of, running
from tests.live.docker.recipes import recipes
from tests.live.docker.recorded import IMAGE, recorded
from tests.programs import need, need_root

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI is not on PATH"),
]


@contextmanager
def _engine() -> Iterator[Engine]:
    """An Engine that has an image of each name, so that nothing is pulled."""
    archive = images.archive(recipes([str(image.props["name"]) for image in recorded().of_type(IMAGE)]))
    with running(host_of(rendered(recorded(images.ids(archive)))["host/user-data.yaml"])) as engine:
        load(engine, archive)
        yield engine


def test_containers_run_settle_and_go_and_their_data_stays(tmp_path: Path) -> None:
    need(*PROGRAMS)
    need_root()
    with (
        _engine() as engine,
        world(tmp_path, environment={"DOCKER_HOST": f"unix://{engine.folder}/sock"}, real_engine=True) as made,
    ):
        made.up()
        assert len(engine.client.containers.list()) > 10
        assert _unhealthy(engine) == []
        assert set(made.up()) <= UNCHANGED
        made.registrar_signs()
        made.refresh()
        assert set(made.preview()) <= UNCHANGED
        _change_a_health_check(made, engine)
        made.destroy()
        assert engine.client.containers.list(all=True) == []
        assert "dev-postgres-data" in {volume.name for volume in engine.client.volumes.list()}


def _unhealthy(engine: Engine) -> list[str | None]:
    return [container.name for container in engine.client.containers.list() if container.health == "unhealthy"]


def _change_a_health_check(made: World, engine: Engine) -> None:
    """The provider alone would leave the container as it is."""
    made.edit(
        Edit(at=("services", "cache", "healthcheck"), to={"command": ["valkey-cli", "-e", "ping"], "interval": "90s"})
    )
    made.up()
    inspected = engine.client.api.inspect_container("dev-cache")
    assert inspected["Config"]["Healthcheck"]["Interval"] == 90 * 1_000_000_000
    assert set(made.up()) <= UNCHANGED
