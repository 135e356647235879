"""What a process that is taken over inside a container finds: nothing to write to, nothing to gain, no secret."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.live.docker.deployed import Deployed, until
from tests.live.docker.processes import mounts, pids, processes
from tests.live.docker.recorded import STACK, passwords
from tests.live.docker.visitor import Visitor

ENGINES_OWN = {"proc", "sysfs", "cgroup", "cgroup2", "devpts"}
"""Kinds of mounts that the Engine makes writable by name only: the kernel lets root alone write there."""
SCRATCH_OF_THE_ENGINE = {"/dev/shm", "/dev/mqueue"}  # noqa: S108 - shared memory, counted against the memory limit


def _declared(stack: Deployed, node: str) -> set[str]:
    """Places that the graph lets a container write to."""
    props = next(
        found.props
        for found in stack.recording.of_type("docker:index/container:Container")
        if found.props["name"] == f"{STACK}-{node}"
    )
    volumes = {volume["containerPath"] for volume in props.get("volumes", []) if not volume.get("readOnly")}
    return volumes | set(props.get("tmpfs") or {})


def _may_write(stack: Deployed, node: str, folder: str) -> bool:
    name = f"{folder.rstrip('/')}/written-by-a-test"
    return stack.execute(node, "sh", "-c", f"echo > {name} && rm {name}")[0] == 0


def _writable(stack: Deployed, node: str) -> set[str]:
    """Mounts that are not read-only and that the container's user can write to, tried one by one."""
    candidates = {
        mount.path for mount in mounts(stack, node) if "rw" in mount.options and mount.kind not in ENGINES_OWN
    }
    return {path for path in candidates if _may_write(stack, node, path)}


@contextmanager
def _plain(stack: Deployed, **env: str) -> Iterator[str]:
    """A container as `docker run` makes it, under the node name that this yields."""
    api = stack.engine.client.api
    image, command = stack.inspect("imgproxy")["Image"], ["sleep 600"]
    made = api.create_container(
        image, command, name=f"{STACK}-plain", environment=env, entrypoint=["sh", "-c"], user="0"
    )
    try:
        api.start(made["Id"])
        yield "plain"
    finally:
        api.remove_container(made["Id"], force=True)


def test_no_process_has_a_capability_is_root_or_can_become_more(stack: Deployed) -> None:
    for node in stack.nodes:
        found = processes(stack, node)
        assert found, node
        for process in found:
            assert process.capabilities == 0, (node, process.command)
            assert 0 not in process.uids, (node, process.command)
            assert (process.status["NoNewPrivs"], process.status["Seccomp"]) == ("1", "2"), (node, process.command)


def test_nothing_is_writable_but_declared_volumes_and_scratch_space(stack: Deployed) -> None:
    for node in stack.nodes:
        root = next(mount for mount in mounts(stack, node) if mount.path == "/")
        assert "ro" in root.options, node
        assert _writable(stack, node) - SCRATCH_OF_THE_ENGINE == _declared(stack, node), node


def test_scratch_space_holds_no_program_that_could_be_started(stack: Deployed) -> None:
    for node in stack.nodes:
        for mount in mounts(stack, node):
            if mount.kind == "tmpfs" and mount.path in _declared(stack, node) | SCRATCH_OF_THE_ENGINE:
                assert {"noexec", "nosuid", "nodev"} <= set(mount.options), (node, mount.path)


def test_no_two_containers_share_a_user_but_a_service_and_its_copier(stack: Deployed) -> None:
    """The kernel counts processes by user, not by container. A service's files are for its user alone to read."""
    users = {node: stack.inspect(node)["Config"]["User"].split(":")[0] for node in stack.nodes}
    for service in {node.removesuffix("-backup") for node in stack.nodes if node.endswith("-backup")}:
        assert users.pop(f"{service}-backup") == users[service]
    assert len(set(users.values())) == len(users), users


def test_no_secret_is_in_an_environment_a_command_line_a_log_or_what_the_engine_tells(stack: Deployed) -> None:
    secrets = passwords(stack.recording)
    assert len(secrets) > 5
    for node in stack.nodes:
        shown = "".join(process.command + process.environment for process in processes(stack, node))
        shown += json.dumps(stack.inspect(node))
        shown += stack.engine.client.api.logs(f"{STACK}-{node}").decode("utf-8", "replace")
        assert [name for name, value in secrets.items() if value in shown] == [], node


def test_no_secret_is_in_what_the_engine_tells_of_a_carrier_or_a_volume(stack: Deployed) -> None:
    api = stack.engine.client.api
    shown = json.dumps([api.containers(all=True), api.volumes(), api.networks()])
    shown += json.dumps([api.inspect_container(found["Id"]) for found in api.containers(all=True)])
    assert [name for name, value in passwords(stack.recording).items() if value in shown] == []


def test_each_file_is_readable_by_its_container_alone(stack: Deployed) -> None:
    code, output = stack.execute("api", "cat", "/run/secrets/database_url")
    assert code == 0
    assert passwords(stack.recording)["secrets-api_db_password"] in output
    assert stack.execute("api", "cat", "/run/secrets/database_url", user="12345:12345")[0] != 0


@contextmanager
def _undisturbed(stack: Deployed, disturbed: str) -> Iterator[None]:
    """Every other container keeps its process and its health, and visitors are served, while the block runs."""
    others = {node: stack.pid(node) for node in stack.nodes if node != disturbed}
    yield
    assert {node: stack.pid(node) for node in others} == others
    assert {node for node in others if not stack.is_healthy(node)} == set()
    assert Visitor(stack.edge).upload(f"image {time.time_ns()}".encode()).status == 200


def test_control_a_plain_container_fails_every_check(stack: Deployed) -> None:
    secret = passwords(stack.recording)["cache-password"]
    with _plain(stack, PASSWORD=secret) as node:
        process = processes(stack, node)[0]
        assert process.capabilities
        assert 0 in process.uids
        assert secret in process.environment
        assert "/" in _writable(stack, node)


def test_a_fork_bomb_stays_in_its_container(stack: Deployed) -> None:
    limit = 100
    bomb = "i=0; while [ $i -lt 600 ]; do sleep 20 & i=$((i+1)); done; wait"
    with _undisturbed(stack, "imgproxy"):
        container = stack.engine.client.containers.get(f"{STACK}-imgproxy")
        container.exec_run(["sh", "-c", bomb], detach=True)
        until(lambda: len(pids(stack, "imgproxy")) >= limit - 10, 20, "the bomb")
        seen = [len(pids(stack, "imgproxy")) for _ in range(20)]
    assert max(seen) <= limit + 5, seen
    container.restart(timeout=0)
    until(lambda: stack.is_healthy("imgproxy"), 60, "imgproxy")


def test_a_memory_hog_is_ended_in_its_container(stack: Deployed) -> None:
    hog = "x = bytearray(2 * 1024 ** 3); print(len(x))"
    with _undisturbed(stack, "imgproxy"):
        code, output = stack.execute("imgproxy", "python3", "-c", hog)
    assert code == 137, output
    until(lambda: stack.is_healthy("imgproxy"), 60, "imgproxy")
