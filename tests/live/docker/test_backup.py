"""Backups in the containers as deployed, and `make restore`: a database's volume is lost, and is back."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.backup.render import SCRIPTS, WORK
from components.monitoring.render import NODE_PORT
from tests.live.docker.deployed import Deployed, until
from tests.live.docker.recorded import STACK
from tests.live.docker.visitor import Visitor
from tests.programs import need

ROOT = Path(__file__).parents[3]
BUSY = 75
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJnk0oK4T9D8n6yPp7oJ6X0f3gPbJx1n5b2dC9mV3aH"


@pytest.fixture
def kept(stack: Deployed) -> Iterator[Deployed]:
    """The stack with its repository on a volume: out here there is no R2."""
    need("docker")
    stack.change(None, backup=json.dumps({"store": "volume"}))
    yield stack
    stack.change(None)


def backed_up(stack: Deployed) -> None:
    """The first backup begins by itself; another one takes its turn after it."""

    def done() -> bool:
        code, said = stack.execute("backup", "sh", f"{SCRIPTS}/backup.sh")
        return code == 0 or (code != BUSY and pytest.fail(said + _logs(stack)))

    until(done, 180, "a backup")


def _logs(stack: Deployed) -> str:
    names = [node for node in stack.nodes if "backup" in node]
    return "".join(stack.engine.client.containers.get(f"{STACK}-{name}").logs(tail=20).decode() for name in names)


def metrics(stack: Deployed) -> str:
    """What Prometheus is told."""
    return stack.execute("node-exporter", "wget", "-q", "-O", "-", f"http://127.0.0.1:{NODE_PORT}/metrics")[1]


@pytest.fixture
def programs(stack: Deployed, tmp_path: Path) -> Path:
    """Stand-ins for the way to the server: ssh's last word is run here, and Pulumi knows the host key. Images have no
    digests here (``recorded.tagged``)."""
    command = 'sh -c "$(printf %s "$last" | sed "s/@sha256:[0-9a-f]*//g")"'
    scripts = {
        "ssh": f"for word; do last=$word; done\nDOCKER_HOST=unix://{stack.engine.folder}/sock exec {command}\n",
        "pulumi": f"echo '{HOST_KEY}'\n",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def restore(programs: Path, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "ops.restore", "--stack", STACK, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=typed, capture_output=True, text=True, timeout=300, check=False
    )


def rows(stack: Deployed) -> dict[str, str]:
    return dict(json.loads(Visitor(stack.edge).dashboard().body))


def uploaded(stack: Deployed) -> str:
    identity = Visitor(stack.edge).uploaded(f"image {time.time_ns()}".encode())
    until(lambda: rows(stack).get(identity) == "done", 60, "thumbnail")
    return identity


def lose(stack: Deployed, node: str, volume: str) -> None:
    """A container starts again on an empty volume."""
    container = stack.engine.client.containers.get(f"{STACK}-{node}")
    container.stop(timeout=30)
    for path in (stack.engine.folder / "data/volumes" / f"{STACK}-{volume}" / "_data").iterdir():
        shutil.rmtree(path)
    container.start()
    until(lambda: stack.is_healthy(node), 60, node)


def test_a_lost_volume_is_back_with_every_row_and_the_stack_goes_on(kept: Deployed, programs: Path) -> None:
    identities = [uploaded(kept) for _ in range(3)]
    for _ in range(2):
        backed_up(kept)
    before = rows(kept)
    assert {*identities} <= set(before)
    for name in ("postgres", "queue", "repository"):
        assert f'zero_exposure_backup_last_run_ok{{name="{name}"}} 1\n' in metrics(kept)
        assert f'zero_exposure_restore_test_ok{{name="{name}"}} 1\n' in metrics(kept)
    lose(kept, "postgres", "postgres-data")
    until(lambda: rows(kept) == {}, 60, "an empty table")
    done = restore(programs, "--yes")
    assert done.returncode == 0, (done.stdout, done.stderr)
    until(lambda: all(kept.is_healthy(node) for node in kept.nodes), 60, "the stack")
    until(lambda: rows(kept) == before, 60, "the rows")
    uploaded(kept)


def test_nothing_is_done_without_the_typed_name_of_the_stack(kept: Deployed, programs: Path) -> None:
    running = {node: kept.pid(node) for node in kept.nodes}
    for typed in ("", "yes\n", "prod\n"):
        done = restore(programs, typed=typed)
        assert (done.returncode, "Nothing was done" in done.stderr) == (1, True)
    assert {node: kept.pid(node) for node in kept.nodes} == running


def test_a_restore_that_finds_nothing_to_restore_stops_nothing(kept: Deployed, programs: Path) -> None:
    backed_up(kept)
    running = {node: kept.pid(node) for node in kept.nodes}
    done = restore(programs, "--yes", "--service", "postgres", "--snapshot", "0123abcd")
    assert (done.returncode, "is not whole, or not of this service" in done.stdout) == (1, True)
    assert {node: kept.pid(node) for node in kept.nodes} == running
    assert kept.execute("backup", "cat", f"{WORK}/restoring")[0] != 0


def test_a_copier_reads_its_services_files_and_can_change_none(stack: Deployed) -> None:
    assert stack.execute("queue-backup", "sh", "-c", "cat /volumes/data/nats/jetstream/*/streams/*/meta.inf")[0] == 0
    assert stack.execute("queue-backup", "sh", "-c", "echo > /volumes/data/x")[0] != 0


def test_the_keeper_cannot_change_a_copy_nor_a_copier_what_was_fetched(kept: Deployed) -> None:
    backed_up(kept)
    assert kept.execute("backup", "rm", "-rf", "/exchange/queue/copy")[0] != 0
    assert kept.execute("queue-backup", "rm", "-f", f"{WORK}/order")[0] != 0
    assert kept.execute("queue-backup", "cat", f"{WORK}/copy/LIST")[0] == 0
