"""What all resources have in common: they lie in an account or a zone, and are looked up there.

Paths have the account or zone as ``{scope}`` and the resource as ``{id}``.
"""

from collections.abc import Callable

from simulators.call import Answer, Call, Route
from simulators.cloudflare.envelope import not_found, page, result
from simulators.store import Row

View = Callable[[Row], Row]


def shown(row: Row) -> Row:
    """A row without what the API keeps to itself."""
    return {key: value for key, value in row.items() if not key.startswith("_")}


def keep(call: Call, table: str, row: Row, key: str = "id") -> Row:
    """Put a new row where the call's path says."""
    call.store.table(table)[str(row[key])] = {**row, "_scope": call.match["scope"]}
    return call.store.table(table)[str(row[key])]


def rows(call: Call, table: str) -> list[Row]:
    """Those of the account or zone."""
    return [row for row in call.store.table(table).values() if row["_scope"] == call.match["scope"]]


def get(call: Call, table: str) -> Row:
    """The one that the path names; refuses what is not there."""
    row = call.store.table(table).get(call.match["id"])
    if row is None or row["_scope"] != call.match["scope"]:
        raise not_found()
    return row


def drop(call: Call, table: str) -> Row:
    """Remove the one that the path names."""
    row = get(call, table)
    del call.store.table(table)[call.match["id"]]
    return row


def reading(pattern: str, table: str, view: View = shown) -> list[Route]:
    """The list, filtered by ``name``, and one."""

    def every(call: Call) -> Answer:
        named = call.one("name")
        found = [row for row in rows(call, table) if named is None or row.get("name") == named]
        return page(call, found, view)

    def one(call: Call) -> Answer:
        return result(view(get(call, table)))

    return [Route("GET", pattern, every), Route("GET", f"{pattern}/{{id}}", one)]
