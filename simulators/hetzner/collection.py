"""What all resources have in common: look-up, pages, filters, names and labels.

https://docs.hetzner.cloud/reference/cloud#pagination, #label-selector
"""

from collections.abc import Sequence

from simulators.call import Answer, Call
from simulators.hetzner import errors
from simulators.hetzner.requests import Update
from simulators.store import Row, Store

PER_PAGE, MOST_PER_PAGE = 25, 50


def shown(row: Row) -> Row:
    """A row without what the API keeps to itself."""
    return {key: value for key, value in row.items() if not key.startswith("_")}


def get(store: Store, table: str, number: int | str) -> Row:
    """A row; raises ``not_found``."""
    row = store.table(table).get(str(number))
    if row is None:
        raise errors.not_found(table.removesuffix("s"), number)
    return row


def listed(call: Call, key: str, rows: Sequence[Row]) -> Answer:
    """One page of those that the query asks for."""
    fitting = [shown(row) for row in rows if _fits(call, row)]
    page, per_page = _number(call, "page", 1), min(_number(call, "per_page", PER_PAGE), MOST_PER_PAGE)
    last = max(1, -(-len(fitting) // per_page))
    pagination = {
        "page": page,
        "per_page": per_page,
        "previous_page": page - 1 if page > 1 else None,
        "next_page": page + 1 if page < last else None,
        "last_page": last,
        "total_entries": len(fitting),
    }
    begin = (page - 1) * per_page
    return Answer(200, {key: fitting[begin : begin + per_page], "meta": {"pagination": pagination}})


def _number(call: Call, key: str, default: int) -> int:
    text = call.one(key) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise errors.invalid(key, "not a number above 0")
    return int(text)


def _fits(call: Call, row: Row) -> bool:
    plain = all(
        str(row[key]) in call.query[key]
        for key in ("name", "fingerprint", "status", "architecture", "type")
        if key in call.query and key in row
    )
    return plain and all(_labelled(part, row.get("labels", {})) for part in _selector(call))


def _selector(call: Call) -> list[str]:
    return [part.strip() for part in (call.one("label_selector") or "").split(",") if part.strip()]


def _labelled(part: str, labels: dict[str, str]) -> bool:
    """One part of a selector: ``key``, ``!key``, ``key==value``, ``key=value`` or ``key!=value``."""
    if "!=" in part:
        key, value = part.split("!=", 1)
        return labels.get(key.strip()) != value.strip()
    if "=" in part:
        key, value = part.replace("==", "=").split("=", 1)
        return labels.get(key.strip()) == value.strip()
    return part[1:] not in labels if part.startswith("!") else part in labels


def update(call: Call, table: str) -> Row:
    """Name and labels of a row, from the request's body. Labels replace the old ones."""
    row, asked = get(call.store, table, call.match["id"]), call.read(Update)
    if asked.name is not None and asked.name != row["name"]:
        refuse_taken(call.store, table, "name", asked.name)
        row["name"] = asked.name
    if asked.labels is not None:
        row["labels"] = asked.labels
    return row


def refuse_taken(store: Store, table: str, field: str, value: str) -> None:
    """Raises ``uniqueness_error`` where another row has that value."""
    if any(row[field] == value for row in store.table(table).values()):
        raise errors.taken(field, f"{table.removesuffix('s')} {field} is already used")
