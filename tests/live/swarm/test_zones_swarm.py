"""A Swarm of three Engines in three zones, formed by the recorded commands over WireGuard, and an overlay on it."""

import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from components.underlay import WIREGUARD_MTU
from tests.live.docker.deployed import until
from tests.live.docker.engine import Engine, _remove_cgroups, host_of
from tests.live.docker.internet import Internet, listener
from tests.live.docker.probe import probe
from tests.live.swarm.deployed import _network
from tests.live.swarm.machines import _end, _here
from tests.live.zones.stand import TOOLS, Peer, Zones, form, recorded, zones
from tests.live.zones.test_zones import fragments
from tests.programs import need, need_root
from tests.zones import MACHINES, STACK

pytestmark = pytest.mark.slow
PROGRAMS = ("dockerd", "curl", "busybox", "iptables", "wireguard-go", "wg-quick", "nft", "ip", "nsenter", "unshare")
IMAGE = "example/busybox:1.0"
VXLAN_BYTES = 50
MEGABYTES = 8


@dataclass
class Swarm:
    """The machines, and an Engine on each."""

    zones: Zones
    engines: dict[str, Engine]

    def nodes(self) -> dict[str, Any]:
        """Members by the name of their machine, as a manager sees them."""
        api: Any = self.engines[MACHINES[0]].client.api
        return {node["Spec"]["Labels"]["zero-exposure.machine"]: node for node in api.nodes()}


@pytest.fixture(scope="module")
def swarm() -> Iterator[Swarm]:
    """Formed, with nothing deployed."""
    need(*PROGRAMS)
    need_root()
    with zones() as machines, ExitStack() as stack:
        deaf = stack.enter_context(listener(machines.stranger, "127.0.0.1", 7844))
        outside = Internet(machines.stranger, deaf)
        engines = {name: stack.enter_context(_engine(peer, outside)) for name, peer in machines.peers.items()}
        form(machines)
        yield Swarm(machines, engines)


@contextmanager
def _engine(peer: Peer, outside: Internet) -> Iterator[Engine]:
    """The machine's own Engine, which the recorded commands reach by the real tool."""
    folder = Path(tempfile.mkdtemp(prefix=f"{peer.own}-docker-"))
    try:
        engine = Engine(peer.own, peer.netns, folder, _here(host_of(peer.user_data)), outside)
        try:
            engine.start()
            peer.environment |= {"DOCKER_HOST": f"unix://{folder}/sock", "SOCKET": f"{folder}/sock"}
            peer.run("cp", f"{TOOLS}/swarm.real", f"{TOOLS}/swarm")
            yield engine
        finally:
            _end(engine)
    finally:
        _remove_cgroups(peer.own)
        shutil.rmtree(folder, ignore_errors=True)


def test_the_recorded_commands_made_one_swarm_of_managers_in_three_zones(swarm: Swarm) -> None:
    nodes = swarm.nodes()
    assert {name: node["Spec"]["Labels"]["zero-exposure.location"] for name, node in nodes.items()} == {
        "america-1": "ash", "asia-1": "sin", "europe-1": "fsn1",
    }  # fmt: skip
    assert {node["ManagerStatus"]["Reachability"] for node in nodes.values()} == {"reachable"}
    for name, node in nodes.items():
        assert node["ManagerStatus"]["Addr"] == f"{swarm.zones[name].address}:2377"


def test_a_stranger_reaches_no_port_of_swarm(swarm: Swarm) -> None:
    targets = [(peer.public, port) for peer in swarm.zones.peers.values() for port in (2377, 7946)]
    assert set(probe(swarm.zones.stranger, targets).values()) == {"silent"}
    # Control: a member reaches the same port by its address on WireGuard.
    first, last = swarm.zones[MACHINES[0]], swarm.zones[MACHINES[2]]
    assert probe(last.netns, [(first.address, 2377)]) == {(first.address, 2377): "open"}


def test_an_overlay_carries_large_files_between_zones_in_whole_packets(swarm: Swarm) -> None:
    """The declared egress network but for its encryption, which this kernel has not."""
    declared = next(
        each for each in recorded().of_type("docker:index/network:Network") if each.name == "networks-egress"
    )
    assert declared.props["options"]["com.docker.network.driver.mtu"] == str(WIREGUARD_MTU)
    _network(swarm.engines[MACHINES[0]].client, declared.props)
    for name in MACHINES[1:]:
        swarm.engines[name].client.api.import_image_from_data(_busybox(), *IMAGE.split(":"))
    giver, taker = (swarm.engines[name] for name in MACHINES[1:])
    command = f"mkdir /www && dd if=/dev/zero of=/www/file bs=1M count={MEGABYTES} && httpd -f -p 8000 -h /www"
    with _container(giver, "giver", command) as served, _container(taker, "taker", "sleep 600") as asking:
        address = served.attrs["NetworkSettings"]["Networks"][f"{STACK}-egress"]["IPAddress"]
        before = fragments(swarm.zones)
        until(
            lambda: asking.exec_run(["wget", "-q", "-O", "/file", f"http://{address}:8000/file"])[0] == 0, 30, "a file"
        )
        assert int(asking.exec_run(["stat", "-c", "%s", "/file"])[1]) == MEGABYTES * 2**20
        assert fragments(swarm.zones) == before
        link = asking.exec_run(["cat", "/sys/class/net/eth0/mtu"])[1]
        assert int(link) == WIREGUARD_MTU - VXLAN_BYTES


@contextmanager
def _container(engine: Engine, name: str, command: str) -> Iterator[Any]:
    made = engine.client.containers.run(
        IMAGE, ["sh", "-c", command], name=name, network=f"{STACK}-egress", detach=True, init=False
    )
    try:
        made.reload()
        yield made
    finally:
        made.remove(force=True)


def _busybox() -> bytes:
    """The files of an image that has nothing else."""
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w") as files:
        files.add(shutil.which("busybox") or "", "bin/busybox")
        for name in ("sh", "mkdir", "dd", "httpd", "wget", "stat", "cat", "sleep"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            files.addfile(link)
    return text.getvalue()


def test_a_manager_that_was_cut_off_is_one_again(swarm: Swarm) -> None:
    peer = swarm.zones["asia-1"]
    peer.stop()
    until(lambda: _seen(swarm)[0] == "down", 90, "asia-1 is missed")
    peer.start()
    waited = until(lambda: _seen(swarm) == ("ready", "reachable"), 90, "asia-1 is back")
    print(f"a manager again after {waited:.1f} s")


def _seen(swarm: Swarm) -> tuple[str, str]:
    """State and reachability of asia-1. Where it was the leader nobody says until there is another one."""
    try:
        node = swarm.nodes()["asia-1"]
    except docker.errors.APIError:
        return "", ""
    return node["Status"]["State"], node["ManagerStatus"]["Reachability"]
