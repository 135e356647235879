"""Stack rules: whose data a volume is, and whether it would survive."""

from collections.abc import Iterator, Mapping
from typing import Final

from .graph import Container, Stack
from .model import UNKNOWN, Finding, PropertyValue, StackRule
from .reading import maps
from .tokens import VOLUME

SHARING_ROLES: Final = {"backup", "monitoring"}
"""They may read others' volumes, and hand each other what they made."""


def one_writer(stack: Stack) -> Iterator[Finding]:
    users: dict[str, list[tuple[Container, bool]]] = {}
    for container in stack.containers:  # a carrier fills the volume of its node
        for volume, writable in _mounted(stack, container):
            users.setdefault(volume, []).append((container, writable))
    for volume, mounts in users.items():
        owners = {container.node for container, _ in mounts if container.role not in SHARING_ROLES}
        for container, writable in mounts:
            if container.role not in SHARING_ROLES and len(owners) > 1:
                yield Finding(container.resource.urn, f"volumes: {volume} is another node's as well")
            if container.role in SHARING_ROLES and owners - {container.node} and writable:
                yield Finding(container.resource.urn, f"volumes: {volume} is a service's, and may be written to here")


def _mounted(stack: Stack, container: Container) -> Iterator[tuple[str, bool]]:
    """Volumes by name, and whether it may write to each. One whose name is unknown may be any that it is made of."""
    entries = maps(container.resource.props.get("volumes"))
    yield from ((str(entry["volumeName"]), _writable(entry)) for entry in entries if _is_named(entry))
    unnamed = [entry for entry in entries if entry.get("volumeName") is UNKNOWN]
    if unnamed:
        made_of = [source for source in stack.sources(container.resource, "volumes") if source.type == VOLUME]
        writable = any(_writable(entry) for entry in unnamed)
        yield from ((str(source.props.get("name")), writable) for source in made_of)


def _is_named(entry: Mapping[str, PropertyValue]) -> bool:
    return isinstance(entry.get("volumeName"), str)


def _writable(entry: Mapping[str, PropertyValue]) -> bool:
    return entry.get("readOnly") is not True


def backed_up(stack: Stack) -> Iterator[Finding]:
    if stack.with_role("backup"):
        return
    for container in stack.with_role("service"):
        if any(writable for _, writable in _mounted(stack, container)):
            yield Finding(container.resource.urn, "volumes: has data, and nothing in this stack backs it up")


RULES = (
    StackRule(
        id="stack-volume-owner",
        severity="high",
        claim="A volume is one node's. Backups and monitoring may read it, and share volumes of their own.",
        remediation="Give each service its own volume; let them speak over a link. Mount it read-only for a backup.",
        threat="lateral-movement",
        check=one_writer,
    ),
    StackRule(
        id="stack-backup",
        severity="medium",
        claim="Where services have data, the stack has backups.",
        remediation="Set `backup` in the stack file: docs/backup.md.",
        threat="availability",
        check=backed_up,
        level="advisory",
    ),
)
