"""Lists of an account and their items: https://developers.cloudflare.com/api/resources/rules/subresources/lists.

Items change by an operation that takes a while.
"""

import ipaddress
from typing import Any

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.clock import Clock
from simulators.cloudflare.collection import drop, get, keep, reading, rows, shown
from simulators.cloudflare.envelope import UNKNOWN, refusal, result
from simulators.cloudflare.requests import ChangedList, NewList
from simulators.store import Row, Store

TABLE, OPERATIONS = "lists", "list_operations"
PATH = "/accounts/{scope}/rules/lists"
SECONDS = 20.0
MOST_ITEMS, PER_PAGE = 10_000, 500


def _view(store: Store, row: Row) -> Row:
    rules = [rule for ruleset in store.table("rulesets").values() for rule in ruleset["rules"]]
    using = [rule for rule in rules if f"${row['name']}" in rule["expression"]]
    return {**shown(row), "num_items": len(row["_items"]), "num_referencing_filters": len(using)}


def _create(call: Call) -> Answer:
    asked = call.read(NewList)
    if any(row["name"] == asked.name for row in rows(call, TABLE)):
        raise refusal(400, UNKNOWN, "a list with this name already exists")
    now = call.clock.stamp()
    times = {"created_on": now, "modified_on": now}
    row = keep(call, TABLE, {"id": ids.hexadecimal(call.store), **asked.sent(), **times, "_items": []})
    return result(_view(call.store, row))


def _list(call: Call) -> Answer:
    return result([_view(call.store, row) for row in rows(call, TABLE)])


def _get(call: Call) -> Answer:
    return result(_view(call.store, get(call, TABLE)))


def _update(call: Call) -> Answer:
    row, asked = get(call, TABLE), call.read(ChangedList)
    row.update(description=asked.description, modified_on=call.clock.stamp())
    return result(_view(call.store, row))


def _delete(call: Call) -> Answer:
    if _view(call.store, get(call, TABLE))["num_referencing_filters"]:
        raise refusal(400, UNKNOWN, "the list is used by rules")
    return result({"id": drop(call, TABLE)["id"]})


def _items(call: Call) -> Answer:
    """Pages follow a cursor."""
    items = get(call, TABLE)["_items"]
    begin = int(call.one("cursor") or 0)
    end = begin + int(call.one("per_page") or PER_PAGE)
    info = {"cursors": {"after": str(end)} if end < len(items) else {}}
    answer = result(items[begin:end])
    return Answer(answer.status, {**(answer.body or {}), "result_info": info})


def _add(call: Call) -> Answer:
    row = get(call, TABLE)
    new = [_item(call, row["kind"], sent) for sent in _sent(call)]
    values = [_value(row["kind"], item) for item in new]
    return _begin(call, [item for item in row["_items"] if _value(row["kind"], item) not in values] + new)


def _replace(call: Call) -> Answer:
    row = get(call, TABLE)
    return _begin(call, [_item(call, row["kind"], sent) for sent in _sent(call)])


def _remove(call: Call) -> Answer:
    going = [item["id"] for item in (call.body or {}).get("items", [])]
    return _begin(call, [item for item in get(call, TABLE)["_items"] if item["id"] not in going])


def _sent(call: Call) -> list[Any]:
    if not isinstance(call.body, list) or not all(isinstance(item, dict) for item in call.body):
        raise refusal(400, 1004, "a list of items is needed")
    return call.body


def _value(kind: str, item: Row) -> object:
    return item.get(kind)


def _item(call: Call, kind: str, sent: Row) -> Row:
    value = _value(kind, sent)
    if value is None:
        raise refusal(400, 1004, f"an item of this list has the field {kind}")
    if kind == "ip":
        try:
            ipaddress.ip_network(str(value))
        except ValueError:
            raise refusal(400, 1004, f"ip: {value} is no address and no network") from None
    now = call.clock.stamp()
    comment = {"comment": sent["comment"]} if sent.get("comment") else {}
    return {"id": ids.hexadecimal(call.store), kind: value, **comment, "created_on": now, "modified_on": now}


def _begin(call: Call, items: list[Row]) -> Answer:
    """Start an operation; one at a time."""
    if len(items) > MOST_ITEMS:
        raise refusal(400, UNKNOWN, f"more than {MOST_ITEMS} items")
    if any(row["status"] != "completed" for row in rows(call, OPERATIONS)):
        raise refusal(409, UNKNOWN, "another operation is not over yet")
    row = {
        "id": ids.hexadecimal(call.store),
        "status": "pending",
        "_ends": call.clock.now() + SECONDS,
        "_list": call.match["id"],
        "_items": items,
    }
    return result({"operation_id": keep(call, OPERATIONS, row)["id"]})


def settle(store: Store, clock: Clock) -> None:
    """End every operation whose time is over."""
    for row in store.table(OPERATIONS).values():
        if row["status"] == "pending" and row["_ends"] <= clock.now():
            row.update(status="completed", completed=clock.stamp())
            if row["_list"] in store.table(TABLE):
                store.table(TABLE)[row["_list"]].update(_items=row["_items"], modified_on=clock.stamp())


ROUTES = [
    *reading(f"{PATH}/bulk_operations", OPERATIONS)[1:],
    Route("POST", PATH, _create),
    Route("GET", PATH, _list),
    Route("GET", f"{PATH}/{{id}}", _get),
    Route("PUT", f"{PATH}/{{id}}", _update),
    Route("DELETE", f"{PATH}/{{id}}", _delete),
    Route("GET", f"{PATH}/{{id}}/items", _items),
    Route("POST", f"{PATH}/{{id}}/items", _add),
    Route("PUT", f"{PATH}/{{id}}/items", _replace),
    Route("DELETE", f"{PATH}/{{id}}/items", _remove),
]
