"""What a copy of JetStream's files is worth that was made while it writes: every message that was stored before."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.backup.render import SCRIPTS, scripts
from settings.preset import preset
from tests.live.docker.recipes import BUSYBOX
from tests.live.docker.standins.queue_client import Queue
from tests.live.namespace import stop, wait_until
from tests.programs import need

STREAM = {"name": "IMAGES", "subjects": ["images.*"], "retention": "workqueue", "storage": "file", "num_replicas": 1}
BEFORE = 3000


@pytest.fixture(autouse=True)
def _programs() -> None:
    need("nats-server", "busybox")


@contextmanager
def queue(folder: Path) -> Iterator[str]:
    """A server with the preset's configuration on the files in a folder. Yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = preset("queue")["service"]["files"]["/etc/nats/nats.conf"]
    for old, new in (("0.0.0.0:4222", f"127.0.0.1:{port}"), ("127.0.0.1:8222", "127.0.0.1:-1"),
                     ("/var/tmp/nats", f"{folder}/nats"), ("${self.password}", "password")):  # fmt: skip  # noqa: S108
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / "nats.conf").write_text(text, encoding="utf-8")
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(["nats-server", "--config", str(folder / "nats.conf")], stdout=log, stderr=log)
        try:
            wait_until(lambda: "Server is ready" in (folder / "log").read_text(encoding="utf-8"), folder / "log")
            yield f"nats://app:password@127.0.0.1:{port}"
        finally:
            stop(process)


def copied(files: Path, place: Path) -> Path:
    """Run the copier's own script; where its copy is unpacked."""
    for path, text in scripts("copier").items():
        (place / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (place / path.lstrip("/")).write_text(text, encoding="utf-8")
    for program in BUSYBOX:
        (place / program).symlink_to("/bin/busybox")
    path = f"{place}:{os.environ['PATH']}"
    environment = {"SERVICE": "queue", "EXCHANGE": str(place), "VOLUMES": str(files), "PATH": path}
    subprocess.run(["sh", f"{place}{SCRIPTS}/files-copy.sh"], env=environment, check=True, timeout=120)
    restored = place / "restored"
    restored.mkdir()
    subprocess.run(["tar", "-C", str(restored), "-xf", str(place / "copy/volumes.tar")], check=True)
    return restored


def state(url: str) -> dict[str, int]:
    found: dict[str, int] = Queue(url).api("STREAM.INFO.IMAGES", {})["state"]
    return found


def publish(client: Queue, number: int) -> None:
    client.request("images.resize", f"{number} {'x' * 500}".encode())


def test_a_copy_under_load_has_every_message_that_was_stored_before_it_began(tmp_path: Path) -> None:
    over = threading.Event()
    with queue(tmp_path / "first") as url:
        client = Queue(url)
        client.api("STREAM.CREATE.IMAGES", STREAM)
        for number in range(BEFORE):
            publish(client, number)

        def load() -> None:
            busy = Queue(url)
            while not over.is_set():
                publish(busy, BEFORE)

        thread = threading.Thread(target=load)
        thread.start()
        try:
            restored = copied(tmp_path / "first", tmp_path / "copy")
        finally:
            over.set()
            thread.join()
        assert state(url)["messages"] > BEFORE
    with queue(restored) as url:
        found = state(url)
        assert found["messages"] >= BEFORE
        assert found["first_seq"] == 1
        publish(Queue(url), 0)
        assert state(url)["messages"] == found["messages"] + 1


def test_control_without_the_files_there_is_no_stream(tmp_path: Path) -> None:
    with queue(tmp_path / "empty") as url, pytest.raises(OSError, match="not found"):
        state(url)
