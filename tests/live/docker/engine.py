"""A Docker Engine of the test's own, on a server of the test's own: namespaces, firewall, data, and nothing else."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import yaml

from ops.audit.engine import Engine as Asked
from tests.live.docker.internet import Internet, internet
from tests.live.docker.namespace import namespace, run
from tests.live.namespace import stop

STARTS_WITHIN = 60.0
STOPS_WITHIN = 120.0


@dataclass(frozen=True)
class Host:
    """What the server's user data says of Engine and firewall."""

    daemon: dict[str, Any]
    firewall: str


def host_of(user_data: str) -> Host:
    """The files that count here, out of the cloud-init text."""
    content = yaml.safe_load(user_data)
    files = {file["path"]: file["content"] for file in content["write_files"]}
    rules = re.search(r"<<'RULES'\n(.*?)\nRULES", "\n".join(content["bootcmd"]), re.DOTALL)
    if rules is None:
        raise ValueError("user data has no firewall")
    return Host(json.loads(files["/etc/docker/daemon.json"]), rules[1])


@dataclass
class Engine:
    """One Engine. ``netns`` is the server's network namespace, ``folder`` holds all that it writes, and ``place`` is a
    process that does nothing but hold the server's namespaces while the daemon is restarted."""

    name: str
    netns: str
    folder: Path
    host: Host
    internet: Internet
    place: subprocess.Popen[bytes] = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)
    client: docker.DockerClient = field(init=False)

    def __post_init__(self) -> None:
        settings = {**self.host.daemon, "data-root": str(self.folder / "data")}
        (self.folder / "daemon.json").write_text(json.dumps(settings), encoding="utf-8")
        # Containers' namespaces are mounted below /run/docker: privately, so that nothing of it is left behind.
        mounts = "mount --make-rprivate / && mkdir -p /run/docker && mount -t tmpfs none /run/docker"
        command = f"{mounts} && touch {self.folder}/ready && exec sleep infinity"
        self.place = subprocess.Popen(["nsenter", f"--net={self.netns}", "unshare", "--mount", "sh", "-c", command])
        deadline = time.monotonic() + STARTS_WITHIN
        while not (self.folder / "ready").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    @property
    def asked(self) -> Asked:
        """The same as the commands of ops ask it."""
        return Asked(docker=("docker", "--host", f"unix://{self.folder}/sock"))

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["nsenter", f"--target={self.place.pid}", "--net", "--mount", "dockerd", *self._arguments()],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.client = self._connected()

    def _arguments(self) -> list[str]:
        return [
            f"--config-file={self.folder}/daemon.json",
            f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/pid",
            f"--host=unix://{self.folder}/sock",
            f"--cgroup-parent=/{self.name}",
        ]

    def _connected(self) -> docker.DockerClient:
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                return docker.DockerClient(
                    base_url=f"unix://{self.folder}/sock", version="auto", timeout=180, max_pool_size=64
                )
            except docker.errors.DockerException as problem:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text(encoding="utf-8")[-3000:]) from problem
                time.sleep(0.1)

    def stop(self) -> None:
        """End the daemon alone: with live restore its containers run on."""
        self.client.close()
        stop(self.process, STOPS_WITHIN)

    def cut_power(self) -> None:
        """Kill the daemon, what it started, and every process of every container, all without a word."""
        self.client.close()
        self._kill_all()
        # What a server has in /run does not outlive its power.
        shutil.rmtree(self.folder / "exec", ignore_errors=True)
        (self.folder / "pid").unlink(missing_ok=True)

    def end(self) -> None:
        """Stop for good, whatever state it is in: containers, daemon, and the namespaces' holder."""
        try:
            if hasattr(self, "client"):
                with suppress(docker.errors.DockerException, OSError):
                    self.clear()
                self.client.close()
        finally:
            self._kill_all()
            self.place.kill()
            self.place.wait()

    def _kill_all(self) -> None:
        """Every process of the daemon and of containers, found by the folder and the control group that are theirs."""
        for pid in _processes():
            if str(self.folder) in _command(pid) or f"/{self.name}/" in _groups(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if hasattr(self, "process"):
            self.process.wait(STOPS_WITHIN)

    def load_firewall(self, rules: str) -> None:
        """Put rules of the server's into force."""
        run("nsenter", f"--net={self.netns}", "nft", "-f", "-", text=f"{rules}\n")

    def clear(self) -> None:
        """Remove every container, so that no process is left when the daemon ends."""
        for container in self.client.containers.list(all=True):
            container.remove(force=True)


@contextmanager
def running(host: Host) -> Iterator[Engine]:
    """An Engine behind the server's firewall, with a small internet outside. All of it is gone afterwards."""
    name = f"ze-docker-{os.getpid()}"
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        netns = stack.enter_context(namespace(name))
        out = stack.enter_context(internet(f"{name}-out", name))
        stack.callback(_remove_cgroups, name)
        engine = Engine(name, netns, folder, host, out)
        engine.load_firewall(host.firewall)
        stack.callback(engine.end)
        engine.start()
        yield engine


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and int(path.name) != os.getpid()]


def _command(pid: int) -> str:
    return _read(Path(f"/proc/{pid}/cmdline"))


def _groups(pid: int) -> str:
    return _read(Path(f"/proc/{pid}/cgroup"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _remove_cgroups(name: str) -> None:
    """The Engine leaves its parent group behind, in each hierarchy."""
    for parent in Path("/sys/fs/cgroup").glob(f"**/{name}"):
        for folder in sorted((parent, *parent.glob("**/")), reverse=True):
            with suppress(OSError):
                folder.rmdir()
