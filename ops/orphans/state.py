"""What Pulumi knows of a stack."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRIVATE_KEY = "tls:index/privateKey:PrivateKey"
VOLUME, ATTACHMENT = "hcloud:index/volume:Volume", "hcloud:index/volumeAttachment:VolumeAttachment"
CONTAINER = "docker:index/container:Container"
TUNNEL = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"


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
class Asked:
    """What Pulumi was asked for: a container's URN, whether it is started, and the names of its networks."""

    urn: str
    starts: bool
    networks: frozenset[str]


@dataclass(frozen=True)
class State:
    """``ids`` are those of everything that is there as far as Pulumi knows, so without what it has deleted to make it
    anew. ``keys``: name of a private key → the public one, for SSH. ``loose`` has volumes that are on no server as far
    as Pulumi knows: id → where the attachment would belong. ``tunnels``: ids of those that are there as far as Pulumi
    knows. ``containers``: by id, those that `up` does not make anew anyway."""

    ids: frozenset[str]
    keys: Mapping[str, str]
    loose: Mapping[str, Place]
    tunnels: frozenset[str]
    containers: Mapping[str, Asked]


def state(root: Path, stack: str) -> State:
    """Ask the CLI. Raises ``StateError``."""
    resources = resources_of(exported(root, stack))
    ids = frozenset(each["id"] for each in resources if each.get("id") and not each.get("pendingReplacement"))
    tunnels = frozenset(each["id"] for each in living(resources))
    return State(ids, _keys(resources), _loose(resources), tunnels, _containers(resources))


def exported(root: Path, stack: str) -> dict[str, Any]:
    """The whole of it, its secrets encrypted. Raises ``StateError``."""
    whole: dict[str, Any] = json.loads(cli(root, stack, "stack", "export"))
    return whole


def resources_of(whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    resources: list[dict[str, Any]] = whole["deployment"].get("resources") or []
    return resources


def living(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tunnels that Pulumi has not been told the end of."""
    found = [each for each in resources if each.get("type") == TUNNEL and each.get("id")]
    return [each for each in found if not each.get("retainOnDelete")]


def _loose(resources: list[dict[str, Any]]) -> dict[str, Place]:
    """The provider gives an attachment its volume's id."""
    attachments = [each for each in resources if each.get("type") == ATTACHMENT]
    stale = {each["id"]: each["urn"] for each in attachments if each.get("pendingReplacement")}
    attached = {each.get("id") for each in attachments} - stale.keys()
    volumes = [each for each in resources if each.get("type") == VOLUME and each.get("id") not in attached]
    return {each["id"]: _place(each["urn"], each["parent"], stale.get(each["id"], "")) for each in volumes}


def _place(urn: str, parent: str, stale: str) -> Place:
    return Place(f"{urn.rpartition('::')[2]}-attachment", f"{parent.rpartition('::')[2]}={parent}", stale)


def _containers(resources: list[dict[str, Any]]) -> dict[str, Asked]:
    made = [each for each in resources if each.get("type") == CONTAINER and each.get("id")]
    return {each["id"]: _asked(each) for each in made if not each.get("delete") and not each.get("taint")}


def _asked(container: dict[str, Any]) -> Asked:
    inputs = container["inputs"]
    networks = frozenset(each["name"] for each in inputs.get("networksAdvanced", []))
    return Asked(container["urn"], inputs.get("start", True), networks)


def cli(root: Path, stack: str, *words: str, given: str | None = None) -> str:
    """What the CLI prints, with what it is ``given`` to read. Raises ``StateError``."""
    command = ["pulumi", *words, "--stack", stack, "--cwd", str(root)]
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    except OSError:
        raise StateError("pulumi is not on PATH") from None
    if done.returncode:
        raise StateError((done.stderr or done.stdout).strip())
    return done.stdout


def _keys(resources: list[dict[str, Any]]) -> dict[str, str]:
    made = [each for each in resources if each.get("type") == PRIVATE_KEY and "outputs" in each]
    return {each["urn"].rpartition("::")[2]: str(each["outputs"]["publicKeyOpenssh"]).strip() for each in made}
