"""/placement_groups: https://docs.hetzner.cloud/reference/cloud#placement-groups"""

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.hetzner.collection import get, listed, refuse_taken, shown, update
from simulators.hetzner.requests import NewGroup
from simulators.store import Row, Store

TABLE = "placement_groups"


def described(store: Store, row: Row) -> Row:
    """A group as the API shows it, with its servers."""
    members = [server["id"] for server in store.table("servers").values() if server["_group"] == row["id"]]
    return {**shown(row), "servers": members}


def _create(call: Call) -> Answer:
    asked = call.read(NewGroup)
    refuse_taken(call.store, TABLE, "name", asked.name)
    row: Row = {
        "id": ids.number(call.store),
        "name": asked.name,
        "labels": asked.labels,
        "created": call.clock.stamp(),
        "type": asked.type,
    }
    call.store.table(TABLE)[str(row["id"])] = row
    return Answer(201, {"placement_group": described(call.store, row), "action": None})


def _list(call: Call) -> Answer:
    return listed(call, TABLE, [described(call.store, row) for row in call.store.table(TABLE).values()])


def _get(call: Call) -> Answer:
    return Answer(200, {"placement_group": described(call.store, get(call.store, TABLE, call.match["id"]))})


def _update(call: Call) -> Answer:
    return Answer(200, {"placement_group": described(call.store, update(call, TABLE))})


def _delete(call: Call) -> Answer:
    """Its servers stay, and are in no group then."""
    row = get(call.store, TABLE, call.match["id"])
    for server in call.store.table("servers").values():
        if server["_group"] == row["id"]:
            server["_group"] = None
    del call.store.table(TABLE)[call.match["id"]]
    return Answer(204)


ROUTES = [
    Route("POST", "/placement_groups", _create),
    Route("GET", "/placement_groups", _list),
    Route("GET", "/placement_groups/{id:[0-9]+}", _get),
    Route("PUT", "/placement_groups/{id:[0-9]+}", _update),
    Route("DELETE", "/placement_groups/{id:[0-9]+}", _delete),
]
