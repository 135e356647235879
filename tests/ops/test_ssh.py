"""A shell on a server: the way that deployments take, to the host key that the program made."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.ssh import connection
from ops.ssh import reached

ONE = {"sshHost": "ssh-dev.example.org", "hostKey": "ssh-ed25519 AAAA"}
SWARM = {
    "sshHosts": {"manager-1": "ssh-swarm-manager-1.example.org", "data-1": "ssh-swarm-data-1.example.org"},
    "hostKeys": {"manager-1": "ssh-ed25519 AAAA", "data-1": "ssh-ed25519 BBBB"},
}


def test_one_server_needs_no_name() -> None:
    assert reached(ONE, "", []) == connection("ssh-dev.example.org", "ssh-ed25519 AAAA")


def test_a_machine_of_a_swarm_is_reached_with_its_own_key() -> None:
    assert reached(SWARM, "data-1", ["uptime"]) == [
        *connection("ssh-swarm-data-1.example.org", "ssh-ed25519 BBBB"),
        "uptime",
    ]


@pytest.mark.parametrize(
    ("outputs", "machine", "said"),
    [
        (SWARM, "", "one of manager-1, data-1"),
        (SWARM, "data-2", "one of manager-1, data-1"),
        (ONE, "data-1", "no server"),
        ({}, "", "no server"),
    ],
)
def test_where_there_is_no_such_server_that_is_told(outputs: dict[str, object], machine: str, said: str) -> None:
    with pytest.raises(LookupError, match=said):
        reached(outputs, machine, [])


def test_the_command_runs_and_its_exit_code_is_passed_on(tmp_path: Path) -> None:
    for name, text in {"pulumi": f"echo '{json.dumps(ONE)}'", "ssh": 'for last; do :; done; sh -c "$last"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "ops.ssh", "--stack", "dev", "echo there; exit 7"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("there\n", 7)
