"""The commands that form a Swarm: each part on the right machine, and nothing secret in a word of them."""

import subprocess
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from components.cluster import render
from components.cluster.render import Reached
from settings.nodes import MOST, Machine

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJnk0oK4T9D8n6yPp7oJ6X0f3gPbJx1n5b2dC9mV3aH"
MEMBERS = ["10.0.1.1", "10.0.1.2"]


def reached(name: str, address: str, **more: Any) -> Reached:
    role = more.pop("role", "manager")
    labels = more.pop("labels", {})
    machine = Machine(name, name.rpartition("-")[0], role, "cx33", "fsn1", labels, IPv4Address(address))
    return Reached(machine, f"ssh-dev-{name}.example.org", KEY)


FIRST = reached("manager-1", "10.0.1.1")
SECOND = reached("manager-2", "10.0.1.2")
WORKER = reached("worker-1", "10.0.1.3", role="worker", labels={"disk": "fast"})

SSH = """#!/bin/sh
# What each call was, and what it got on standard input.
while [ $# -gt 2 ]; do shift; done
host=${1#*@ssh-dev-} script=${2#*zero-exposure/}
script=${script#swarm }
echo "${host%%.*} $script" >>"$LOG"
[ "$script" != "$FAILING" ] || exit 1
case $script in
    "show-key") echo SWMKEY-1 ;;
    "token "*) echo "SWMTKN-${script#token }" ;;
    identity) echo "id-of-${host%%.*}" ;;
    "mesh peers") echo "  < $(cat)" >>"$LOG" && echo "key-of-${host%%.*}" ;;
    keep-key | "mesh members" | "label "* | "join "*) echo "  < $(cat)" >>"$LOG" ;;
esac
"""


def run(script: str, folder: Path, failing: str = "", **environment: str) -> tuple[list[str], str, int]:
    """Calls in order with their inputs, what the command wrote, and its exit code."""
    ssh, log = folder / "ssh", folder / "log"
    ssh.write_text(SSH)
    ssh.chmod(0o755)
    log.write_text("")
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"PATH": f"{folder}:/usr/bin:/bin", "LOG": str(log), "FAILING": failing, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return log.read_text().splitlines(), done.stdout, done.returncode


def test_the_first_machine_founds_the_swarm_and_tells_its_key(tmp_path: Path) -> None:
    calls, written, code = run(render.found(FIRST, MEMBERS, "10.128.0.0/9", autolock=True), tmp_path)
    assert code == 0
    assert written == "SWMKEY-1\n"
    steps = [call for call in calls if not call.startswith("  ")]
    assert steps[0] == "manager-1 members 10.0.1.1 10.0.1.2"
    assert steps.index("manager-1 init 10.0.1.1 10.128.2.0/23 true") > 0
    assert calls.count("  < SWMKEY-1") == 1


def test_a_founder_that_was_replaced_is_given_the_key_that_it_told(tmp_path: Path) -> None:
    script = render.found(FIRST, MEMBERS, "10.128.0.0/9", autolock=True)
    calls, *_ = run(script, tmp_path, PULUMI_COMMAND_STDOUT="SWMKEY-0")
    assert calls.index("  < SWMKEY-0") < calls.index("manager-1 init 10.0.1.1 10.128.2.0/23 true")


@pytest.mark.parametrize(("newcomer", "role"), [(SECOND, "manager"), (WORKER, "worker")])
def test_a_machine_joins_with_a_token_of_its_role_that_no_argument_holds(
    newcomer: Reached, role: str, tmp_path: Path
) -> None:
    calls, written, code = run(render.join(newcomer, FIRST, MEMBERS), tmp_path)
    name, address = newcomer.machine.name, newcomer.machine.address
    assert (code, written) == (0, "")
    assert f"manager-1 token {role}" in calls
    assert calls[calls.index(f"{name} join {address} 10.0.1.1") :][1] == f"  < SWMTKN-{role}" or (
        f"  < SWMTKN-{role}" in calls
    )
    assert not any("SWM" in call for call in calls if not call.startswith("  <"))


def test_only_managers_are_given_the_key(tmp_path: Path) -> None:
    assert "manager-2 keep-key" in run(render.join(SECOND, FIRST, MEMBERS), tmp_path)[0]
    assert "worker-1 keep-key" not in run(render.join(WORKER, FIRST, MEMBERS), tmp_path)[0]


def test_a_manager_labels_the_machine_by_the_identity_that_it_tells(tmp_path: Path) -> None:
    calls, *_ = run(render.join(WORKER, FIRST, MEMBERS), tmp_path)
    labels = next(call for call in calls if call.startswith("manager-1 label"))
    assert labels == (
        "manager-1 label zero-exposure.machine=worker-1 zero-exposure.group=worker zero-exposure.location=fsn1"
        " zero-exposure.label.disk=fast"
    )
    assert "  < id-of-worker-1" in calls


def test_no_label_of_the_stack_file_can_stand_for_a_machine() -> None:
    thief = reached("worker-1", "10.0.1.3", role="worker", labels={"machine": "manager-1"})
    assert [text for text in render.labels(thief.machine) if text.startswith("zero-exposure.machine=")] == [
        "zero-exposure.machine=worker-1"
    ]


THIRD = reached("manager-3", "10.0.1.4")


def test_in_several_zones_each_of_two_machines_is_told_the_others_key(tmp_path: Path) -> None:
    script = render.join(THIRD, FIRST, MEMBERS, [FIRST, SECOND])
    calls, written, code = run(script, tmp_path, ENDPOINTS="10.0.1.1 198.51.100.1\n10.0.1.2 198.51.100.2")
    assert (code, written) == (0, "")
    assert calls[1:13] == [
        "manager-3 mesh members", "  < 10.0.1.1 198.51.100.1", "10.0.1.2 198.51.100.2",
        "manager-3 mesh peers", "  < ",
        "manager-1 mesh peers", "  < 10.0.1.4 key-of-manager-3",
        "manager-2 mesh peers", "  < 10.0.1.4 key-of-manager-3",
        "manager-3 mesh peers", "  < 10.0.1.1 key-of-manager-1", "10.0.1.2 key-of-manager-2",
    ]  # fmt: skip
    assert calls[13] == "manager-3 mesh reach 10.0.1.1 10.0.1.2"


@pytest.mark.parametrize("failing", ["mesh members", "mesh peers", "mesh reach 10.0.1.1 10.0.1.2"])
def test_a_machine_that_does_not_meet_the_others_fails_the_deployment(failing: str, tmp_path: Path) -> None:
    script = render.join(THIRD, FIRST, MEMBERS, [FIRST, SECOND])
    assert run(script, tmp_path, failing=failing, ENDPOINTS="x")[2] != 0


def test_the_founder_is_told_where_all_machines_are(tmp_path: Path) -> None:
    script = render.found(FIRST, MEMBERS, "10.128.0.0/9", autolock=True, is_mesh=True)
    calls, _, code = run(script, tmp_path, ENDPOINTS="10.0.1.1 198.51.100.1")
    assert code == 0
    assert calls[1:3] == ["manager-1 mesh members", "  < 10.0.1.1 198.51.100.1"]


def test_the_commands_of_the_hundredth_machine_are_not_longer_than_a_shell_takes() -> None:
    """Linux takes 128 KiB in one argument, and the whole is one."""
    peers = [reached(f"manager-{number}", f"10.0.155.{number}") for number in range(1, MOST)]
    script = render.join(WORKER, FIRST, [str(peer.machine.address) for peer in peers], peers)
    assert len(script.encode()) < 96 * 1024


def test_in_one_zone_nothing_of_it_is_called(tmp_path: Path) -> None:
    assert "mesh" not in render.join(SECOND, FIRST, MEMBERS)
    assert "mesh" not in render.found(FIRST, MEMBERS, "10.128.0.0/9", autolock=True)


def test_what_fails_fails_the_deployment(tmp_path: Path) -> None:
    script = render.join(SECOND, FIRST, MEMBERS)
    assert run(script, tmp_path, failing="members 10.0.1.1 10.0.1.2")[2] != 0


def test_a_machine_leaves_after_its_services_and_one_that_is_gone_is_dismissed_all_the_same(tmp_path: Path) -> None:
    calls, _, code = run(render.dismiss(WORKER, FIRST), tmp_path, failing="leave")
    assert calls == ["manager-1 dismiss worker-1", "worker-1 leave"]
    assert code == 0


def test_tokens_are_made_anew_by_a_manager(tmp_path: Path) -> None:
    assert run(render.rotate(FIRST), tmp_path)[0] == ["manager-1 rotate"]
