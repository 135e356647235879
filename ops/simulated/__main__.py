"""`python -m ops.simulated --stack dev up|preview|destroy`: the real CLI against simulated clouds.

`python -m ops.simulated --stack dev run make drift`: any command in the simulated stack's copy of the project.
"""

import argparse
import sys
from pathlib import Path

from ops.simulated.clouds import Clouds
from ops.simulated.guard import NotLoopbackError
from ops.simulated.project import StackError
from ops.simulated.run import MissingCliError, RealEngineError, Simulation

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """The CLI's exit code; 1 where it could not be run, or where something was open to the internet."""
    parser = argparse.ArgumentParser(prog="ops.simulated", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("preview", "up", "destroy", "run"))
    parser.add_argument("--stack", default="dev")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="of `run`: the command (default: a shell)")
    asked = parser.parse_args(arguments)
    folder = ROOT / "build" / "simulated" / asked.stack
    try:
        simulation = Simulation(ROOT, asked.stack, folder)
        if asked.command == "run":
            code, served = simulation.run_beside(*(asked.words or ["sh"]))
        else:
            code, served = simulation.run(asked.command)
    except (MissingCliError, NotLoopbackError, RealEngineError, StackError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    if asked.command != "run":
        _show_what_is_there(served)
    print(f"Open to the internet at any time: {'; '.join(served.inbound()) or 'nothing'}")
    return code or int(bool(served.inbound()))


def _show_what_is_there(served: Clouds) -> None:
    """What the simulated clouds hold."""
    print("\nIn the simulated clouds:")
    for table, names in served.left().items():
        print(f"  {table.replace('_', ' ')}: {', '.join(names)}")
    calls = len(served.hetzner.store.calls) + len(served.cloudflare.store.calls)
    print(f"  {calls} API calls so far")


if __name__ == "__main__":
    sys.exit(main())
