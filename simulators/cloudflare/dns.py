"""Records of a zone: https://developers.cloudflare.com/api/resources/dns/subresources/records."""

import ipaddress

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.cloudflare.collection import drop, get, keep, rows, shown
from simulators.cloudflare.envelope import page, refusal, result
from simulators.cloudflare.requests import ChangedRecord, Record
from simulators.store import Row

TABLE = "dns_records"
PATH = "/zones/{scope}/dns_records"
ADDRESSES = ("A", "AAAA", "CNAME")
HOST_TAKEN, IDENTICAL, INVALID_CONTENT, INVALID_NAME = 81053, 81058, 9005, 9000


def _create(call: Call) -> Answer:
    asked = call.read(Record)
    now = call.clock.stamp()
    row = {"id": ids.hexadecimal(call.store), "created_on": now, **_values(call, asked), "modified_on": now}
    _refuse_taken(call, row)
    return result(shown(keep(call, TABLE, row)))


def _values(call: Call, asked: Record) -> Row:
    """Everything that the record's fields decide."""
    _check(call, asked)
    content = {"content": asked.content} if asked.content is not None else {}
    return {
        **asked.sent(),
        **content,
        "name": asked.name.rstrip(".").lower(),
        "ttl": 1 if asked.proxied else asked.ttl,
        "proxiable": asked.type in ADDRESSES,
        "comment": asked.comment,
        "tags": (asked.model_extra or {}).get("tags", []),
        "settings": (asked.model_extra or {}).get("settings", {}),
        "meta": {},
    }


def _check(call: Call, asked: Record) -> None:
    zone = call.store.table("zones")[call.match["scope"]]["name"]
    if asked.name != zone and not asked.name.endswith(f".{zone}"):
        raise refusal(400, INVALID_NAME, "DNS name is invalid: it is not in the zone")
    try:
        wanted = {"A": ipaddress.IPv4Address, "AAAA": ipaddress.IPv6Address}.get(asked.type)
        if wanted:
            wanted(asked.content or "")
    except ValueError:
        raise refusal(400, INVALID_CONTENT, f"Content for {asked.type} record is invalid.") from None


def _refuse_taken(call: Call, new: Row) -> None:
    """One CNAME a name, and it stands alone; the same record never twice."""
    for row in rows(call, TABLE):
        if row["id"] == new["id"] or row["name"] != new["name"]:
            continue
        if (row["type"], row.get("content")) == (new["type"], new.get("content")):
            raise refusal(400, IDENTICAL, "An identical record already exists.")
        if "CNAME" in (row["type"], new["type"]) and {row["type"], new["type"]} <= set(ADDRESSES):
            raise refusal(400, HOST_TAKEN, "An A, AAAA, or CNAME record with that host already exists.")


def _list(call: Call) -> Answer:
    fields = {"name": ("name", "name.exact"), "type": ("type",), "content": ("content", "content.exact")}
    wanted = {field: next(filter(None, map(call.one, keys)), None) for field, keys in fields.items()}
    found = [row for row in rows(call, TABLE) if all(v is None or row.get(f) == v for f, v in wanted.items())]
    return page(call, found, shown)


def _get(call: Call) -> Answer:
    return result(shown(get(call, TABLE)))


def _replace(call: Call, asked: Record) -> Answer:
    row = get(call, TABLE)
    new = {"id": row["id"], "created_on": row["created_on"], "_scope": row["_scope"], **_values(call, asked)}
    _refuse_taken(call, new)
    row.clear()
    row.update(new, modified_on=call.clock.stamp())
    return result(shown(row))


def _update(call: Call) -> Answer:
    return _replace(call, call.read(Record))


def _edit(call: Call) -> Answer:
    row, asked = get(call, TABLE), call.read(ChangedRecord)
    known = {key: row[key] for key in (*Record.model_fields, *Record.also) if key in row}
    return _replace(call, Record.model_validate({**known, **asked.sent()}))


def _delete(call: Call) -> Answer:
    return result({"id": drop(call, TABLE)["id"]})


ROUTES = [
    Route("POST", PATH, _create),
    Route("GET", PATH, _list),
    Route("GET", f"{PATH}/{{id}}", _get),
    Route("PUT", f"{PATH}/{{id}}", _update),
    Route("PATCH", f"{PATH}/{{id}}", _edit),
    Route("DELETE", f"{PATH}/{{id}}", _delete),
]
