"""/volumes: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Volume"""

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.clock import Clock
from simulators.docker import errors
from simulators.docker.requests import NewVolume
from simulators.store import Row, Store

TABLE = "volumes"
PLACE = "/var/lib/docker/volumes"


def ensure(store: Store, clock: Clock, asked: NewVolume) -> Row:
    """A volume of that name. One that is there already is answered as it is, as the Engine does."""
    name = asked.name or ids.hexadecimal(store)
    row = {
        "Name": name,
        "Driver": asked.driver,
        "Mountpoint": f"{PLACE}/{name}/_data",
        "Labels": asked.labels or None,
        "Options": asked.driver_opts or None,
        "Scope": "local",
        "CreatedAt": clock.stamp(),
    }
    return store.table(TABLE).setdefault(name, row)


def named(bind: str) -> str | None:
    """The volume of a bind such as ``name:/path:ro``; None for a folder of the server."""
    source = bind.partition(":")[0]
    return None if source.startswith("/") else source


def _create(call: Call) -> Answer:
    return Answer(201, ensure(call.store, call.clock, call.read(NewVolume)))


def _list(call: Call) -> Answer:
    return Answer(200, {"Volumes": list(call.store.table(TABLE).values()), "Warnings": None})


def _get(call: Call) -> Row:
    row = call.store.table(TABLE).get(call.match["name"])
    if row is None:
        raise errors.error(404, f"get {call.match['name']}: no such volume")
    return row


def _inspect(call: Call) -> Answer:
    return Answer(200, _get(call))


def _delete(call: Call) -> Answer:
    name = _get(call)["Name"]
    users = [
        container["Id"]
        for container in call.store.table("containers").values()
        if name in map(named, container["HostConfig"]["Binds"])
    ]
    if users:
        raise errors.error(409, f"remove {name}: volume is in use - [{', '.join(users)}]")
    del call.store.table(TABLE)[name]
    return Answer(204)


ROUTES = [
    Route("POST", "/v{version}/volumes/create", _create),
    Route("GET", "/v{version}/volumes", _list),
    Route("GET", "/v{version}/volumes/{name}", _inspect),
    Route("DELETE", "/v{version}/volumes/{name}", _delete),
]
