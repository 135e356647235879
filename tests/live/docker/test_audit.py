"""The audit's look inside, on the whole dev stack: it passes as deployed, and finds what somebody does to it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ops.audit import gather
from ops.audit.engine import Engine
from ops.audit.live import Live
from ops.audit.result import Result
from ops.audit.table import CHECKS
from ops.preview.record import Recording
from tests.live.docker.deployed import Deployed, until
from tests.live.docker.recorded import ROOT, STACK, by_tag
from tests.programs import need
from topology.plan import plan

pytestmark = pytest.mark.slow
INSIDE = (
    "published-ports",
    "connector",
    "one-gateway",
    "networks",
    "isolation",
    "resolver",
    "containers",
    "images",
    "digests",
    "files",
    "intrusion",
)


RESOLVER = "10.128.0.2"


@cache
def _program() -> Recording:
    return by_tag(gather.program(ROOT, STACK))


def _live(stack: Deployed) -> Live:
    """A fresh look: nothing is remembered from the one before."""
    need("docker")
    settings = gather.settings_of(ROOT, STACK)
    engine = stack.engine.asked
    return Live(STACK, settings, plan(settings), _program(), {}, engine)


def _measured(stack: Deployed, *checks: str) -> dict[str, Result]:
    live = _live(stack)
    return {check.id: check.run(live) for check in CHECKS if check.id in checks}


def _is_told_healthy(stack: Deployed, node: str) -> bool:
    """By the Engine's own last check, which the audit goes by: after a restart it says "starting"."""
    return bool(stack.inspect(node)["State"].get("Health", {}).get("Status", "healthy") == "healthy")


def test_every_check_inside_passes_on_the_stack_as_deployed(stack: Deployed) -> None:
    until(lambda: all(_is_told_healthy(stack, node) for node in stack.nodes), 120, "every container")
    found = _measured(stack, *INSIDE)
    assert {name: result for name, result in found.items() if result.verdict != "pass"} == {}
    assert set(found) == set(INSIDE)


Breaking = Callable[[Deployed], AbstractContextManager[None]]


@contextmanager
def _by_hand(stack: Deployed, name: str = f"{STACK}-by-hand", **options: Any) -> Iterator[None]:
    """A container that somebody starts on the server, as `docker run` does."""
    api = stack.engine.client.api
    given = {"network_mode": "none", "dns": [RESOLVER], **options}
    user, labels = given.pop("user", ""), given.pop("labels", {})
    made = api.create_container(
        stack.inspect("imgproxy")["Image"],
        ["sleep 600"],
        entrypoint=["sh", "-c"],
        name=name,
        user=user,
        labels=labels,
        ports=[8080],
        host_config=api.create_host_config(**given),
    )
    try:
        api.start(made["Id"])
        yield
    finally:
        api.remove_container(made["Id"], force=True)


def _published(stack: Deployed) -> AbstractContextManager[None]:
    return _by_hand(stack, network_mode="bridge", port_bindings={8080: 18080})


def _on_the_hosts_network(stack: Deployed) -> AbstractContextManager[None]:
    return _by_hand(stack, network_mode="host")


def _privileged(stack: Deployed) -> AbstractContextManager[None]:
    return _by_hand(stack, privileged=True, user="1:1", read_only=True, cap_drop=["ALL"])


def _with_the_socket(stack: Deployed) -> AbstractContextManager[None]:
    socket = f"{stack.engine.folder}/sock"
    closed: dict[str, Any] = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
    return _by_hand(stack, user="1:1", binds=[f"{socket}:/run/docker.sock:ro"], **closed)


@contextmanager
def _impostor(stack: Deployed, node: str, **options: Any) -> Iterator[None]:
    """Another container in the place of a node's."""
    api, name = stack.engine.client.api, f"{STACK}-{node}"
    identity = stack.inspect(node)["Id"]
    api.stop(identity, timeout=5)
    api.rename(identity, f"{name}-away")
    try:
        with _by_hand(stack, name, **options):
            yield
    finally:
        api.rename(identity, name)
        api.start(identity)
        until(lambda: stack.is_healthy(node), 120, node)


def _connector_as_root(stack: Deployed) -> AbstractContextManager[None]:
    return _impostor(stack, "cloudflared", user="0:0")


def _other_names(stack: Deployed) -> AbstractContextManager[None]:
    return _impostor(stack, "worker", dns=["9.9.9.9"])


@contextmanager
def _changed_file(stack: Deployed) -> Iterator[None]:
    path = _on_disk(stack, "gateway", "/etc/zero-exposure/gateway") / "headers.conf"
    before = path.read_bytes()
    path.write_bytes(before + b"# by hand\n")
    yield
    path.write_bytes(before)


@contextmanager
def _planted_file(stack: Deployed) -> Iterator[None]:
    path = _on_disk(stack, "gateway", "/etc/zero-exposure/lua") / "planted.lua"
    path.write_text("-- by hand\n", encoding="utf-8")
    yield
    path.unlink()


def _on_disk(stack: Deployed, node: str, folder: str) -> Path:
    mounts = stack.inspect(node)["Mounts"]
    return Path(next(mount["Source"] for mount in mounts if mount["Destination"] == folder))


@contextmanager
def _joined(stack: Deployed, network: str) -> Iterator[None]:
    api = stack.engine.client.api
    api.connect_container_to_network(f"{STACK}-worker", network)
    yield
    api.disconnect_container_from_network(f"{STACK}-worker", network)


def _worker_on_ingress(stack: Deployed) -> AbstractContextManager[None]:
    return _joined(stack, f"{STACK}-ingress")


@contextmanager
def _extra_network(stack: Deployed) -> Iterator[None]:
    made = stack.engine.client.api.create_network("by-hand")["Id"]
    with _joined(stack, "by-hand"):
        yield
    stack.engine.client.api.remove_network(made)


@contextmanager
def _stopped(stack: Deployed, node: str) -> Iterator[None]:
    api = stack.engine.client.api
    api.stop(f"{STACK}-{node}", timeout=5)
    yield
    api.start(f"{STACK}-{node}")
    until(lambda: _is_told_healthy(stack, node), 120, node)


def _no_worker(stack: Deployed) -> AbstractContextManager[None]:
    return _stopped(stack, "worker")


def _no_resolver(stack: Deployed) -> AbstractContextManager[None]:
    return _stopped(stack, "resolver")


@contextmanager
def _deaf_crowdsec(stack: Deployed) -> Iterator[None]:
    """Its own network taken away: it runs, and neither hears the gateway nor is asked."""
    api, network = stack.engine.client.api, f"{STACK}-link-gateway-crowdsec"
    address = stack.inspect("crowdsec")["NetworkSettings"]["Networks"][network]["IPAddress"]
    api.disconnect_container_from_network(f"{STACK}-crowdsec", network)
    until(lambda: "gateway_crowdsec_up 0" in _gateways_metrics(stack), 60, "the gateway's notice")
    yield
    api.connect_container_to_network(f"{STACK}-crowdsec", network, ipv4_address=address)
    until(lambda: "gateway_crowdsec_up 1" in _gateways_metrics(stack), 60, "the gateway's notice")


def _gateways_metrics(stack: Deployed) -> str:
    return stack.execute("gateway", "wget", "-q", "-O", "-", "http://127.0.0.1:9145/metrics")[1]


BROKEN: dict[str, tuple[Breaking, set[str], str]] = {
    "a published port": (_published, {"published-ports", "isolation", "containers", "networks"}, "publishes 8080/tcp"),
    "the host's network": (
        _on_the_hosts_network,
        {"published-ports", "isolation", "containers", "networks"},
        "is on the host's network",
    ),
    "a privileged container": (_privileged, {"isolation", "containers"}, "is privileged"),
    "Docker's socket": (_with_the_socket, {"isolation", "containers"}, "of the host"),
    "a connector that is root": (
        _connector_as_root,
        {"connector", "isolation", "containers", "images", "digests"},
        "runs as root",
    ),
    "another resolver": (_other_names, {"resolver", "isolation", "containers", "images", "digests"}, "asks 9.9.9.9"),
    "a changed file": (_changed_file, {"files"}, "headers.conf is not what the program writes"),
    "a planted file": (_planted_file, {"files"}, "planted.lua is not the program's"),
    "a second way to ingress": (
        _worker_on_ingress,
        {"one-gateway", "networks", "containers"},
        "is on ingress and on other networks",
    ),
    "a network made by hand": (_extra_network, {"networks", "containers"}, "network by-hand is not in the plan"),
    "a service that is down": (_no_worker, {"containers"}, "is exited"),
    "a resolver that is down": (_no_resolver, {"resolver", "containers"}, "dev-resolver is not running"),
    "a CrowdSec that hears nothing": (
        _deaf_crowdsec,
        {"intrusion", "containers"},
        "did not read the line of a request",
    ),
}
"""What somebody does → checks that fail, and no others, and words of the evidence."""


@pytest.mark.parametrize("name", BROKEN)
def test_what_somebody_does_on_the_server_is_found(stack: Deployed, name: str) -> None:
    breaking, failing, words = BROKEN[name]
    with breaking(stack):
        found = _measured(stack, *INSIDE)
    assert {check for check, result in found.items() if result.verdict == "fail"} == failing
    assert any(words in line for check in failing for line in found[check].evidence), found


def test_what_cannot_be_asked_is_not_measured(stack: Deployed) -> None:
    with _stopped(stack, "crowdsec"):
        (result,) = _measured(stack, "intrusion").values()
    assert result.verdict == "not measured"
    assert result.evidence == (f"{STACK}-crowdsec does not run",)


def test_without_an_engine_nothing_inside_passes() -> None:
    need("docker")
    settings = gather.settings_of(ROOT, STACK)
    engine = Engine(docker=("docker", "--host", "unix:///nowhere.sock"))
    live = Live(STACK, settings, plan(settings), _program(), {}, engine)
    assert {check.run(live).verdict for check in CHECKS if check.id in INSIDE} == {"not measured"}


def test_every_check_inside_is_seen_failing() -> None:
    assert set().union(*(failing for _, failing, _ in BROKEN.values())) == set(INSIDE)
