"""A second `pulumi up` changes what has changed in the stack file, and nothing else."""

from typing import Any

import pytest

from tests.live.docker.deployed import Deployed, until
from tests.live.docker.inputs import UnappliedError, taking
from tests.live.docker.recorded import STACK, password, recorded
from tests.live.docker.visitor import Visitor

Services = dict[str, Any]


def _ids(stack: Deployed) -> dict[str, str]:
    return {node: stack.inspect(node)["Id"] for node in stack.nodes}


def _named(stack: Deployed, word: str) -> set[str]:
    """Everything on the Engine whose name has a word in it."""
    api = stack.engine.client.api
    names = {name.lstrip("/") for found in api.containers(all=True) for name in found["Names"]}
    names |= {found["Name"] for found in (*api.networks(), *(api.volumes()["Volumes"] or []))}
    return {name for name in names if word in name}


def test_applying_the_same_stack_file_again_changes_nothing(stack: Deployed) -> None:
    before = _ids(stack)
    assert stack.change(None) == set()
    assert _ids(stack) == before


def test_what_the_engine_has_is_what_the_graph_says(stack: Deployed) -> None:
    """An Engine that ignores an option in silence would pass every other look at the graph."""
    for resource in stack.recording.of_type("docker:index/container:Container"):
        if not resource.props.get("start", True):
            continue
        node, props = resource.name, resource.props
        inspected = stack.inspect(node)
        host, config = inspected["HostConfig"], inspected["Config"]
        addresses = {network["name"]: network["ipv4Address"] for network in props["networksAdvanced"]}
        networks = inspected["NetworkSettings"]["Networks"]
        # Without a network of its own a container is on the one that is none.
        assert {name: found["IPAddress"] for name, found in networks.items()} == (addresses or {"none": ""}), node
        assert (host["Memory"], host["MemorySwap"]) == (props["memory"] << 20, props["memorySwap"] << 20), node
        assert host["NanoCpus"] == int(float(props["cpus"]) * 10**9), node
        assert (host["ReadonlyRootfs"], host["Init"], host["Privileged"]) == (True, True, False), node
        assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges:true"]), node
        assert (host["PortBindings"] or {}, host["RestartPolicy"]["Name"]) == ({}, "unless-stopped"), node
        assert (config["User"], config["Hostname"]) == (props["user"], props["hostname"]), node
        assert (host.get("Tmpfs") or {}) == (props.get("tmpfs") or {}), node


def test_a_changed_file_replaces_the_container_of_its_service_alone(stack: Deployed) -> None:
    def quieter(services: Services) -> None:
        files = services["worker"]["files"]
        files["/etc/connect/observability.yaml"] += "# changed\n"

    before = _ids(stack)
    done = stack.change(quieter)
    changed = {node for node, identity in _ids(stack).items() if before[node] != identity}
    stack.change(None)
    assert changed == {"worker"}
    assert done == {"replace worker", "replace worker-carrier", "replace worker-files-etc-connect"}


def test_a_removed_service_leaves_nothing_but_its_data(stack: Deployed) -> None:
    def without(services: Services) -> None:
        for name in ("dashboard", "worker", "queue"):
            services.pop(name)

    try:
        stack.change(without)
        left = {word: _named(stack, word) for word in ("dashboard", "worker", "queue")}
        routed = stack.edge_answers_for("dashboard.example.org")
    finally:
        stack.change(None)
    assert left == {"dashboard": set(), "worker": set(), "queue": {f"{STACK}-queue-data"}}
    assert routed is False
    until(lambda: Visitor(stack.edge).dashboard(within=1).status == 200, 30, "the dashboard")


def _opens(stack: Deployed, role: str, secret: str) -> bool:
    """Whether the database lets a role in over TCP with a password."""
    address = f"postgres://{role}:{secret}@127.0.0.1:5432/app?sslmode=disable"
    return stack.execute("postgres", "psql", address, "-c", "SELECT 1")[0] == 0


def test_a_rotated_password_replaces_what_uses_it_once_and_holds_at_once(stack: Deployed) -> None:
    name = "secrets-api_db_password"
    before, kept = _ids(stack), Visitor(stack.edge).uploaded(b"before the rotation")
    try:
        done = stack.change(None, {name})
        changed = {node for node, identity in _ids(stack).items() if before[node] != identity}
        until(lambda: Visitor(stack.edge).upload(b"after it", within=1).status == 200, 30, "the API")
        new, old = (_opens(stack, "authenticator", password(name, renewed)) for renewed in (True, False))
        rows = Visitor(stack.edge).dashboard(within=30).body
    finally:
        stack.change(None)
    assert changed == {"api", "postgres"}
    assert {entry for entry in done if entry in ("replace api", "replace postgres")} == {
        "replace api",
        "replace postgres",
    }
    assert (new, old) == (True, False)
    assert kept in str(rows)
    until(lambda: Visitor(stack.edge).upload(b"at the end", within=1).status == 200, 30, "the API")


def test_control_a_property_that_is_not_applied_is_an_error() -> None:
    with (
        pytest.raises(UnappliedError, match="dev-api: gpus"),
        taking({"name": "dev-api", "gpus": "all"}, "dev-api") as inputs,
    ):
        inputs.take("name")


def test_control_two_recordings_of_one_stack_file_are_equal_and_of_two_are_not() -> None:
    def bigger(services: Services) -> None:
        services["api"]["limits"]["memory"] = "300m"

    first, second, other = recorded(), recorded(), recorded(change=bigger)
    props = [{found.urn: found.props for found in run.resources} for run in (first, second, other)]
    assert props[0] == props[1]
    assert props[0] != props[2]
