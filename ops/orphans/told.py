"""What Pulumi is told of a stack, by its own CLI. Each raises ``StateError`` where that refuses."""

import json
from pathlib import Path

from ops.orphans.state import ATTACHMENT, Place, cli, exported, living, resources_of

ENDED = {"taint": True, "retainOnDelete": True}
"""The engine's own marks: `up` makes a resource anew, and neither `up` nor `destroy` asks the provider to delete it."""


def take_over(root: Path, stack: str, volume: str, place: Place) -> None:
    """Let Pulumi know an attachment as if it had made it."""
    if place.stale:
        cli(root, stack, "state", "delete", place.stale, "--yes")
    words = ("import", ATTACHMENT, place.name, volume, "--parent", place.parent, "--protect=false", "--yes")
    cli(root, stack, *words, "--generate-code=false", "--skip-preview", "--non-interactive")


def give_up(root: Path, stack: str, tunnel: str) -> None:
    """Let Pulumi know that a tunnel is no longer there. Secrets stay encrypted on the way."""
    whole = exported(root, stack)
    for each in living(resources_of(whole)):
        if each["id"] == tunnel:
            each.update(ENDED)
    cli(root, stack, "stack", "import", given=json.dumps(whole))


def make_anew(root: Path, stack: str, urn: str) -> None:
    """Let the next `up` replace it."""
    cli(root, stack, "state", "taint", urn, "--yes")
