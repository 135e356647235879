"""Buckets and their lifecycle: https://developers.cloudflare.com/api/resources/r2/subresources/buckets.

Objects are not simulated: a bucket is empty until a test says that it holds something. A jurisdiction is a header, and
buckets of two of them may have the same name.
"""

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.cloudflare.collection import rows, shown
from simulators.cloudflare.envelope import refusal, result
from simulators.cloudflare.requests import Bucket, Lifecycle, ManagedDomain
from simulators.store import Row

TABLE = "buckets"
PATH = "/accounts/{scope}/r2/buckets"
EXISTS, MISSING, NOT_EMPTY = 10004, 10006, 10008
JURISDICTION = "cf-r2-jurisdiction"


def _jurisdiction(call: Call) -> str:
    """An empty header is none."""
    return call.headers.get(JURISDICTION) or "default"


def _key(call: Call, name: str) -> str:
    return f"{call.match['scope']}/{_jurisdiction(call)}/{name}"


def _create(call: Call) -> Answer:
    asked = call.read(Bucket)
    key = _key(call, asked.name)
    if key in call.store.table(TABLE):
        raise refusal(409, EXISTS, "The bucket you tried to create already exists, and you own it.")
    row: Row = {
        "name": asked.name,
        "creation_date": call.clock.stamp(),
        "location": (asked.location_hint or "weur").upper(),
        "storage_class": asked.storage_class,
        "jurisdiction": _jurisdiction(call),
        "_lifecycle": [],
        "_public": False,
        "_holds": False,
        "_id": ids.hexadecimal(call.store),
        "_scope": call.match["scope"],
    }
    call.store.table(TABLE)[key] = row
    return result(shown(row))


def _bucket(call: Call) -> Row:
    row = call.store.table(TABLE).get(_key(call, call.match["id"]))
    if row is None:
        raise refusal(404, MISSING, "The specified bucket does not exist.")
    return row


def _list(call: Call) -> Answer:
    return result({"buckets": [shown(row) for row in rows(call, TABLE)]})


def _get(call: Call) -> Answer:
    return result(shown(_bucket(call)))


def _edit(call: Call) -> Answer:
    """The storage class of new objects is a header."""
    row = _bucket(call)
    row["storage_class"] = call.headers.get("cf-r2-storage-class") or row["storage_class"]
    return result(shown(row))


def _delete(call: Call) -> Answer:
    if _bucket(call)["_holds"]:
        raise refusal(409, NOT_EMPTY, "The bucket you tried to delete is not empty.")
    del call.store.table(TABLE)[_key(call, call.match["id"])]
    return result({})


def _get_lifecycle(call: Call) -> Answer:
    return result({"rules": _bucket(call)["_lifecycle"]})


def _update_lifecycle(call: Call) -> Answer:
    row, asked = _bucket(call), call.read(Lifecycle)
    row["_lifecycle"] = [rule.sent() for rule in asked.rules]
    return result({})


def _managed_domain(row: Row) -> Answer:
    """The address under r2.dev. Enabled, everyone reads the bucket."""
    return result({"bucketId": row["_id"], "domain": f"pub-{row['_id']}.r2.dev", "enabled": row["_public"]})


def _get_managed_domain(call: Call) -> Answer:
    return _managed_domain(_bucket(call))


def _update_managed_domain(call: Call) -> Answer:
    row = _bucket(call)
    row["_public"] = call.read(ManagedDomain).enabled
    return _managed_domain(row)


ROUTES = [
    Route("POST", PATH, _create),
    Route("GET", PATH, _list),
    Route("GET", f"{PATH}/{{id}}", _get),
    Route("PATCH", f"{PATH}/{{id}}", _edit),
    Route("DELETE", f"{PATH}/{{id}}", _delete),
    Route("GET", f"{PATH}/{{id}}/lifecycle", _get_lifecycle),
    Route("PUT", f"{PATH}/{{id}}/lifecycle", _update_lifecycle),
    Route("GET", f"{PATH}/{{id}}/domains/managed", _get_managed_domain),
    Route("PUT", f"{PATH}/{{id}}/domains/managed", _update_managed_domain),
]
