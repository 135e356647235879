"""What Pulumi knows of a stack."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRIVATE_KEY = "tls:index/privateKey:PrivateKey"
VOLUME, ATTACHMENT = "hcloud:index/volume:Volume", "hcloud:index/volumeAttachment:VolumeAttachment"


class StateError(Exception):
    """The state can't be read. The text is the CLI's own."""


@dataclass(frozen=True)
class Place:
    """Where a resource belongs: its name, and its parent's name and URN as ``NAME=URN``. ``stale``: URN of the one that
    was deleted there to be made anew, empty where there was none."""

    name: str
    parent: str
    stale: str = ""


@dataclass(frozen=True)
class State:
    """``ids`` are those of everything in it. ``keys``: name of a private key → the public one, for SSH. ``loose`` has
    volumes that are on no server as far as Pulumi knows: id → where the attachment would belong."""

    ids: frozenset[str]
    keys: Mapping[str, str]
    loose: Mapping[str, Place]


def state(root: Path, stack: str) -> State:
    """Ask the CLI. Raises ``StateError``."""
    command = ["pulumi", "stack", "export", "--stack", stack, "--cwd", str(root)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        raise StateError("pulumi is not on PATH") from None
    if done.returncode:
        raise StateError(done.stderr.strip())
    resources = json.loads(done.stdout)["deployment"].get("resources") or []
    return State(frozenset(each["id"] for each in resources if each.get("id")), _keys(resources), _loose(resources))


def _loose(resources: list[dict[str, Any]]) -> dict[str, Place]:
    """The provider gives an attachment its volume's id."""
    attachments = [each for each in resources if each.get("type") == ATTACHMENT]
    stale = {each["id"]: each["urn"] for each in attachments if each.get("pendingReplacement")}
    attached = {each.get("id") for each in attachments} - stale.keys()
    volumes = [each for each in resources if each.get("type") == VOLUME and each.get("id") not in attached]
    return {each["id"]: _place(each["urn"], each["parent"], stale.get(each["id"], "")) for each in volumes}


def _place(urn: str, parent: str, stale: str) -> Place:
    return Place(f"{urn.rpartition('::')[2]}-attachment", f"{parent.rpartition('::')[2]}={parent}", stale)


def take_over(root: Path, stack: str, volume: str, place: Place) -> None:
    """Let Pulumi know an attachment as if it had made it. Raises ``StateError``."""
    if place.stale:
        _change(root, stack, "state", "delete", place.stale)
    words = ("import", ATTACHMENT, place.name, volume, "--parent", place.parent, "--protect=false")
    _change(root, stack, *words, "--generate-code=false", "--skip-preview", "--non-interactive")


def _change(root: Path, stack: str, *words: str) -> None:
    command = ["pulumi", *words, "--yes", "--stack", stack, "--cwd", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StateError((done.stderr or done.stdout).strip())


def _keys(resources: list[dict[str, Any]]) -> dict[str, str]:
    made = [each for each in resources if each.get("type") == PRIVATE_KEY and "outputs" in each]
    return {each["urn"].rpartition("::")[2]: str(each["outputs"]["publicKeyOpenssh"]).strip() for each in made}
