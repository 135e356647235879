"""The graph that the program records, with the two things that only an Engine and a random generator can know."""

import hashlib
import json
import runpy
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from ops.preview.record import Recording, record
from ops.preview.simulated import outputs_of
from ops.preview.stackfile import stack_values

ROOT = Path(__file__).parents[3]
STACK = "dev"
SERVICES = "zero-exposure:services"
IMAGE = "docker:index/remoteImage:RemoteImage"
PASSWORD = "random:index/randomPassword:RandomPassword"
Change = Callable[[dict[str, Any]], None]
"""Edits the services map of the stack file."""


def password(name: str, renewed: bool = False) -> str:
    """A password as the program would make it: repeatable, unlike any other text, fit for a URL."""
    return hashlib.sha256(f"{'second ' if renewed else ''}password {name}".encode()).hexdigest()[:40]


def recorded(
    image_ids: Mapping[str, str] | None = None, change: Change | None = None, renewed: Collection[str] = ()
) -> Recording:
    """The dev stack's graph as an update sees it. ``image_ids`` are those that the Engine has, by name; ``renewed``
    are resources of passwords that were replaced."""
    known = image_ids or {}

    def outputs(token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if token == PASSWORD:
            return {"result": password(name, name in renewed)}
        if token == IMAGE and known:
            return {"imageId": known[inputs["name"]]}
        return outputs_of(token, name, inputs)

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return record(
        program,
        stack=STACK, preview=True, config=_config(change), outputs=outputs,
    )  # fmt: skip


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
