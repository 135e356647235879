"""`make orphans`: what an interrupted `up` of a stack has made and Pulumi does not know. It is shown, and deleted where
you say so. What may hold data is not. Of a volume's place on its server, a tunnel that is gone and a container that is
half made Pulumi is told instead.

Exit code 0: nothing is left over. 1: something is, or could not be looked for.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from ops.audit.gather import settings_of, token
from ops.audit.result import NotMeasuredError
from ops.doctor import api
from ops.orphans.search import Orphan, Stack
from ops.orphans.state import StateError, state
from ops.preview.stackfile import StackFileError
from settings.load import SettingsError

ROOT = Path(__file__).resolve().parents[2]
PROBLEMS = (StackFileError, SettingsError, StateError, NotMeasuredError)


def main(arguments: list[str] | None = None) -> int:
    """Search, show, and delete what may be deleted."""
    options = _options(arguments)
    out, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    try:
        stack = _stack(options.root, options.stack)
        found = [*stack.orphans(), *stack.attachments(), *stack.tunnels()]
    except PROBLEMS as error:
        errors.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    found += _on_the_engines(stack, out)
    for orphan in found:
        out.print(_line(orphan), markup=False, soft_wrap=True)
    loose = [orphan for orphan in found if not orphan.found.kept]
    if not found:
        out.print(f"Nothing of {options.stack} is there that Pulumi does not know.")
    if loose and _agreed(stack, options.yes, out):
        return int(_failed(loose, errors) or len(loose) < len(found))
    return int(bool(found))


def _stack(root: Path, name: str) -> Stack:
    settings = settings_of(root, name)
    hetzner = token("HCLOUD_TOKEN", "hcloud:token", root, name)
    cloudflare = token("CLOUDFLARE_API_TOKEN", "cloudflare:apiToken", root, name)
    if settings.cloudflare is None or not hetzner or not cloudflare:
        raise NotMeasuredError(f"{name}: needs target: cloud, and both clouds' tokens")
    known = state(root, name)
    return Stack(root, name, settings, settings.cloudflare, known, api.hetzner(hetzner), api.cloudflare(cloudflare))


def _on_the_engines(stack: Stack, out: Console) -> list[Orphan]:
    try:
        return list(stack.orphans_of_the_engines())
    except NotMeasuredError as error:
        out.print(f"Containers were not looked at: {error}", markup=False, soft_wrap=True)
        return []


def _line(orphan: Orphan) -> str:
    found = orphan.found
    kept = f": stays, {found.kept}; see docs/runbook.md" if found.kept else ""
    return f"{found.kind} {found.name} ({found.id}){kept}"


def _agreed(stack: Stack, yes: bool, out: Console) -> bool:
    """A state in which nothing is belongs to somebody else, or was lost: then everything would look like left over."""
    if not stack.state.ids:
        out.print(f"Pulumi knows nothing of {stack.name}: is this its backend? Nothing is deleted.")
        return False
    if yes:
        return True
    return (
        out.input(f"Delete what does not stay, and tell Pulumi the rest? Then write the stack's name ({stack.name}): ")
        == stack.name
    )


def _failed(loose: list[Orphan], errors: Console) -> bool:
    failed = False
    for orphan in loose:
        try:
            orphan.delete()
        except (NotMeasuredError, StateError) as error:
            errors.print(str(error), style="red", markup=False, soft_wrap=True)
            failed = True
    return failed


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.orphans", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of Pulumi.yaml (default: this project)")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
