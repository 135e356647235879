"""/ssh_keys: https://docs.hetzner.cloud/reference/cloud#ssh-keys"""

import base64
import binascii
import hashlib

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.hetzner import errors
from simulators.hetzner.collection import get, listed, refuse_taken, shown, update
from simulators.hetzner.requests import NewKey
from simulators.store import Row

TABLE = "ssh_keys"


def _create(call: Call) -> Answer:
    asked = call.read(NewKey)
    fingerprint = _fingerprint(asked.public_key)
    refuse_taken(call.store, TABLE, "name", asked.name)
    refuse_taken(call.store, TABLE, "fingerprint", fingerprint)
    row: Row = {
        "id": ids.number(call.store),
        "name": asked.name,
        "fingerprint": fingerprint,
        "public_key": asked.public_key,
        "labels": asked.labels,
        "created": call.clock.stamp(),
    }
    call.store.table(TABLE)[str(row["id"])] = row
    return Answer(201, {"ssh_key": row})


def _fingerprint(public_key: str) -> str:
    """MD5 of the key's own bytes, as OpenSSH showed it once."""
    try:
        kind, blob = public_key.split()[:2]
        raw = base64.b64decode(blob, validate=True)
    except (ValueError, binascii.Error):
        raise errors.invalid("public_key", "not an SSH key") from None
    if raw[4 : 4 + len(kind)] != kind.encode():
        raise errors.invalid("public_key", "not an SSH key")
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, 32, 2))


def _list(call: Call) -> Answer:
    return listed(call, TABLE, list(call.store.table(TABLE).values()))


def _get(call: Call) -> Answer:
    return Answer(200, {"ssh_key": shown(get(call.store, TABLE, call.match["id"]))})


def _update(call: Call) -> Answer:
    return Answer(200, {"ssh_key": shown(update(call, TABLE))})


def _delete(call: Call) -> Answer:
    """A key on no server is needed there: servers have copies."""
    get(call.store, TABLE, call.match["id"])
    del call.store.table(TABLE)[call.match["id"]]
    return Answer(204)


ROUTES = [
    Route("POST", "/ssh_keys", _create),
    Route("GET", "/ssh_keys", _list),
    Route("GET", "/ssh_keys/{id:[0-9]+}", _get),
    Route("PUT", "/ssh_keys/{id:[0-9]+}", _update),
    Route("DELETE", "/ssh_keys/{id:[0-9]+}", _delete),
]
