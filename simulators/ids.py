"""Ids in the form that each API uses. They never repeat within one store."""

import uuid

from simulators.store import Store

SPACE = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


def number(store: Store) -> int:
    """Hetzner's: a growing integer that fits no 32 bits, as real ones may."""
    return 5_000_000_000 + store.count()


def hexadecimal(store: Store) -> str:
    """Cloudflare's older kind: 32 hexadecimal digits."""
    return universal(store).replace("-", "")


def universal(store: Store) -> str:
    """Cloudflare's newer kind: a UUID."""
    return str(uuid.uuid5(SPACE, f"{store.salt} {store.count()}"))
