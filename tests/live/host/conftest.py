"""One server for each suite, rented once for all tests of a run."""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.host import server as parts
from tests.live.host.image import Image, Suite, image
from tests.live.host.machine import Machine
from tests.live.host.network import Network, network, wait_for
from tests.programs import give_up, need, need_root

PROGRAMS = ("qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "genisoimage", "nmap", "tcpdump", "ip", "ssh")
MEASURED: list[str] = []


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

    def rent(self, name: str, user_data: str) -> Machine:
        """Another server in the place of this one."""
        self.machine.stop()
        (self.folder / name).mkdir()
        return Machine(self.image, self.network, self.folder / name, user_data)

    def connector_seen_after(self, moment: float) -> float:
        """Wait for a connector that dialled in after a moment. Returns the seconds between."""
        wait_for(lambda: any(seen > moment for seen in parts.connections(self.edge_log)), "connector", 900)
        return min(seen for seen in parts.connections(self.edge_log) if seen > moment) - moment


def measure(text: str) -> None:
    """Keep a figure for the end of the run."""
    MEASURED.append(text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures: passed tests print nothing."""
    for text in MEASURED:
        terminalreporter.write_line(f"measured: {text}")


@pytest.fixture(scope="session", params=["bookworm", "trixie"])
def suite(request: pytest.FixtureRequest) -> Suite:
    """Both Debian releases that a server may run."""
    need(*PROGRAMS)
    need_root()
    if not Path("/dev/net/tun").exists():
        give_up("a virtual network needs /dev/net/tun")
    chosen: Suite = request.param
    return chosen


@pytest.fixture(scope="session")
def guest_image(suite: Suite) -> Image:
    """Built on first use."""
    start = time.monotonic()
    built = image(suite)
    measure(f"{suite}: image ready after {time.monotonic() - start:.0f} s")
    return built


@pytest.fixture(scope="session")
def server(suite: Suite, guest_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Watched by a stranger from power-on to the end."""
    folder = tmp_path_factory.mktemp(suite)
    volume = folder / "volume.raw"
    subprocess.run(["truncate", "--size=1G", volume], check=True)
    logs = {name: folder / f"{name}.log" for name in ("edge", "watch")}
    with network(f"zx-{os.getpid()}") as cable:
        keys = parts.operator(folder, cable)
        with (
            cable.running(*parts.edge_command(), output=logs["edge"]),
            cable.running(*parts.watch_command(), output=logs["watch"]),
            cable.running(*parts.neighbour_command(), output=folder / "neighbour.log"),
        ):
            (folder / "first").mkdir()
            machine = Machine(guest_image, cable, folder / "first", parts.rendered(suite, folder))
            rented = Server(suite, guest_image, folder, cable, keys, machine, volume, logs["edge"], logs["watch"])
            try:
                come_up(rented)
                yield rented
            finally:
                rented.machine.stop()


def come_up(server: Server) -> None:
    """From power-on until everything runs. The volume is attached once the connector has dialled out."""
    seconds = server.connector_seen_after(server.machine.powered_on)
    measure(f"{server.suite}: power-on to connector {seconds:.0f} s")
    server.machine.attach_volume(server.volume)
    server.machine.wait_for_agent()
    server.machine.wait_for_cloud_init()
    server.machine.wait_for_units(*parts.UNITS)
    measure(f"{server.suite}: power-on to Docker {time.time() - server.machine.powered_on:.0f} s")
