"""`python -m ops.simulated up|preview|destroy --stack dev`: the real CLI against simulated clouds."""

import argparse
import sys
from pathlib import Path

from ops.simulated.clouds import Clouds
from ops.simulated.guard import NotLoopbackError
from ops.simulated.project import StackError
from ops.simulated.run import MissingCliError, Simulation

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """The CLI's exit code; 1 where it could not be run, or where something was open to the internet."""
    parser = argparse.ArgumentParser(prog="ops.simulated", description=__doc__)
    parser.add_argument("command", choices=("preview", "up", "destroy"))
    parser.add_argument("--stack", default="dev")
    asked = parser.parse_args(arguments)
    folder = ROOT / "build" / "simulated" / asked.stack
    try:
        code, served = Simulation(ROOT, asked.stack, folder).run(asked.command)
    except (MissingCliError, NotLoopbackError, StackError) as error:
        print(error, file=sys.stderr)
        return 1
    _show(served)
    return code or int(bool(served.inbound()))


def _show(served: Clouds) -> None:
    """What the simulated clouds hold, and whether anything was ever open."""
    print("\nIn the simulated clouds:")
    for table, names in served.left().items():
        print(f"  {table.replace('_', ' ')}: {', '.join(names)}")
    calls = len(served.hetzner.store.calls) + len(served.cloudflare.store.calls)
    print(f"  {calls} API calls so far; open to the internet at any time: {'; '.join(served.inbound()) or 'nothing'}")


if __name__ == "__main__":
    sys.exit(main())
