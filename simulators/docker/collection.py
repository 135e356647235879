"""What containers and networks have in common: ids, and look-up by id or name."""

from simulators import ids
from simulators.docker import errors
from simulators.store import Row, Store

SHORTEST = 12
"""Digits of an id that are enough to name its container."""


def new_id(store: Store) -> str:
    """64 hexadecimal digits."""
    return ids.hexadecimal(store) + ids.hexadecimal(store)


def container(store: Store, wanted: str) -> Row:
    """By id, its beginning, or name; raises 404."""
    for row in store.table("containers").values():
        short = len(wanted) >= SHORTEST and row["Id"].startswith(wanted)
        if short or row["Name"] == f"/{wanted}":
            return row
    raise errors.error(404, f"No such container: {wanted}")


def network(store: Store, wanted: str) -> Row:
    """By id or name; raises 404."""
    for row in store.table("networks").values():
        if wanted in (row["Id"], row["Name"]):
            return row
    raise errors.error(404, f"network {wanted} not found")
