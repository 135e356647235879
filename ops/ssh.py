"""`python -m ops.ssh --stack dev`: a shell on a server, or one command there, by the way that deployments take.

The exit code is the command's own. 1: there is no such server, or ssh says why it can't be reached.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.ssh import connection
from ops.audit.gather import OutputsError, ssh_of, stack_outputs

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Hand the terminal to ssh."""
    parser = argparse.ArgumentParser(prog="python -m ops.ssh", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="which Pulumi.STACK.yaml")
    parser.add_argument("--machine", default="", help="which machine of a Swarm")
    parser.add_argument("run", nargs="*", help="a shell line to run there instead")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of Pulumi.yaml (default: this project)")
    options = parser.parse_args()
    try:
        command = reached(stack_outputs(options.root, options.stack, None), options.machine, options.run)
    except (OutputsError, LookupError) as error:
        print(error.args[0], file=sys.stderr)
        return 1
    return subprocess.run(command, check=False).returncode


def reached(outputs: Mapping[str, Any], machine: str, run: Sequence[str]) -> list[str]:
    """The command. Raises ``LookupError`` where the stack has no such machine."""
    ssh_host, host_key = ssh_of(outputs, machine)
    if not ssh_host or not host_key:
        there = ", ".join(outputs.get("sshHosts") or {})
        raise LookupError(f"say MACHINE=…, one of {there}" if there else "the stack has no server that is deployed")
    return [*connection(ssh_host, host_key), *run]


if __name__ == "__main__":
    sys.exit(main())
