"""The stand-in for ssh: runs docker here, and nothing else."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

import simulators.docker.app
from components.cluster.render import TOOL, Reached, found, join, rotate
from components.ssh import ready_command, ssh_options
from ops.simulated.guard import STANDINS
from settings.nodes import NodeGroup, machines
from simulators.server import serving

KEY = "ssh-ed25519 AAAA"
POOL = "10.90.0.0/16"
OPTIONS = ssh_options("ssh-dev.example.org", KEY)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which docker says what it was asked."""
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "docker $*"\n')
    docker.chmod(0o755)
    return f"{STANDINS}{os.pathsep}{tmp_path}{os.pathsep}{os.environ['PATH']}"


def _ssh(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [STANDINS / "ssh", *arguments], env={"PATH": path}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [*OPTIONS, "-l", "ops", "--", "ssh-dev.example.org", "docker", "system", "dial-stdio"],
        [*OPTIONS, "-l", "ops", "ssh-dev.example.org", "--", "docker system dial-stdio"],
        [*OPTIONS, "-T", "ops@ssh-dev.example.org", "docker system dial-stdio"],
    ],
    ids=["words", "one word", "user before host"],
)
def test_docker_runs_here_however_it_is_asked(path: str, arguments: list[str]) -> None:
    done = _ssh(path, *arguments)
    assert (done.returncode, done.stdout) == (0, "docker system dial-stdio\n")


@pytest.mark.parametrize("command", ["reboot", "rm -rf /", "dockerd", "", "sudo", "sudo reboot now"])
def test_anything_else_is_refused(path: str, command: str) -> None:
    done = _ssh(path, *OPTIONS, "ops@ssh-dev.example.org", *shlex.split(command))
    assert done.returncode == 255, "as where no connection came about, which no audit takes for an answer"
    assert "only docker" in done.stderr


def test_the_commands_that_make_a_swarm_are_answered(path: str) -> None:
    groups = {"manager": NodeGroup(count=2)}
    first, second = (Reached(each, "ssh.example.org", KEY) for each in machines(groups, "10.0.0.0/16", "cx33", "fsn1"))
    members = [str(first.machine.address), str(second.machine.address)]
    in_one_zone = found(first, members, POOL, True), join(second, first, members), rotate(first)
    in_several = found(first, members, POOL, True, is_mesh=True), join(second, first, members, [first])
    for script in (*in_one_zone, *in_several):
        environment = {"PATH": path, "ENDPOINTS": "10.0.0.2 192.0.2.1"}
        done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "docker" not in done.stdout, "nothing is run"
    assert _ssh(path, *OPTIONS, "ops@ssh.example.org", f"{TOOL}-else show-key").returncode != 0


def test_the_programs_own_readiness_command_finds_the_engine_here(path: str) -> None:
    command = ready_command("ssh-dev.example.org", KEY, attempts=1)
    done = subprocess.run(["sh", "-c", command], env={"PATH": path}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ssh://ops@ssh-dev.example.org")


def test_without_docker_the_simulated_engine_is_reached(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    for program in ("sh", "seq", "printf", "dirname"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    with serving(simulators.docker.app.api()) as address:
        environment = {"PATH": f"{STANDINS}{os.pathsep}{tmp_path}", "DOCKER_HOST": address.replace("http", "tcp")}
        command = ready_command("ssh-dev.example.org", KEY, attempts=1)
        ready = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
        dial = [str(STANDINS / "ssh"), *OPTIONS, "ops@ssh-dev.example.org", "docker system dial-stdio"]
        request = "GET /version HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n"
        with subprocess.Popen(dial, env=environment, stdin=PIPE, stdout=PIPE, text=True) as dialled:
            assert dialled.stdin
            assert dialled.stdout
            dialled.stdin.write(request)
            dialled.stdin.flush()
            answer = dialled.stdout.read()
    assert (ready.returncode, ready.stdout) == (0, "ssh://ops@ssh-dev.example.org")
    assert '"ApiVersion": "1.47"' in answer
