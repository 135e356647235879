"""Every file that the program would put anywhere, as files below one folder.

An offline run has no secrets: where one belongs stands its stand-in.
"""

import base64
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ops.preview.record import Recording
from policy.rules.model import Resource

SERVER = "hcloud:index/server:Server"
CONTAINER = "docker:index/container:Container"
SERVICE = "docker:index/service:Service"
KEPT = ("docker:index/serviceConfig:ServiceConfig", "docker:index/secret:Secret")


def rendered(recording: Recording) -> dict[str, str]:
    """Relative path → text: ``host/user-data.yaml`` and ``CONTAINER/path/in/the/container``.

    Of several machines each has a folder: ``host-MACHINE/user-data.yaml``.
    """
    found: dict[str, str] = {}
    for server in recording.of_type(SERVER):
        found[f"{server.name.removesuffix('-server')}/user-data.yaml"] = str(server.props["userData"])
    texts = {str(kept.props["name"]): str(kept.props["data"]) for token in KEPT for kept in recording.of_type(token)}
    for service in recording.of_type(SERVICE):
        found.update(_given(service, texts))
    containers = recording.of_type(CONTAINER)
    mounts = _mounts(containers)
    for carrier in containers:
        found.update(_uploads(carrier, mounts))
    return found


def write(recording: Recording, folder: Path) -> int:
    """Write every file below ``folder``; returns how many."""
    files = rendered(recording)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return len(files)


def _mounts(containers: list[Resource]) -> dict[str, str]:
    """Volume → container/folder, for what containers mount read-only."""
    return {
        mount["volumeName"]: f"{_node(container)}{mount['containerPath']}"
        for container in containers
        for mount in container.props.get("volumes", [])
        if mount.get("readOnly")
    }


def _uploads(carrier: Resource, mounts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Where a carrier's files end up in the container that mounts its volumes."""
    volumes = {mount["containerPath"]: mount["volumeName"] for mount in carrier.props.get("volumes", [])}
    for upload in carrier.props.get("uploads", []):
        path = PurePosixPath(upload["file"])
        yield f"{mounts[volumes[str(path.parent)]]}/{path.name}", upload["content"]


def _given(service: Resource, texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What each task of a service finds where."""
    specification = service.props["taskSpec"]["containerSpec"]
    for kind in ("config", "secret"):
        for entry in specification.get(f"{kind}s", []):
            yield f"{_node(service)}{entry['fileName']}", base64.b64decode(texts[entry[f"{kind}Name"]]).decode()


def _node(container: Resource) -> str:
    labels = {label["label"]: label["value"] for label in container.props.get("labels", [])}
    return str(labels.get("zero-exposure.node", container.name))
