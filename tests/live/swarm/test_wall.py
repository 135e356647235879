"""The wall of a machine on the private network, by its real rules: members reach Swarm's ports, and nobody else any."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ops.preview.files import rendered
from tests.live.docker.engine import host_of
from tests.live.docker.internet import listener
from tests.live.docker.namespace import inside, namespace, run
from tests.live.swarm.deployed import recorded
from tests.live.swarm.machines import PRIVATE, PUBLIC, TOOL, _bridge, _cable
from tests.programs import need, need_root

NAME = "manager-2"
TCP, UDP = (2377, 7946), (4789, 7946)
OTHER_TCP, OTHER_UDP = (22, 80, 2375, 9100), (53, 51820)
STRANGER = "10.0.200.200"


@dataclass
class Wall:
    """A machine behind its rules, a member and a stranger on the private network, and someone in the internet."""

    own: str
    member: str
    namespaces: dict[str, str]
    tool: Path
    folder: Path

    def members(self, *addresses: str) -> None:
        """Run the machine's own tool."""
        run("nsenter", f"--net={self.namespaces['own']}", "env", f"FOLDER={self.folder}", str(self.tool),
            "members", *addresses)  # fmt: skip

    def connects(self, who: str, port: int, address: str = "") -> bool:
        """Whether a TCP connection comes about."""

        def attempt() -> bool:
            try:
                socket.create_connection((address or self.own, port), 0.4).close()
            except OSError:
                return False
            return True

        return inside(self.namespaces[who], attempt)

    def is_heard(self, who: str, port: int) -> bool:
        """Whether a datagram arrives at a program of the machine."""
        with inside(self.namespaces["own"], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as listener:
            listener.bind(("0.0.0.0", port))  # noqa: S104 - in a namespace of the test's own
            listener.settimeout(0.4)
            with inside(self.namespaces[who], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
                sender.sendto(b"hello", (self.own, port))
            try:
                return listener.recv(10) == b"hello"
            except TimeoutError:
                return False

    def reached(self, who: str) -> set[tuple[str, int]]:
        """Every port that answers someone."""
        tcp = {("tcp", port) for port in (*TCP, *OTHER_TCP) if self.connects(who, port)}
        return tcp | {("udp", port) for port in (*UDP, *OTHER_UDP) if self.is_heard(who, port)}


SWARM = {("tcp", port) for port in TCP} | {("udp", port) for port in UDP}
ALL = SWARM | {("tcp", port) for port in OTHER_TCP} | {("udp", port) for port in OTHER_UDP}


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    need("nft", "ip", "nsenter")
    need_root()
    with _wall(tmp_path) as found:
        yield found


@contextmanager
def _wall(folder: Path) -> Iterator[Wall]:
    recording = recorded()
    text = rendered(recording)[f"host-{NAME}/user-data.yaml"]
    joined = {
        each.name: str(each.props["ip"]) for each in recording.of_type("hcloud:index/serverNetwork:ServerNetwork")
    }
    own, member = joined[f"host-{NAME}-network"], joined["host-manager-1-network"]
    with ExitStack() as stack:
        names = {who: f"zw-{who}" for who in ("lan", "wan", "own", "member", "stranger")}
        paths = {who: stack.enter_context(namespace(name)) for who, name in names.items()}
        for switch in ("lan", "wan"):
            _bridge(names[switch], switch)
        for who, address in (("own", own), ("member", member), ("stranger", STRANGER)):
            _cable(names["lan"], names[who], PRIVATE, f"{address}/16", "lan")
        for who, address in (("own", "192.0.2.11/24"), ("stranger", "192.0.2.66/24")):
            _cable(names["wan"], names[who], PUBLIC, address, "wan")
        run("nsenter", f"--net={paths['own']}", "nft", "-f", "-", text=f"{host_of(text).firewall}\n")
        tool = folder / "swarm"
        tool.write_text(next(file["content"] for file in yaml.safe_load(text)["write_files"] if file["path"] == TOOL))
        tool.chmod(0o755)
        for port in (*TCP, *OTHER_TCP):
            stack.enter_context(listener(paths["own"], "0.0.0.0", port))  # noqa: S104 - in a namespace of the test's own
        yield Wall(own, member, paths, tool, folder / "etc")


def test_before_members_are_named_nobody_reaches_anything(wall: Wall) -> None:
    assert wall.reached("member") == wall.reached("stranger") == set()


def test_a_member_reaches_the_ports_of_swarm_and_no_other(wall: Wall) -> None:
    wall.members(wall.own, wall.member)
    assert wall.reached("member") == SWARM


def test_a_machine_outside_the_list_reaches_no_port(wall: Wall) -> None:
    wall.members(wall.own, wall.member)
    assert wall.reached("stranger") == set()


def test_a_member_that_was_taken_off_the_list_reaches_no_port(wall: Wall) -> None:
    wall.members(wall.own, wall.member)
    wall.members(wall.own)
    assert wall.reached("member") == set()


def test_a_members_address_on_the_public_interface_opens_nothing(wall: Wall) -> None:
    wall.members(wall.own, STRANGER)
    assert wall.reached("stranger") == SWARM
    run("ip", "-n", "zw-stranger", "link", "set", PRIVATE, "down")
    run("ip", "-n", "zw-stranger", "address", "add", f"{STRANGER}/32", "dev", PUBLIC)
    run("ip", "-n", "zw-stranger", "route", "add", wall.own, "via", "192.0.2.11", "src", STRANGER)
    assert wall.reached("stranger") == set()


def test_the_list_is_there_again_when_the_rules_are_loaded_again(wall: Wall) -> None:
    wall.members(wall.own, wall.member)
    kept = (wall.folder / "members.nft").read_text()
    assert wall.member in kept
    run("nsenter", f"--net={wall.namespaces['own']}", "nft", "-f", "-", text=kept)
    assert wall.reached("member") == SWARM


def test_what_is_encrypted_passes_between_members_alone(wall: Wall) -> None:
    """ESP, which overlays are carried in: this kernel has none, so the rule is read."""
    shown = run(
        "nsenter", f"--net={wall.namespaces['own']}", "nft", "-j", "list", "chain", "inet", "zero_exposure", "swarm"
    )
    rules = [entry["rule"]["expr"] for entry in json.loads(shown)["nftables"] if "rule" in entry]
    assert any("esp" in json.dumps(rule) and {"accept": None} in rule for rule in rules)


def test_control_without_the_rules_every_port_answers_the_stranger(wall: Wall) -> None:
    subprocess.run(["nsenter", f"--net={wall.namespaces['own']}", "nft", "flush", "ruleset"], check=True)
    assert wall.reached("stranger") == ALL
