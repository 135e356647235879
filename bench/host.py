"""`python -m bench.host`: how long a server takes from power-on until its connector and Docker are up."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.live.host.image import Suite, image
from tests.live.host.rented import PROGRAMS, rented
from tests.live.host.server import wall_up

SUITES: tuple[Suite, ...] = ("bookworm", "trixie")
KILLED_SECONDS = 10
"""A killed connector is back by then."""


def main() -> int:
    """Print the figures of both releases; exit code 1 if a killed connector stayed away for too long."""
    missing = [name for name in PROGRAMS if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    if missing or os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        print(f"host: not measured; needs root, /dev/net/tun and {', '.join(missing) or 'nothing else'}")
        return 0
    print(f"a killed connector: at most {KILLED_SECONDS} s")
    return 0 if max([_measured(suite) for suite in SUITES]) <= KILLED_SECONDS else 1


def _measured(suite: Suite) -> float:
    """Seconds that a killed connector stayed away."""
    try:
        built = image(suite)
    except pytest.skip.Exception as reason:
        print(f"{suite}: not measured, {reason}")
        return 0.0
    with tempfile.TemporaryDirectory() as folder, rented(suite, built, Path(folder)) as server:
        start, machine = server.come_up(), server.machine
        print(f"{suite}: wall up {wall_up(machine) - machine.powered_on:.0f} s after power-on; {start}")
        killed = server.kill_connector()
        print(f"{suite}: killed connector back after {killed:.1f} s")
    return killed


if __name__ == "__main__":
    sys.exit(main())
