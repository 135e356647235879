"""The way up, and a move: rows of one server are on the Swarm, and on another machine of it, by the documented steps.

The repository of backups stands for the bucket: it is carried from one keeper's volume to the other's, as a bucket
stays where it is. Everything else is the rendered containers, real PostgreSQL and real restic.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.backup.component import USER
from components.backup.render import SCRIPTS
from ops.preview.files import rendered
from tests.live.docker.applier import Applier
from tests.live.docker.deployed import load_images, until
from tests.live.docker.edge import Edge, edge_of
from tests.live.docker.engine import Engine, host_of, running
from tests.live.docker.recorded import ROOT, by_tag
from tests.live.swarm.deployed import STACK, Change, Deployed, archive, recorded
from tests.live.swarm.load import HOST
from tests.live.swarm.test_swarm import is_kept, note

pytestmark = pytest.mark.slow
HOME, OTHER = "manager-1", "manager-2"
KEPT_HERE = {"zero-exposure:backup": json.dumps({"store": "volume"})}
BUSY = 75
REPOSITORY = "repository"


def on_one_server(services: dict[str, Any]) -> None:
    """The same services without machines."""
    del services["postgres"]["node"]


def moved(services: dict[str, Any]) -> None:
    services["postgres"]["node"] = OTHER


def documented(page: str, heading: str) -> list[str]:
    """The docker commands of a section of the documentation, for this stack."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^ {4}(docker .*?)(?: +#.*)?$", section, re.MULTILINE)
    return [command.replace("STACK", STACK).replace("CLIENT=REPLICAS", "api=3").replace("CLIENT", "api")
            for command in found]  # fmt: skip


@dataclass
class Server:
    """One server with the same stack."""

    engine: Engine
    edge: Edge

    def upload(self) -> str:
        answer = self.edge.request("POST", HOST, "/rpc/upload", b"a note", within=20)
        assert answer.status == 200, answer
        return str(json.loads(answer.body))


@contextmanager
def one_server(image_ids: dict[str, str]) -> Iterator[Server]:
    recording = by_tag(recorded(image_ids, on_one_server, {**KEPT_HERE, "zero-exposure:nodes": "{}"}))
    with running(host_of(rendered(recording)["host/user-data.yaml"])) as engine:
        load_images(engine, archive())
        edge = edge_of(recording, engine.internet.edge)
        edge.start()
        Applier(engine.client).apply(recording)
        yield Server(engine, edge)


def volume(engine: Engine, name: str) -> Path:
    """Where an Engine keeps a volume."""
    return engine.folder / "data/volumes" / f"{STACK}-{name}" / "_data"


def order(engine: Engine, command: str) -> "subprocess.CompletedProcess[str]":
    """Run a docker command as a person on the machine would."""
    environment = {**os.environ, "DOCKER_HOST": f"unix://{engine.folder}/sock"}
    return subprocess.run(
        ["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def keeper(engine: Engine, script: str) -> "subprocess.CompletedProcess[str]":
    """Run one of the keeper's scripts, when it is the turn of it."""
    until(lambda: order(engine, "docker ps -q -f label=zero-exposure.node=backup").stdout != "", 120, "the keeper")
    while True:
        done = order(engine, f"docker exec $(docker ps -q -f label=zero-exposure.node=backup) sh {SCRIPTS}/{script}")
        if done.returncode != BUSY:
            return done
        time.sleep(1)


def carry(repository: Path, engine: Engine) -> None:
    """The bucket that another keeper has filled is this one's."""
    place = volume(engine, "backup-data") / REPOSITORY
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(repository, place)
    uid, _, gid = USER.partition(":")
    for path in (place, *place.rglob("*")):
        os.chown(path, int(uid), int(gid))


def restore(swarm: Deployed, machine: str) -> None:
    """By the steps of the documentation, on the machine that has the data. It is a manager here."""
    engine = swarm.fleet[machine].engine
    refused = keeper(engine, "backup.sh")
    assert refused.returncode == 1
    assert "backups of another server" in refused.stdout
    for command in documented("scale.md", "Restore on a Swarm"):
        done = order(engine, command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    again = keeper(engine, "backup.sh")
    assert again.returncode == 0, again.stdout


def change(swarm: Deployed, edit: Change | None = None) -> None:
    swarm.apply(recorded(swarm.image_ids, edit, KEPT_HERE))
    for name in ("postgres", "backup", "postgres-backup", "api"):
        swarm.settled(name)


def test_rows_of_one_server_are_on_three_machines(swarm: Deployed, tmp_path: Path) -> None:
    with one_server(swarm.image_ids) as server:
        rows = [server.upload() for _ in range(5)]
        done = keeper(server.engine, "backup.sh")
        assert done.returncode == 0, done.stdout
        shutil.copytree(volume(server.engine, "backup-data") / REPOSITORY, tmp_path / REPOSITORY)
    change(swarm)
    engine = swarm.fleet[HOME].engine
    assert keeper(engine, "backup.sh").returncode == 0, "the Swarm has a repository of its own until then"
    assert not any(is_kept(swarm, row) for row in rows)
    carry(tmp_path / REPOSITORY, engine)
    restore(swarm, HOME)
    assert [row for row in rows if not is_kept(swarm, row)] == []
    assert is_kept(swarm, note(swarm))
    _leave(swarm)


def test_rows_move_with_their_service_to_another_machine(swarm: Deployed, tmp_path: Path) -> None:
    change(swarm)
    rows = [note(swarm) for _ in range(5)]
    before, after = swarm.fleet[HOME].engine, swarm.fleet[OTHER].engine
    done = keeper(before, "backup.sh")
    assert done.returncode == 0, done.stdout
    shutil.copytree(volume(before, "backup-data") / REPOSITORY, tmp_path / REPOSITORY)
    change(swarm, moved)
    assert list(swarm.tasks("postgres")) == list(swarm.tasks("backup")) == [OTHER]
    assert not any(is_kept(swarm, row) for row in rows)
    assert keeper(after, "backup.sh").returncode == 0
    carry(tmp_path / REPOSITORY, after)
    restore(swarm, OTHER)
    assert [row for row in rows if not is_kept(swarm, row)] == []
    assert volume(before, "postgres-data").exists(), "the old volume stays where it was"
    _leave(swarm)


def _leave(swarm: Deployed) -> None:
    """As the example says."""
    swarm.apply(recorded(swarm.image_ids))
    for name in ("postgres", "api", "backup"):
        swarm.settled(name)
