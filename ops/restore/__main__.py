"""`python -m ops.restore --stack dev`: puts a snapshot in the place of what a stack has now.

Exit code 0: restored. 1: not restored, with the reason; what was there is there still, unless it says otherwise.
"""

import argparse
import sys
from pathlib import Path

from components.backup.render import SCRIPTS
from ops.preview.stackfile import StackFileError, project_name, stack_values
from ops.restore.reach import Reach, ReachError, reach
from ops.restore.steps import FROM_NOTHING, Plan
from settings.load import SettingsError, load
from topology.names import BACKUP
from topology.nodes import copied
from topology.plan import plan

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Do what the arguments ask for and return the exit code."""
    options = _options()
    try:
        planned = _plan(options)
        engine = reach(options.stack, planned.settings, planned.topology)
        if options.list:
            engine(("exec", f"{options.stack}-{BACKUP}", "sh", f"{SCRIPTS}/snapshots.sh"))
            return 0
        _say(planned)
        if not options.yes and not _agreed(options.stack):
            print("Nothing was done.", file=sys.stderr)
            return 1
        _restore(planned, engine)
    except (StackFileError, SettingsError, ReachError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.restore", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="which Pulumi.STACK.yaml")
    parser.add_argument("--snapshot", default="latest", help="id of a snapshot, latest, or none: keep what is there")
    parser.add_argument("--service", help="restore this one only (needed with an id: a snapshot is of one service)")
    parser.add_argument("--list", action="store_true", help="show what can be restored, and do nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of Pulumi.yaml (default: this project)")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    """Raises ``SettingsError`` where the stack has no such thing to restore."""
    settings = load(stack_values(options.root, options.stack), project_name(options.root))
    known = copied(settings)
    services = (options.service,) if options.service else known
    if settings.backup is None or not set(services) <= set(known):
        raise SettingsError(
            f"{options.service or options.stack}: not backed up; there are: {', '.join(known) or 'none'}"
        )
    if options.snapshot not in ("latest", FROM_NOTHING) and len(services) > 1:
        raise SettingsError(f"a snapshot is of one service: say SERVICE=…, one of {', '.join(known)}")
    return Plan(options.stack, settings, plan(settings), services, options.snapshot)


def _say(planned: Plan) -> None:
    if planned.snapshot == FROM_NOTHING:
        print(f"{planned.stack} keeps what it has, and its backups go on in the repository that is there.")
        return
    for service in planned.services:
        kind = planned.settings.services[service].backup
        kept = "is renamed and kept" if kind == "postgres" else "IS DELETED"
        print(f"{service}: snapshot {planned.snapshot} takes the place of what is there, which {kept}.")
        print(f"  stopped meanwhile: {', '.join(planned.stopped(service)) or 'nothing'}")


def _agreed(stack: str) -> bool:
    try:
        return input(f"Type {stack} to go on: ").strip() == stack
    except EOFError:
        return False


def _restore(planned: Plan, engine: Reach) -> None:
    """Everything is fetched and checked before anything is stopped."""
    if planned.snapshot != FROM_NOTHING:
        try:
            for service in planned.services:
                engine(planned.fetch(service))
        except BaseException:
            engine(planned.abandon())
            raise
        for service in planned.services:
            _replace(planned, service, engine)
    engine(planned.done())


def _replace(planned: Plan, service: str, engine: Reach) -> None:
    """Whatever happens, what was stopped is started again, once nothing writes to the data any more."""
    try:
        if planned.stopped(service):
            engine(planned.stop(service))
        engine(planned.put(service))
        _start(planned, service, engine)
    except BaseException:
        _abandon(planned, service, engine)
        _start(planned, service, engine)
        raise
    print(f"{service}: restored")


def _start(planned: Plan, service: str, engine: Reach) -> None:
    if planned.stopped(service):
        engine(planned.start(service))


def _abandon(planned: Plan, service: str, engine: Reach) -> None:
    """An order that is broken off here goes on there: this waits for its end. Clients of a database that has not got
    its name back would write into half of one."""
    print(f"{service}: not restored. Waiting until nothing writes to it any more ...", file=sys.stderr)
    try:
        engine(planned.abandon())
    except BaseException:
        stopped = ", ".join(planned.stopped(service)) or "nothing"
        print(f"Still stopped: {stopped}. docs/runbook.md, A restore ended half-way.", file=sys.stderr)
        raise


if __name__ == "__main__":
    sys.exit(main())
