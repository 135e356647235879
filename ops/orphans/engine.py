"""What is on a server's Engine, and what a Swarm keeps. Volumes need no look: one of the same name is taken over."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.audit.engine import Engine
from ops.audit.result import NotMeasuredError
from ops.orphans.found import PAUSE, TRIES, Found
from ops.orphans.state import Asked

NODE, NETWORK = "zero-exposure.node", "zero-exposure.network"
TASK = "com.docker.swarm.task.id"
DIGEST = r"-[0-9a-f]{16}"
"""How the name of a file ends on a Swarm, which keeps no label of the program's for it."""
REMOVING = {
    "container": ("rm", "--force"),
    **{kind: (kind, "rm") for kind in ("network", "service", "config", "secret")},
}
Row = Mapping[str, Any]
"""What an Engine says of a container."""


def engine(docker: Engine, containers: Sequence[Row], stack: str) -> Iterator[Found]:
    """Containers and networks of one machine's own. Raises ``NotMeasuredError`` where its Engine does not answer."""
    for row in containers:
        name, labels = row["Name"].lstrip("/"), row["Config"]["Labels"] or {}
        if name.startswith(f"{stack}-") and NODE in labels and TASK not in labels:
            yield Found("container", row["Id"], name)
    yield from _networks(docker, stack, "local")


def half_made(containers: Sequence[Row], known: Mapping[str, Asked]) -> Iterator[tuple[Found, str]]:
    """Those that never started or are not on all their networks, each with its URN."""
    for row in containers:
        asked = known.get(row["Id"])
        if asked and (_waits(row, asked) or not asked.networks <= row["NetworkSettings"]["Networks"].keys()):
            yield Found("container that is half made, and is made anew:", row["Id"], row["Name"].lstrip("/")), asked.urn


def _waits(row: Row, asked: Asked) -> bool:
    return bool(asked.starts and row["State"]["Status"] == "created")


def swarm(manager: Engine, stack: str) -> Iterator[Found]:
    """What all machines share, in the order in which it can be deleted. Raises ``NotMeasuredError``."""
    for row in manager.services():
        name = row["Spec"]["Name"]
        if name.startswith(f"{stack}-") and NODE in row["Spec"]["Labels"]:
            yield Found("service", row["ID"], name)
    for kind in ("config", "secret"):
        for number, name in manager.named(kind).items():
            if re.fullmatch(rf"{re.escape(stack)}-.+{DIGEST}", name):
                yield Found(kind, number, name)
    yield from _networks(manager, stack, "swarm")


def remove(docker: Engine, found: Found) -> None:
    """Delete one of them. Raises ``NotMeasuredError``."""
    for _ in range(TRIES):
        done = docker.machine.run(*docker.docker, *REMOVING[found.kind], found.id)
        if not done.returncode:
            return
        time.sleep(PAUSE)
    raise NotMeasuredError(f"{found.kind} {found.name}: {done.stderr.decode('utf-8', 'replace').strip()}")


def _networks(docker: Engine, stack: str, scope: str) -> Iterator[Found]:
    for row in docker.networks():
        if row["Name"].startswith(f"{stack}-") and NETWORK in (row["Labels"] or {}) and row["Scope"] == scope:
            yield Found("network", row["Id"], row["Name"])
