"""Machines in several network zones: real WireGuard in namespaces, behind both of their real walls, and a stranger.

Each machine has its rendered packet filter, and before it the provider's firewall: a router of its own that is
stateful, lets out what the declared firewall lets out, and lets nothing in. What the machine does is what its user data
says, run by the commands that the program recorded.
"""

import os
import runpy
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ops.preview.files import rendered
from ops.preview.record import Recording, record
from ops.preview.simulated import outputs_of
from tests.live.docker.engine import host_of
from tests.live.docker.namespace import inside, namespace, run
from tests.live.ssh import reaching
from tests.zones import MACHINES, ROOT, STACK, config

COMMAND, ADDRESS = "command:local:Command", "hcloud:index/primaryIp:PrimaryIp"
FIREWALL = "hcloud:index/firewall:Firewall"
PUBLIC, INNER, OUTER = "eth0", "in", "out"
GATEWAY = "172.31.1.1"
"""Of every server, as the provider has it."""
STRANGER = "192.0.2.66"
TOOLS = "/usr/local/lib/zero-exposure"
COMES_UP_WITHIN = 60.0


@cache
def recorded() -> Recording:
    """The example in three zones."""

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return record(program, stack=STACK, config=config(), outputs=outputs_of)


@dataclass
class Peer:
    """One machine. ``own`` and ``wall`` are its namespaces, ``place`` holds the first one and its mounts."""

    name: str
    address: str
    public: str
    own: str
    wall: str
    folder: Path
    user_data: str
    rules: str
    place: "subprocess.Popen[bytes]"
    environment: dict[str, str] = field(default_factory=dict)
    """How the tools find the machine's Engine, where it has one."""

    @property
    def netns(self) -> str:
        """Path of the machine's namespace."""
        return f"/run/netns/{self.own}"

    @property
    def entering(self) -> list[str]:
        """The beginning of a command that runs on this machine."""
        kept = [f"FOLDER={self.folder}/etc", f"KEPT={self.folder}/volume"]
        kept += [f"{key}={value}" for key, value in self.environment.items()]
        return ["nsenter", f"--target={self.place.pid}", "--net", "--mount", "env", *kept]

    def run(self, *command: str, text: str | None = None) -> str:
        """Output of a command on this machine."""
        return run(*self.entering, *command, text=text)

    def mesh(self, *arguments: str, text: str = "") -> str:
        """Run the machine's own tool."""
        return self.run(f"{TOOLS}/mesh", *arguments, text=text)

    def start(self) -> None:
        """What the unit does at every boot."""
        self.run("wg-quick", "up", "wg0")

    def stop(self) -> None:
        """Without a word to anyone: the interface is gone, and with it the process behind it."""
        with suppress(RuntimeError):
            self.run("ip", "link", "delete", "wg0")

    def load_rules(self) -> None:
        """The packet filter as it is loaded at boot, with what is kept of the others."""
        rules = self.rules.replace("/etc/zero-exposure/", f"{self.folder}/etc/")
        self.run("nft", "-f", "-", text=f"{rules}\n")

    def public_key(self) -> str:
        """As it tells it to others."""
        return self.mesh("peers").strip()

    def handshakes(self) -> dict[str, int]:
        """Address of each peer → when it last shook hands, 0 where it never did."""
        lines = [line.split("\t") for line in self.run("wg", "show", "wg0", "dump").splitlines()[1:]]
        return {line[3].removesuffix("/32"): int(line[4]) for line in lines}

    def reaches(self, other: "Peer", port: int = 7946, source: str = "", within: float = 1.0) -> bool:
        """Whether a datagram to another machine's address arrives at a program there."""

        def opened() -> socket.socket:
            return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

        with inside(other.netns, opened) as listener, inside(self.netns, opened) as sender:
            listener.bind((other.address, port))
            listener.settimeout(within)
            with suppress(OSError):
                sender.bind((source or self.address, 0))
                sender.sendto(b"hello", (other.address, port))
                return listener.recv(10) == b"hello"
        return False


@dataclass
class Zones:
    """All machines by name, and somebody on the internet."""

    peers: dict[str, Peer]
    stranger: str
    """Namespace."""

    def __getitem__(self, name: str) -> Peer:
        return self.peers[name]

    @property
    def pairs(self) -> list[tuple[Peer, Peer]]:
        """Every way there is."""
        return [(a, b) for a in self.peers.values() for b in self.peers.values() if a is not b]

    def whole(self, within: float = COMES_UP_WITHIN) -> float:
        """Seconds until everyone reaches everyone. Raises ``AssertionError`` where that takes too long."""
        start = time.monotonic()
        for a, b in self.pairs:
            while not a.reaches(b):
                assert time.monotonic() - start < within, f"{a.name} does not reach {b.name}: {a.run('wg')}"
        return time.monotonic() - start


def at(netns: str, *command: str, text: str | None = None) -> str:
    """Output of a command in a namespace."""
    return run("nsenter", f"--net=/run/netns/{netns}", *command, text=text)


def form(zones: Zones, *names: str) -> None:
    """Run the recorded commands of machines, or of all, in the order in which Pulumi would."""
    with tempfile.TemporaryDirectory() as folder:
        path = _stub_ssh(Path(folder), zones)
        for name in names or MACHINES:
            command = next(each for each in recorded().of_type(COMMAND) if each.name == f"member-{name}-joined")
            done = subprocess.run(
                ["/bin/sh", "-c", str(command.props["create"])],
                env={**os.environ, "PATH": path, **command.props["environment"]},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
            assert done.returncode == 0, done.stderr


def _stub_ssh(folder: Path, zones: Zones) -> str:
    """A PATH whose `ssh` reaches the machines' namespaces in the place of servers."""
    scripts = {
        f"ssh-{STACK}-{peer.name}": f'exec {" ".join(peer.entering)} sh -c "${{1#sudo }}"\n'
        for peer in zones.peers.values()
    }
    return reaching(folder, scripts)


@contextmanager
def zones() -> Iterator[Zones]:
    """Servers that have booted and know nobody. All of it is gone afterwards."""
    files = rendered(recorded())
    publics = {name: outputs_of(ADDRESS, f"fleet-address-{name}", {})["ipAddress"] for name in MACHINES}
    with ExitStack() as stack:
        prefix = f"zz{os.getpid()}"
        stranger = stack.enter_context(namespace(f"{prefix}-x"))
        run("ip", "-n", f"{prefix}-x", "link", "add", "wan", "type", "bridge")
        run("ip", "-n", f"{prefix}-x", "link", "set", "wan", "up")
        run("ip", "-n", f"{prefix}-x", "address", "add", f"{STRANGER}/24", "dev", "wan")
        found = Zones({}, stranger)
        for number, name in enumerate(MACHINES, start=11):
            own, wall = f"{prefix}-{number}", f"{prefix}-{number}w"
            for each in (own, wall):
                stack.enter_context(namespace(each))
            _connect(f"{prefix}-x", own, wall, publics[name], f"192.0.2.{number}")
            peer = stack.enter_context(_peer(name, files[f"host-{name}/user-data.yaml"], publics[name], own, wall))
            found.peers[name] = peer
        _route(f"{prefix}-x", found, publics)
        for peer in found.peers.values():
            peer.load_rules()
            peer.start()
        yield found


def _connect(outside: str, own: str, wall: str, public: str, outer: str) -> None:
    """The machine, the provider's firewall, the internet: one after another."""
    run("ip", "link", "add", PUBLIC, "netns", own, "type", "veth", "peer", "name", INNER, "netns", wall)
    run("ip", "link", "add", OUTER, "netns", wall, "type", "veth", "peer", "name", f"p{outer[8:]}", "netns", outside)
    run("ip", "-n", outside, "link", "set", f"p{outer[8:]}", "master", "wan", "up")
    for netns, device, address in (
        (own, PUBLIC, f"{public}/32"),
        (wall, INNER, f"{GATEWAY}/32"),
        (wall, OUTER, f"{outer}/24"),
    ):
        run("ip", "-n", netns, "address", "add", address, "dev", device)
        run("ip", "-n", netns, "link", "set", device, "up")
    run("ip", "-n", own, "route", "add", GATEWAY, "dev", PUBLIC)
    run("ip", "-n", own, "route", "add", "default", "via", GATEWAY)
    run("ip", "-n", wall, "route", "add", public, "dev", INNER)
    at(wall, "sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1")
    at(wall, "nft", "-f", "-", text=provider_firewall())


def _route(outside: str, found: Zones, publics: Mapping[str, str]) -> None:
    walls = {peer.public: f"192.0.2.{number}" for number, peer in enumerate(found.peers.values(), start=11)}
    for public, outer in walls.items():
        run("ip", "-n", outside, "route", "add", public, "via", outer)
        for peer in found.peers.values():
            if peer.public != public:
                run("ip", "-n", peer.wall, "route", "add", public, "via", outer)


def provider_firewall() -> str:
    """The declared firewall as rules: stateful, what is listed may leave, and nothing comes in of itself."""
    (firewall,) = recorded().of_type(FIREWALL)
    rules = "\n".join(_outbound(rule) for rule in firewall.props["rules"])
    return (
        "table ip provider {\nchain forward {\ntype filter hook forward priority filter; policy drop;\n"
        f"ct state established,related accept\n{rules}\n}}\n}}\n"
    )


def _outbound(rule: Mapping[str, Any]) -> str:
    assert rule["direction"] == "out"
    destinations = [each for each in rule["destinationIps"] if ":" not in each]
    to = "" if "0.0.0.0/0" in destinations else f"ip daddr {{ {', '.join(destinations)} }} "
    return f'iifname "{INNER}" {to}{rule["protocol"]} dport {rule["port"]} accept'


@contextmanager
def _peer(name: str, text: str, public: str, own: str, wall: str) -> Iterator[Peer]:
    written = {file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]}
    address = next(line for line in written["/etc/wireguard/wg0.conf"].splitlines() if line.startswith("Address"))
    folder = Path(tempfile.mkdtemp(prefix=f"{own}-"))
    place = subprocess.Popen(["nsenter", f"--net=/run/netns/{own}", "unshare", "--mount", "sh", "-ec", _mounts(folder)])
    peer = Peer(
        name, address.split()[2].partition("/")[0], public, own, wall, folder, text, host_of(text).firewall, place
    )
    try:
        _write(folder, written)
        _await(folder / "ready")
        yield peer
    finally:
        peer.stop()
        place.send_signal(signal.SIGKILL)
        place.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _mounts(folder: Path) -> str:
    """A server's own folders, in the place of this machine's."""
    return (
        "mount --make-rprivate /; mount -t tmpfs none /run; mkdir /run/wireguard;"
        f"until [ -e {folder}/written ]; do sleep 0.02; done;"
        f"mount --bind {folder}/etc/wireguard /etc/wireguard;"
        f"mount -t tmpfs none /usr/local/lib; mkdir {TOOLS}; cp {folder}/lib/* {TOOLS};"
        f"touch {folder}/ready; exec sleep infinity"
    )


SWARM = """#!/bin/sh
# What concerns WireGuard is the real tool; the Swarm itself is another test's.
case $1 in
    members) exec {tools}/swarm.real "$@" ;;
    join | label | keep-key) cat >/dev/null ;;
esac
"""


def _write(folder: Path, written: Mapping[str, str]) -> None:
    for part in ("etc/wireguard", "lib"):
        (folder / part).mkdir(parents=True)
    (folder / "etc/wireguard/wg0.conf").write_text(written["/etc/wireguard/wg0.conf"], encoding="utf-8")
    tools = {"mesh": written[f"{TOOLS}/mesh"], "swarm.real": written[f"{TOOLS}/swarm"]}
    for name, text in {**tools, "swarm": SWARM.format(tools=TOOLS)}.items():
        (folder / "lib" / name).write_text(text, encoding="utf-8")
        (folder / "lib" / name).chmod(0o755)
    (folder / "written").touch()


def _await(path: Path) -> None:
    deadline = time.monotonic() + COMES_UP_WITHIN
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)
