"""A server that is rented for a while: watched by a stranger from power-on to the end."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.live.host import server as parts
from tests.live.host.image import Image, Suite
from tests.live.host.machine import BOOT_SECONDS, Machine
from tests.live.host.network import Network, network, wait_for

PROGRAMS: Final = (
    *("qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "genisoimage"),
    *("nmap", "tcpdump", "ip", "ssh"),
)
"""What renting one takes."""


@dataclass(frozen=True)
class Start:
    """How long a server took from power-on, in seconds."""

    connector: float
    docker: float
    processor: float
    """Processor time of the emulator until then: on a busy machine it says more than the clock."""

    def __str__(self) -> str:
        return (
            f"power-on to connector {self.connector:.0f} s, to Docker {self.docker:.0f} s "
            f"({self.processor:.0f} s of processor time)"
        )


@dataclass
class Server:
    """A running server and everything around it."""

    suite: Suite
    image: Image
    folder: Path
    network: Network
    operator: parts.Operator
    machine: Machine
    volume: Path
    edge_log: Path
    watch_log: Path

    def answers_since(self, moment: float) -> list[parts.Sight]:
        """What the stranger who tries ports all the time got an answer from."""
        return [sight for sight in parts.sights(self.watch_log) if sight.answered and sight.time >= moment]

    def connector_seen_after(self, moment: float) -> float:
        """Wait for a connector that dialled in after a moment. Returns the seconds between."""
        wait_for(lambda: any(seen > moment for seen in parts.connections(self.edge_log)), "connector", BOOT_SECONDS)
        return min(seen for seen in parts.connections(self.edge_log) if seen > moment) - moment

    def come_up(self) -> Start:
        """From power-on until everything runs. The volume is attached once the connector has dialled out."""
        connector = self.connector_seen_after(self.machine.powered_on)
        self.machine.attach_volume(self.volume)
        self.machine.wait_for_agent()
        self.machine.wait_for_cloud_init()
        self.machine.wait_for_units(*parts.UNITS)
        return Start(connector, time.time() - self.machine.powered_on, self.machine.processor_seconds)

    def kill_connector(self) -> float:
        """Kill it, and wait for it. Returns the seconds without one."""
        killed = time.time()
        self.machine.output("systemctl kill --signal=KILL cloudflared.service")
        return self.connector_seen_after(killed)


@contextmanager
def rented(suite: Suite, image: Image, folder: Path) -> Iterator[Server]:
    """Power on a server, and everything around it. ``folder`` is empty, and takes disks, keys and logs."""
    volume = folder / "volume.raw"
    subprocess.run(["truncate", "--size=1G", volume], check=True)
    parts.make_keys(folder)
    with network(f"zx-{os.getpid()}") as cable, _powered_on(suite, image, folder, cable, folder, volume) as server:
        yield server


@contextmanager
def successor_of(server: Server) -> Iterator[Server]:
    """Power on another one by the same user data, on a cable of its own; the volume is attached when it comes up."""
    folder = server.folder / "successor"
    folder.mkdir()
    with (
        network(f"zx-successor-{os.getpid()}") as cable,
        _powered_on(server.suite, server.image, folder, cable, server.folder, server.volume) as successor,
    ):
        yield successor


@contextmanager
def _powered_on(suite: Suite, image: Image, folder: Path, cable: Network, keys: Path, volume: Path) -> Iterator[Server]:
    logs = {name: folder / f"{name}.log" for name in ("edge", "watch")}
    with (
        cable.running(*parts.edge_command(), output=logs["edge"]),
        cable.running(*parts.watch_command(), output=logs["watch"]),
        cable.running(*parts.neighbour_command(), output=folder / "neighbour.log"),
    ):
        (folder / "machine").mkdir()
        machine = Machine(image, cable, folder / "machine", parts.rendered(suite, keys))
        try:
            operator = parts.Operator(keys, cable)
            yield Server(suite, image, folder, cable, operator, machine, volume, logs["edge"], logs["watch"])
        finally:
            machine.stop()


@contextmanager
def plain(image: Image, folder: Path) -> Iterator[Machine]:
    """Power on the same image without our user data, on a cable of its own: the control of every scan."""
    with network(f"zx-plain-{os.getpid()}") as cable:
        machine = Machine(image, cable, folder, "#cloud-config\n{}\n")
        try:
            yield machine
        finally:
            machine.stop()
