"""/containers: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container

Nothing runs. A started container is "running" until it is stopped, and healthy a moment after its start. Of the files
that are put into one, names, owners and digests are kept, and no content.
"""

import hashlib
import io
import tarfile

from simulators.call import Answer, Call, Route
from simulators.clock import Clock
from simulators.docker import collection, endpoints, errors, images, volumes
from simulators.docker.requests import Endpoint, NewContainer, NewVolume, Update
from simulators.store import Row, Store

TABLE = "containers"
HEALTHY_AFTER = 0.3
"""Seconds from start to health."""


def _create(call: Call) -> Answer:
    asked = call.read(NewContainer)
    image = images.find(call.store, asked.image)
    number = collection.new_id(call.store)
    name = call.one("name") or number[:12]
    _refuse_taken_name(call.store, name)
    row: Row = {
        "Id": number,
        "Name": f"/{name}",
        "Created": call.clock.stamp(),
        "Image": image["Id"],
        "Config": _config(asked, number) | {"User": asked.user or images.user(image)},
        "HostConfig": _host_config(asked),
        "_networks": {},
        "_files": {},
        "_running": False,
        "_started": 0.0,
    }
    for bind in asked.host_config.binds:
        if source := volumes.named(bind):
            volumes.ensure(call.store, call.clock, NewVolume(Name=source))
    for network, endpoint in _first_networks(asked).items():
        endpoints.join(call.store, row, collection.network(call.store, network), endpoint)
    call.store.table(TABLE)[number] = row
    return Answer(201, {"Id": number, "Warnings": []})


def _refuse_taken_name(store: Store, name: str) -> None:
    for row in store.table(TABLE).values():
        if row["Name"] == f"/{name}":
            text = f'The container name "/{name}" is already in use by container "{row["Id"]}".'
            raise errors.error(409, f"Conflict. {text} You have to remove (or rename) that container.")


def _first_networks(asked: NewContainer) -> dict[str, Endpoint]:
    """Those of the request, or the one of its mode."""
    return asked.networking_config.endpoints_config or {asked.host_config.network_mode: Endpoint()}


def _config(asked: NewContainer, number: str) -> Row:
    config = asked.row()
    for key in ("HostConfig", "NetworkingConfig"):
        del config[key]
    return {**config, "Hostname": asked.hostname or number[:12], "Domainname": "", "Tty": False, "OpenStdin": False}


def _host_config(asked: NewContainer) -> Row:
    """With what the Engine fills in."""
    config = asked.host_config.row()
    if config["Memory"] and not config["MemorySwap"]:
        config["MemorySwap"] = 2 * config["Memory"]
    return {**config, "AutoRemove": False, "Privileged": False, "PublishAllPorts": False, "PortBindings": {}}


def _start(call: Call) -> Answer:
    row = collection.container(call.store, call.match["id"])
    if row["_running"]:
        return Answer(304)
    endpoints.refuse_taken_addresses(call.store, row)
    row.update(_running=True, _started=call.clock.now())
    return Answer(204)


def _stop(call: Call) -> Answer:
    row = collection.container(call.store, call.match["id"])
    if not row["_running"]:
        return Answer(304)
    row["_running"] = False
    return Answer(204)


def _delete(call: Call) -> Answer:
    row = collection.container(call.store, call.match["id"])
    if row["_running"] and call.one("force") not in ("1", "true", "True"):
        text = f'cannot remove container "{row["Name"]}": container is running: stop the container before removing'
        raise errors.error(409, text)
    del call.store.table(TABLE)[row["Id"]]
    return Answer(204)


def _update(call: Call) -> Answer:
    row, asked = collection.container(call.store, call.match["id"]), call.read(Update)
    row["HostConfig"].update({key: value for key, value in asked.row().items() if value is not None})
    return Answer(200, {"Warnings": []})


def _wait(call: Call) -> Answer:
    collection.container(call.store, call.match["id"])
    return Answer(200, {"StatusCode": 0})


def _put(call: Call) -> Answer:
    row = collection.container(call.store, call.match["id"])
    if row["HostConfig"]["ReadonlyRootfs"]:
        raise errors.error(403, "container rootfs is marked read-only")
    if call.one("copyUIDGID") in ("1", "true") and (user := row["Config"]["User"]):
        # The Engine looks it up among the server's own users, as it is written. https://github.com/moby/moby/issues/46388
        raise errors.error(500, f'getent unable to find entry "{user}" in passwd database')
    try:
        with tarfile.open(fileobj=io.BytesIO(call.raw)) as archive:
            for member in archive.getmembers():
                row["_files"][member.name] = _file(archive, member)
    except tarfile.TarError as error:
        raise errors.error(400, str(error)) from None
    return Answer(200)


def _file(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Row:
    content = archive.extractfile(member)
    digest = hashlib.sha256(content.read()).hexdigest() if content else None
    return {"uid": member.uid, "gid": member.gid, "mode": oct(member.mode), "sha256": digest}


def _state(row: Row, clock: Clock) -> Row:
    running = row["_running"]
    state = {"Status": "running" if running else "created", "Running": running, "ExitCode": 0, "Error": ""}
    if row["Config"]["Healthcheck"] is not None:
        healthy = running and clock.now() >= row["_started"] + HEALTHY_AFTER
        state["Health"] = {"Status": "healthy" if healthy else "starting", "FailingStreak": 0, "Log": []}
    return state


def _settings(row: Row) -> Row:
    """Its networks. Only a running container has addresses."""
    shown = {
        name: {
            "IPAMConfig": {"IPv4Address": place["IPAMConfig"]["IPv4Address"]},
            "Aliases": place["Aliases"],
            "NetworkID": place["id"],
            "IPAddress": (place["IPAMConfig"]["IPv4Address"] or "") if row["_running"] else "",
        }
        for name, place in row["_networks"].items()
    }
    return {"Bridge": "", "Ports": {}, "Networks": shown}


def _public(row: Row) -> Row:
    return {key: value for key, value in row.items() if not key.startswith("_")}


def _inspect(call: Call) -> Answer:
    row = collection.container(call.store, call.match["id"])
    shown = {"State": _state(row, call.clock), "NetworkSettings": _settings(row), "Mounts": _mounts(row)}
    return Answer(200, {**_public(row), **shown, "Platform": "linux"})


def _mounts(row: Row) -> list[Row]:
    """Volumes of ``Binds``: name, where, and ``ro`` or ``rw``."""
    binds = [bind.split(":") for bind in row["HostConfig"].get("Binds") or []]
    return [
        {"Type": "volume", "Name": name, "Destination": place, "RW": "ro" not in mode[:1]}
        for name, place, *mode in binds
    ]


def _list(call: Call) -> Answer:
    every = call.one("all") in ("1", "true", "True")
    rows = call.store.table(TABLE).values()
    return Answer(200, [_summary(row) for row in rows if every or row["_running"]])


def _summary(row: Row) -> Row:
    return {
        "Id": row["Id"],
        "Names": [row["Name"]],
        "Image": row["Config"]["Image"],
        "ImageID": row["Image"],
        "Created": 0,
        "Ports": [],
        "Labels": row["Config"]["Labels"],
        "State": "running" if row["_running"] else "created",
        "Status": "Up" if row["_running"] else "Created",
        "HostConfig": {"NetworkMode": row["HostConfig"]["NetworkMode"]},
        "NetworkSettings": {"Networks": _settings(row)["Networks"]},
    }


ROUTES = [
    Route("POST", "/v{version}/containers/create", _create),
    Route("GET", "/v{version}/containers/json", _list),
    Route("GET", "/v{version}/containers/{id}/json", _inspect),
    Route("POST", "/v{version}/containers/{id}/start", _start),
    Route("POST", "/v{version}/containers/{id}/stop", _stop),
    Route("POST", "/v{version}/containers/{id}/update", _update),
    Route("POST", "/v{version}/containers/{id}/wait", _wait),
    Route("PUT", "/v{version}/containers/{id}/archive", _put, binary=True),
    Route("DELETE", "/v{version}/containers/{id}", _delete),
]
