"""What at Hetzner has the stack's label, in the order in which it can be deleted."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ops.audit.cloud import LABEL, read
from ops.doctor.api import Api
from ops.orphans.found import Found

TABLES = {
    "servers": "server",
    "volumes": "volume",
    "firewalls": "firewall",
    "ssh_keys": "SSH key",
    "placement_groups": "placement group",
    "networks": "network",
    "primary_ips": "address",
}
"""Server first: it holds the others."""


def hetzner(api: Api, stack: str) -> Iterator[Found]:
    """Raises ``NotMeasuredError`` where the API does not say."""
    for table, kind in TABLES.items():
        for row in _labelled(api, table, stack):
            yield Found(
                kind, str(row["id"]), row["name"], f"/{table}/{row['id']}", _kept(row) if kind == "volume" else ""
            )


def attached(api: Api, stack: str) -> Iterator[tuple[str, str, str]]:
    """Id, name and server's id of each volume that is on a server. Raises ``NotMeasuredError``."""
    for row in _labelled(api, "volumes", stack):
        if row["server"] is not None:
            yield str(row["id"]), row["name"], str(row["server"])


def _labelled(api: Api, table: str, stack: str) -> Iterator[dict[str, Any]]:
    page: int | None = 1
    while page:
        body = read(api, f"/{table}?label_selector={quote(f'{LABEL}=={stack}')}&page={page}&per_page=50")
        yield from body[table]
        page = body["meta"]["pagination"]["next_page"]


def _kept(volume: Mapping[str, Any]) -> str:
    """The program protects a volume in a second call. So one without protection was cut off before anything used it."""
    if volume["server"] is not None:
        return "a server has it"
    return "it is protected, so it may hold data" if volume["protection"]["delete"] else ""
