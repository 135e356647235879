"""How the Docker Engine is reached, on mocks and with the system's ssh."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pulumi
import pytest

from components.engine.component import Engine, Server
from components.ssh import ready_command, ssh_options
from policy.rules.model import Resource
from tests.mocks import Recording, both_modes, run
from tests.programs import need, need_root

HOST = "ssh-dev.example.org"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJnk0oK4T9D8n6yPp7oJ6X0f3gPbJx1n5b2dC9mV3aH"


def _ran(preview: bool, remote: bool) -> Recording:
    def program() -> None:
        Engine("engine", {"server": _server() if remote else None, "carrier_image": "busybox:1"})

    return run(program, preview)


def _provider(preview: bool, remote: bool) -> Resource:
    return _ran(preview, remote).of_type("pulumi:providers:docker")[0]


def _server() -> Server:
    return {"ssh_host": HOST, "host_key": pulumi.Output.from_input(KEY), "server_id": "1", "connected": []}


@both_modes
def test_a_servers_engine_is_reached_by_ssh_through_the_tunnel_after_it_answered(preview: bool) -> None:
    provider = _provider(preview, remote=True)
    assert provider.props["host"] == f"ssh://ops@{HOST}"
    assert any(urn.endswith("::engine-ready") for urn in provider.dependencies)


@both_modes
def test_the_local_engine_is_a_socket_of_this_machine(preview: bool) -> None:
    assert _provider(preview, remote=False).props["host"] == "unix:///var/run/docker.sock"


@both_modes
@pytest.mark.parametrize("remote", [True, False], ids=["remote", "local"])
def test_the_image_of_carriers_is_fetched_by_the_engine_itself_and_kept(preview: bool, remote: bool) -> None:
    recording = _ran(preview, remote)
    (image,) = recording.of_type("docker:index/remoteImage:RemoteImage")
    (provider,) = recording.of_type("pulumi:providers:docker")
    assert (image.props["name"], image.props["keepLocally"]) == ("busybox:1", True)
    assert (image.provider or "").startswith(provider.urn)


def test_waiting_ends_with_an_error_that_says_where_to_look(tmp_path: Path) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nexit 255\n")
    ssh.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ready_command(HOST, KEY, attempts=1).replace("sleep 10", "sleep 0")
    done = subprocess.run(["sh", "-c", command], env=path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "docs/runbook.md" in done.stderr


def test_waiting_ends_when_docker_answers(tmp_path: Path) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nexit 0\n")
    ssh.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", ready_command(HOST, KEY)], env=path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"ssh://ops@{HOST}")


PUMP = """#!{python}
import os, socket, sys, threading
s = socket.create_connection(("127.0.0.1", {port}))
def out():
    while (data := s.recv(65536)):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=out, daemon=True).start()
while (data := os.read(0, 65536)):
    s.sendall(data)
"""


@contextmanager
def _sshd(folder: Path) -> Iterator[tuple[str, int]]:
    """A real sshd on loopback with a key of its own: (public key line, port)."""
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    Path("/run/sshd").mkdir(exist_ok=True)
    options = [f"HostKey={key}", f"Port={port}", "ListenAddress=127.0.0.1", "PidFile=none", "UsePAM=no"]
    flags = [part for option in options for part in ("-o", option)]
    daemon = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", *flags], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield key.with_suffix(".pub").read_text(), port
    finally:
        daemon.terminate()
        daemon.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


def _answer(folder: Path, port: int, host_key: str) -> str:
    """What ssh says with the program's own options, through a stand-in for cloudflared."""
    connector = folder / "cloudflared"
    connector.write_text(PUMP.format(python=sys.executable, port=port))
    connector.chmod(0o755)
    options = [*ssh_options(HOST, host_key), "-o", "ControlPath=none"]
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["ssh", "-F", "none", *options, f"ops@{HOST}", "true"],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stderr


@pytest.fixture
def _root() -> None:
    need("sshd", "ssh", "ssh-keygen")
    need_root()


@pytest.mark.usefixtures("_root")
def test_ssh_accepts_the_pinned_host_key_and_no_other(tmp_path: Path) -> None:
    with _sshd(tmp_path) as (own_key, port):
        assert "Permission denied" in _answer(tmp_path, port, own_key)
        assert "Host key verification failed" in _answer(tmp_path, port, KEY)
