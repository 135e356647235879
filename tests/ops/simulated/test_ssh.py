"""The stand-in for ssh: runs docker here, and nothing else."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from components.engine.render import ready_command, ssh_options
from ops.simulated.guard import STANDINS

KEY = "ssh-ed25519 AAAA"
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


@pytest.mark.parametrize("command", ["reboot", "rm -rf /", "dockerd", ""])
def test_anything_else_is_refused(path: str, command: str) -> None:
    done = _ssh(path, *OPTIONS, "ops@ssh-dev.example.org", *shlex.split(command))
    assert done.returncode == 1
    assert "only docker" in done.stderr


def test_the_programs_own_readiness_command_finds_the_engine_here(path: str) -> None:
    command = ready_command("ssh-dev.example.org", KEY, attempts=1)
    done = subprocess.run(["sh", "-c", command], env={"PATH": path}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ssh://ops@ssh-dev.example.org")
