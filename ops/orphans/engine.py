"""Containers and networks on the server's Engine. Volumes need no look: one of the same name is taken as it is."""

from collections.abc import Iterator

from ops.audit.engine import Engine
from ops.audit.result import NotMeasuredError
from ops.orphans.found import Found

NODE, NETWORK = "zero-exposure.node", "zero-exposure.network"


def engine(docker: Engine, stack: str) -> Iterator[Found]:
    """Raises ``NotMeasuredError`` where the Engine does not answer."""
    for row in docker.containers():
        name = row["Name"].lstrip("/")
        if name.startswith(f"{stack}-") and NODE in (row["Config"]["Labels"] or {}):
            yield Found("container", row["Id"], name)
    for row in docker.networks():
        if row["Name"].startswith(f"{stack}-") and NETWORK in (row["Labels"] or {}):
            yield Found("network", row["Id"], row["Name"])


def remove(docker: Engine, found: Found) -> None:
    """Delete one of them. Raises ``NotMeasuredError``."""
    words = ("rm", "--force") if found.kind == "container" else ("network", "rm")
    done = docker.machine.run(*docker.docker, *words, found.id)
    if done.returncode:
        raise NotMeasuredError(f"{found.kind} {found.name}: {done.stderr.decode('utf-8', 'replace').strip()}")
