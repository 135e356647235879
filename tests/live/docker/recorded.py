"""The graph that the program records, with what only an Engine, a random generator and openssl can know."""

import hashlib
import json
import runpy
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ops.preview.record import Recording, Registration, record
from ops.preview.simulated import outputs_of
from ops.preview.stackfile import stack_values
from tests.live.certificates import authority

ROOT = Path(__file__).parents[3]
STACK = "dev"
SERVICES = "zero-exposure:services"
IMAGE = "docker:index/remoteImage:RemoteImage"
SERVICE = "docker:index/service:Service"
PASSWORD = "random:index/randomPassword:RandomPassword"
Change = Callable[[dict[str, Any]], None]
"""Edits the services map of the stack file."""


def password(name: str, renewed: bool = False) -> str:
    """A password as the program would make it: repeatable, unlike any other text, fit for a URL."""
    return hashlib.sha256(f"{'second ' if renewed else ''}password {name}".encode()).hexdigest()[:40]


def recorded(
    image_ids: Mapping[str, str] | None = None,
    change: Change | None = None,
    renewed: Collection[str] = (),
    other: Mapping[str, str] | None = None,
) -> Recording:
    """The dev stack's graph as an update sees it. ``image_ids`` are those that the Engine has, by name; ``renewed``
    are resources of passwords that were replaced; ``other`` are values in the place of the stack file's."""
    known = image_ids or {}

    def outputs(token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if token == PASSWORD:
            return {"result": password(name, name in renewed)}
        if token == IMAGE and known:
            return {"imageId": known[tagged(inputs["name"])]}
        return {**outputs_of(token, name, inputs), **(_refusal() if "-refusal-" in name else {})}

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return by_tag(
        record(program, stack=STACK, preview=True, config={**_config(change), **(other or {})}, outputs=outputs)
    )


def tagged(image: str) -> str:
    """An image's name without its digest: stand-ins come from no registry, so the Engine knows no digest of theirs."""
    return image.partition("@")[0]


def by_tag(recording: Recording) -> Recording:
    """The same graph, with images by their tags alone."""
    return replace(recording, registrations=tuple(_tagged(found) for found in recording.registrations))


def _tagged(found: Registration) -> Registration:
    props = found.resource.props
    if found.resource.type == IMAGE:
        props = {**props, "name": tagged(props["name"])}
    elif found.resource.type == SERVICE:
        task = props["taskSpec"]
        inner = {**task["containerSpec"], "image": tagged(task["containerSpec"]["image"])}
        props = {**props, "taskSpec": {**task, "containerSpec": inner}}
    return replace(found, resource=replace(found.resource, props=props))


@cache
def _refusal() -> dict[str, str]:
    """The egress proxy's own pair of key and certificate: it reads them when it starts."""
    with tempfile.TemporaryDirectory() as folder:
        made = authority(Path(folder), "refusal")
        return {"privateKeyPem": made.key.read_text("ascii"), "certPem": made.certificate.read_text("ascii")}


def passwords(recording: Recording) -> dict[str, str]:
    """Every generated password by the name of its resource."""
    return {resource.name: password(resource.name) for resource in recording.of_type(PASSWORD)}


def _config(change: Change | None) -> dict[str, str]:
    values = stack_values(ROOT, STACK)
    if change:
        services = json.loads(values[SERVICES])
        change(services)
        values[SERVICES] = json.dumps(services)
    return values
