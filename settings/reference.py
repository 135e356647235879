"""``${postgres.url}`` and ``${secrets.name}`` in files and secrets of a service."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from settings.preset import preset
from settings.service import Service

PATTERN = re.compile(r"\$\{([a-z][a-z0-9-]*)\.([a-z][a-z0-9_]*)\}")
SECRETS = "secrets"
SELF = "self"
WATCHER = "watch_password"
"""Credential of the role that monitoring logs in with, where a preset has one."""
STANDBY_PASSWORD = "standby_password"  # noqa: S105 - a name
"""Credential of the role that a standby copies with."""


@dataclass(frozen=True)
class Reference:
    """One ``${owner.field}``: a service's value, or with owner ``secrets`` one of the stack's."""

    owner: str
    field: str


@dataclass(frozen=True)
class Credential:
    """A value known only while the program runs: a service's generated password, or with owner ``secrets`` a secret."""

    owner: str
    name: str


def references(text: str) -> list[Reference]:
    """Every reference in a text, in order."""
    return [Reference(*match) for match in PATTERN.findall(text)]


def mistyped(text: str, services: Iterable[str]) -> list[str]:
    """What was to be a reference and is none, such as ``${secrets.API``. It would be deployed as it stands.

    A ``${…}`` that speaks of nobody here is another program's own.
    """
    owners = "|".join(map(re.escape, (SECRETS, SELF, *services)))
    written = re.compile(rf"\$\{{\s*({owners})\s*\.[^\s}}]*", re.IGNORECASE)
    return [match.group() for match in written.finditer(text) if not PATTERN.match(text, match.start())]


def exports(service: Service) -> dict[str, str]:
    """What a service's clients may refer to: name → template over its own values."""
    if service.preset is None:
        return {}
    values: dict[str, str] = preset(service.preset)["exports"]
    return values


def credentials(service: Service) -> tuple[str, ...]:
    """Names of the passwords that are generated for a service."""
    own = tuple(preset(service.preset)["credentials"]) if service.preset else ()
    return (*own, STANDBY_PASSWORD) if service.standby else own


def split(text: str, reader: str, services: dict[str, Service]) -> list[str | Credential]:
    """A text as literal parts and credentials, for the service ``reader``.

    The settings' checks have made sure that every reference is one that exists.
    """
    parts: list[str | Credential] = []
    end = 0
    for match in PATTERN.finditer(text):
        parts.append(text[end : match.start()])
        parts.extend(_resolve(Reference(*match.groups()), reader, services))
        end = match.end()
    return _joined([*parts, text[end:]])


def _resolve(reference: Reference, reader: str, services: dict[str, Service]) -> list[str | Credential]:
    owner = reader if reference.owner == SELF else reference.owner
    if owner == SECRETS:
        return [Credential(SECRETS, reference.field)]
    if reference.field == "host":
        return [owner]
    if reference.field in credentials(services[owner]):
        return [Credential(owner, reference.field)]
    return split(exports(services[owner])[reference.field], owner, services)


def _joined(parts: list[str | Credential]) -> list[str | Credential]:
    joined: list[str | Credential] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return joined
