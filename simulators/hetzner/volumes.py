"""/volumes: https://docs.hetzner.cloud/reference/cloud#volumes"""

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.hetzner import actions, errors
from simulators.hetzner.catalogue import LOCATIONS, find
from simulators.hetzner.collection import get, listed, refuse_taken, shown, update
from simulators.hetzner.requests import Attach, NewVolume, Protection, Resize
from simulators.store import Row

TABLE = "volumes"


def _create(call: Call) -> Answer:
    asked = call.read(NewVolume)
    refuse_taken(call.store, TABLE, "name", asked.name)
    server = get(call.store, "servers", asked.server) if asked.server else None
    number = ids.number(call.store)
    row: Row = {
        "id": number,
        "name": asked.name,
        "server": None,
        "status": "creating",
        "location": server["location"] if server else _location(asked),
        "size": asked.size,
        "format": asked.format,
        "protection": {"delete": False},
        "labels": asked.labels,
        "linux_device": f"/dev/disk/by-id/scsi-0HC_Volume_{number}",
        "created": call.clock.stamp(),
    }
    call.store.table(TABLE)[str(number)] = row
    begun = actions.start(call, "create_volume", [("volume", number)], actions.put(TABLE, number, status="available"))
    after = [attach(call, row, server)] if server else []
    return Answer(201, {"volume": shown(row), "action": begun, "next_actions": after})


def _location(asked: NewVolume) -> Row:
    found = find(LOCATIONS, asked.location) if asked.location is not None else None
    if found is None:
        raise errors.invalid("location", "a location or a server is needed, and it has to be there")
    return found


def attach(call: Call, volume: Row, server: Row) -> Row:
    """Begin to attach; from now on the volume is that server's."""
    if volume["server"] is not None:
        raise errors.error(422, "volume_already_attached", "volume is already attached to a server, detach first")
    if volume["location"]["id"] != server["location"]["id"]:
        raise errors.invalid("server", "the server is in another location than the volume")
    volume["server"] = server["id"]
    return actions.start(call, "attach_volume", [("volume", volume["id"]), ("server", server["id"])])


def _list(call: Call) -> Answer:
    return listed(call, TABLE, list(call.store.table(TABLE).values()))


def _get(call: Call) -> Answer:
    return Answer(200, {"volume": shown(get(call.store, TABLE, call.match["id"]))})


def _update(call: Call) -> Answer:
    return Answer(200, {"volume": shown(update(call, TABLE))})


def _delete(call: Call) -> Answer:
    """The API's description names no code for a volume that is attached; clients detach it first."""
    row = get(call.store, TABLE, call.match["id"])
    if row["protection"]["delete"]:
        raise errors.protected("volume")
    if row["server"] is not None:
        raise errors.invalid("server", "the volume is attached to a server, detach first")
    actions.refuse_while_busy(call.store, ("volume", row["id"]))
    del call.store.table(TABLE)[call.match["id"]]
    return Answer(204)


def _attach(call: Call) -> Answer:
    row, asked = get(call.store, TABLE, call.match["id"]), call.read(Attach)
    server = get(call.store, "servers", asked.server)
    actions.refuse_while_busy(call.store, ("volume", row["id"]), ("server", server["id"]))
    return Answer(201, {"action": attach(call, row, server)})


def _detach(call: Call) -> Answer:
    row = get(call.store, TABLE, call.match["id"])
    server = row["server"]
    if server is None:
        raise errors.invalid("volume", "the volume is not attached to a server")
    actions.refuse_while_busy(call.store, ("volume", row["id"]), ("server", server))
    effect = actions.put(TABLE, row["id"], server=None)
    begun = actions.start(call, "detach_volume", [("volume", row["id"]), ("server", server)], effect)
    return Answer(201, {"action": begun})


def _resize(call: Call) -> Answer:
    row, asked = get(call.store, TABLE, call.match["id"]), call.read(Resize)
    if asked.size <= row["size"]:
        raise errors.invalid("size", "a volume only grows")
    effect = actions.put(TABLE, row["id"], size=asked.size)
    return Answer(201, {"action": actions.start(call, "resize_volume", [("volume", row["id"])], effect)})


def _protect(call: Call) -> Answer:
    row, asked = get(call.store, TABLE, call.match["id"]), call.read(Protection)
    row["protection"] = {"delete": row["protection"]["delete"] if asked.delete is None else asked.delete}
    return Answer(201, {"action": actions.start(call, "change_protection", [("volume", row["id"])])})


ROUTES = [
    Route("POST", "/volumes", _create),
    Route("GET", "/volumes", _list),
    Route("GET", "/volumes/{id:[0-9]+}", _get),
    Route("PUT", "/volumes/{id:[0-9]+}", _update),
    Route("DELETE", "/volumes/{id:[0-9]+}", _delete),
    Route("POST", "/volumes/{id:[0-9]+}/actions/attach", _attach),
    Route("POST", "/volumes/{id:[0-9]+}/actions/detach", _detach),
    Route("POST", "/volumes/{id:[0-9]+}/actions/resize", _resize),
    Route("POST", "/volumes/{id:[0-9]+}/actions/change_protection", _protect),
    *actions.of("volume"),
]
