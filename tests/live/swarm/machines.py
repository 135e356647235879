"""Machines of a Swarm: an Engine each, in a namespace of its own, on one private network and a small internet."""

import os
import resource
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.live.docker.container import _may_raise_limits
from tests.live.docker.engine import Engine, Host, _remove_cgroups, host_of
from tests.live.docker.internet import EDGE, EDGE_PORT, OUTSIDE, OUTSIDE_PORTS, Internet, listener
from tests.live.docker.namespace import namespace, run

PRIVATE, PUBLIC = "enp7s0", "eth0"
"""Interfaces of a machine, as the provider calls them."""
GATEWAY = "192.0.2.1"
TOOL = "/usr/local/lib/zero-exposure/swarm"


@dataclass
class Machine:
    """One server. ``tool`` is what the program calls there over SSH, out of the server's own user data."""

    name: str
    address: str
    engine: Engine
    folder: Path
    alive: bool = True

    @property
    def environment(self) -> dict[str, str]:
        """How the tool finds this machine's Engine and files."""
        socket_path = f"{self.engine.folder}/sock"
        return {"DOCKER_HOST": f"unix://{socket_path}", "SOCKET": socket_path, "FOLDER": str(self.folder)}

    def call(self, *arguments: str, text: str | None = None) -> str:
        """Run the tool. Raises ``RuntimeError`` where it fails."""
        return run(*self.entering, f"{self.folder}/swarm", *arguments, text=text)

    @property
    def entering(self) -> list[str]:
        """The beginning of a command that runs on this machine."""
        pairs = [f"{key}={value}" for key, value in self.environment.items()]
        return ["nsenter", f"--target={self.engine.place.pid}", "--net", "--mount", "env", *pairs]

    def cut_power(self) -> None:
        """It is gone, from one moment to the next: no process, no packet."""
        for interface in (PRIVATE, PUBLIC):
            run("ip", "-n", self.engine.name, "link", "set", interface, "down")
        self.engine.cut_power()
        # Namespaces of overlays do not outlive the power either.
        run(*self.entering, "sh", "-c", "for each in /run/docker/netns/*; do umount -l $each; rm -f $each; done")
        self.alive = False

    def start_again(self) -> None:
        """Power is back."""
        for interface in (PRIVATE, PUBLIC):
            run("ip", "-n", self.engine.name, "link", "set", interface, "up")
        run("ip", "-n", self.engine.name, "route", "replace", "default", "via", GATEWAY)
        self.engine.start()
        self.alive = True


@dataclass
class Fleet:
    """All machines by name, and what is outside."""

    machines: dict[str, Machine]
    internet: Internet
    switch: str
    """Namespace of the private network's switch: more can be plugged in."""
    user_data: str
    """Of the first machine."""
    _stack: ExitStack = field(default_factory=ExitStack)

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    def plug_in(self, name: str, address: str) -> str:
        """Another server on the private network, which is no member. Returns its namespace."""
        netns = self._stack.enter_context(namespace(name))
        _cable(self.switch, name, PRIVATE, f"{address}/16", "lan")
        return netns

    @contextmanager
    def stranger(self, address: str) -> Iterator[Machine]:
        """A machine with an Engine and the tool on the private network, which is no member and of no stack."""
        text = self.user_data
        with _machine(f"{self.switch}-thief", "thief", text, address, self.internet) as found:
            _cable(self.switch, found.engine.name, PRIVATE, f"{address}/16", "lan")
            rules = found.engine.host.firewall.replace(next(iter(self.machines.values())).address, address)
            found.engine.load_firewall(rules)
            found.engine.start()
            yield found


@contextmanager
def fleet(user_data: dict[str, str], addresses: dict[str, str]) -> Iterator[Fleet]:
    """Machines by name, each as its user data says, with every Engine running. All of it is gone afterwards."""
    prefix = f"zs{os.getpid()}"
    with ExitStack() as stack:
        outside = stack.enter_context(_outside(f"{prefix}-out"))
        switch = f"{prefix}-lan"
        stack.enter_context(namespace(switch))
        _bridge(switch, "lan")
        found = Fleet({}, outside, switch, next(iter(user_data.values())), stack)
        for number, (name, text) in enumerate(user_data.items(), start=11):
            machine = stack.enter_context(_machine(f"{prefix}-{name}", name, text, addresses[name], outside))
            _cable(switch, machine.engine.name, PRIVATE, f"{machine.address}/16", "lan")
            _cable(f"{prefix}-out", machine.engine.name, PUBLIC, f"192.0.2.{number}/24", "wan")
            run("ip", "-n", machine.engine.name, "route", "add", "default", "via", GATEWAY)
            machine.engine.load_firewall(machine.engine.host.firewall)
            machine.engine.start()
            found.machines[name] = machine
        yield found


@contextmanager
def _machine(identity: str, name: str, text: str, address: str, outside: Internet) -> Iterator[Machine]:
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix=f"{identity}-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(_remove_cgroups, identity)
        netns = stack.enter_context(namespace(identity))
        engine = Engine(identity, netns, folder, _here(host_of(text)), outside)
        stack.callback(_end, engine)
        machine = Machine(name, address, engine, folder / "etc")
        machine.folder.mkdir()
        _write_tool(machine, text)
        # No registry is out there, and nobody who knows names: asked for on loopback, a pull fails at once.
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="ascii")
        run(*machine.entering, "mount", "--bind", f"{folder}/resolv.conf", "/etc/resolv.conf")
        yield machine


def _here(host: Host) -> Host:
    """Where not even root may raise its own limit of open files, tasks get what there is."""
    if not _may_raise_limits():
        own = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        host.daemon["default-ulimits"]["nofile"] |= {"Soft": own, "Hard": own}
    return host


def _end(engine: Engine) -> None:
    """Out of the Swarm first, which would start again what is stopped."""
    if hasattr(engine, "client") and engine.process.poll() is None:
        with suppress(Exception):
            engine.client.swarm.leave(force=True)
    engine.end()


def _write_tool(machine: Machine, text: str) -> None:
    files = {file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]}
    path = machine.folder / "swarm"
    path.write_text(files[TOOL], encoding="utf-8")
    path.chmod(0o755)


@contextmanager
def _outside(name: str) -> Iterator[Internet]:
    """Everything that is not the provider's private network."""
    with namespace(name) as path, ExitStack() as stack:
        _bridge(name, "wan")
        run("ip", "-n", name, "address", "add", f"{GATEWAY}/24", "dev", "wan")
        for address in (EDGE, OUTSIDE):
            run("ip", "-n", name, "address", "add", f"{address}/32", "dev", "lo")
        for port in OUTSIDE_PORTS:
            stack.enter_context(listener(path, OUTSIDE, port))
        yield Internet(path, stack.enter_context(_edge(path)))


def _edge(path: str) -> socket.socket:
    return listener(path, EDGE, EDGE_PORT)


def _bridge(netns: str, name: str) -> None:
    run("ip", "-n", netns, "link", "add", name, "type", "bridge")
    run("ip", "-n", netns, "link", "set", name, "up")


def _cable(switch: str, machine: str, interface: str, address: str, bridge: str) -> None:
    """From a machine's interface to a bridge of a switch."""
    port = f"p{abs(hash((machine, interface))) % 10**10}"
    run("ip", "link", "add", interface, "netns", machine, "type", "veth", "peer", "name", port, "netns", switch)
    run("ip", "-n", switch, "link", "set", port, "master", bridge, "up")
    run("ip", "-n", machine, "address", "add", address, "dev", interface)
    run("ip", "-n", machine, "link", "set", interface, "up")
