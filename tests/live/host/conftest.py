"""One server for each suite, rented once for all tests of a run."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.live.host.image import Image, Suite, image
from tests.live.host.machine import Machine
from tests.live.host.network import GUEST_ADDRESSES
from tests.live.host.rented import PROGRAMS, Server, plain, rented, successor_of
from tests.live.host.scan import found_open
from tests.programs import give_up, need, need_root

MEASURED: list[str] = []


def measure(text: str) -> None:
    """Keep a figure for the end of the run."""
    MEASURED.append(text)


@pytest.fixture(autouse=True)
def _figures(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hand the figures to whoever prints the summary, which may be another process."""
    yield
    request.node.user_properties.extend(("measured", text) for text in MEASURED)
    MEASURED.clear()


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
def plain_found(
    guest_image: Image, suite: Suite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Future[set[tuple[str, str]]]"]:
    """What is open on a server without our user data. It boots and is scanned while the server boots."""
    with (
        plain(guest_image, tmp_path_factory.mktemp(f"{suite}-plain")) as machine,
        ThreadPoolExecutor(1) as pool,
    ):
        yield pool.submit(_scanned, machine)


def _scanned(machine: Machine) -> set[tuple[str, str]]:
    machine.wait_for_agent()
    machine.wait_for_units("ssh")
    found = found_open(machine.network, {(address, "22/tcp") for address in GUEST_ADDRESSES})
    machine.stop()
    return found


@pytest.fixture(scope="session")
def server(
    suite: Suite, guest_image: Image, plain_found: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Rented once for all tests of a suite."""
    with rented(suite, guest_image, tmp_path_factory.mktemp(suite)) as server:
        measure(f"{suite}: {server.come_up()}")
        yield server


@pytest.fixture(scope="session")
def successor(server: Server) -> Iterator[Server]:
    """The server that is there after a replacement. It boots while the first one's last tests run."""
    with successor_of(server) as successor:
        yield successor
