"""/servers: https://docs.hetzner.cloud/reference/cloud#servers

``user_data`` is kept and never shown, as in the API.
"""

import secrets
from collections.abc import Callable

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.hetzner import actions, errors, placement_groups, primary_ips, volumes
from simulators.hetzner.catalogue import IMAGES, LOCATIONS, SERVER_TYPES, find
from simulators.hetzner.collection import get, listed, refuse_taken, shown, update
from simulators.hetzner.requests import ChangeType, JoinGroup, NewServer, Protection
from simulators.store import Row, Store

TABLE = "servers"


def described(store: Store, row: Row) -> Row:
    """A server as the API shows it, with its volumes, firewalls and group."""
    attached = [volume["id"] for volume in store.table("volumes").values() if volume["server"] == row["id"]]
    walls = [{"id": number, "status": "applied"} for number in row["_firewalls"]]
    group = store.table("placement_groups").get(str(row["_group"]))
    return {
        **shown(row),
        "public_net": {**row["public_net"], "firewalls": walls},
        "volumes": attached,
        "placement_group": placement_groups.described(store, group) if group else None,
    }


def _create(call: Call) -> Answer:
    asked = call.read(NewServer)
    refuse_taken(call.store, TABLE, "name", asked.name)
    _refuse_missing(call.store, asked)
    row = _row(call, asked, *_chosen(asked))
    call.store.table(TABLE)[str(row["id"])] = row
    return Answer(
        201,
        {
            "action": _begin(call, "create_server", row, status="running" if asked.start_after_create else "off"),
            "next_actions": _next_actions(call, asked, row),
            "server": described(call.store, row),
            "root_password": None if asked.ssh_keys else secrets.token_urlsafe(15),
        },
    )


def _refuse_missing(store: Store, asked: NewServer) -> None:
    """Everything that a new server names has to be there."""
    for key in asked.ssh_keys:
        if not any(key in (row["id"], row["name"]) for row in store.table("ssh_keys").values()):
            raise errors.not_found("ssh_key", key)
    for wall in asked.firewalls:
        get(store, "firewalls", wall.firewall)
    for volume in asked.volumes:
        get(store, "volumes", volume)
    if asked.placement_group is not None:
        get(store, "placement_groups", asked.placement_group)


def _chosen(asked: NewServer) -> tuple[Row, Row, Row]:
    """Server type, image and location, which have to fit each other."""
    kind, image = find(SERVER_TYPES, asked.server_type), None
    if kind is None:
        raise errors.invalid("server_type", f"server type {asked.server_type} not found")
    for row in IMAGES:
        if row["id"] == asked.image or (row["name"], row["architecture"]) == (asked.image, kind["architecture"]):
            image = row
    if image is None:
        raise errors.invalid("image", f"image {asked.image} not found")
    if image["architecture"] != kind["architecture"]:
        raise errors.invalid("image", "the image is for another architecture than the server type")
    location = find(LOCATIONS, asked.location or kind["locations"][0]["name"])
    if location is None or location["name"] not in [place["name"] for place in kind["locations"]]:
        raise errors.error(422, "invalid_input", "unsupported location for server type")
    return kind, image, location


def _row(call: Call, asked: NewServer, kind: Row, image: Row, location: Row) -> Row:
    number = ids.number(call.store)
    return {
        "id": number,
        "name": asked.name,
        "status": "initializing",
        "created": call.clock.stamp(),
        "server_type": kind,
        "location": location,
        "image": image,
        "iso": None,
        "rescue_enabled": False,
        "locked": False,
        "backup_window": None,
        "outgoing_traffic": 0,
        "ingoing_traffic": 0,
        "included_traffic": 20 * 1024**4,
        "primary_disk_size": kind["disk"],
        "protection": {"delete": False, "rebuild": False},
        "labels": asked.labels,
        "private_net": [],
        "load_balancers": [],
        "public_net": _public_net(call, asked, number, location),
        "_firewalls": [wall.firewall for wall in asked.firewalls],
        "_group": asked.placement_group,
        "_user_data": asked.user_data,
    }


def _public_net(call: Call, asked: NewServer, number: int, location: Row) -> Row:
    """Addresses from the ranges that are kept for documentation."""
    host = number % 250 + 1
    ipv4 = {"id": ids.number(call.store), "ip": f"198.51.100.{host}", "blocked": False, "dns_ptr": "host.invalid"}
    if asked.public_net.ipv4 is not None:
        address = primary_ips.free(call.store, asked.public_net.ipv4, location["name"])
        address["assignee_id"] = number
        ipv4 |= {"id": address["id"], "ip": address["ip"]}
    ipv6 = {"id": ids.number(call.store), "ip": f"2001:db8:{host:x}::/64", "blocked": False, "dns_ptr": []}
    return {
        "ipv4": ipv4 if asked.public_net.enable_ipv4 else None,
        "ipv6": ipv6 if asked.public_net.enable_ipv6 else None,
        "floating_ips": [],
    }


def _next_actions(call: Call, asked: NewServer, row: Row) -> list[Row]:
    begun = [actions.start(call, "start_server", [("server", row["id"])])] if asked.start_after_create else []
    return begun + [volumes.attach(call, get(call.store, "volumes", number), row) for number in asked.volumes]


def _begin(call: Call, command: str, row: Row, **values: object) -> Row:
    effects = [actions.put(TABLE, row["id"], **values)] if values else []
    return actions.start(call, command, [("server", row["id"])], *effects)


def _list(call: Call) -> Answer:
    return listed(call, TABLE, [described(call.store, row) for row in call.store.table(TABLE).values()])


def _get(call: Call) -> Answer:
    return Answer(200, {"server": described(call.store, get(call.store, TABLE, call.match["id"]))})


def _update(call: Call) -> Answer:
    return Answer(200, {"server": described(call.store, update(call, TABLE))})


def _delete(call: Call) -> Answer:
    row = _idle(call)
    if row["protection"]["delete"]:
        raise errors.protected("server")
    held = [volume["id"] for volume in call.store.table("volumes").values() if volume["server"] == row["id"]]
    row["status"] = "deleting"
    free = [actions.put("volumes", number, server=None) for number in held]
    kept = [each["id"] for each in call.store.table("primary_ips").values() if each["assignee_id"] == row["id"]]
    free += [actions.put("primary_ips", number, assignee_id=None) for number in kept]
    begun = actions.start(call, "delete_server", [("server", row["id"])], *free, actions.remove(TABLE, row["id"]))
    return Answer(200, {"action": begun})


def _idle(call: Call) -> Row:
    row = get(call.store, TABLE, call.match["id"])
    actions.refuse_while_busy(call.store, ("server", row["id"]))
    return row


def _power(command: str, status: str) -> Callable[[Call], Answer]:
    def handler(call: Call) -> Answer:
        return Answer(201, {"action": _begin(call, command, _idle(call), status=status)})

    return handler


def _change_type(call: Call) -> Answer:
    row, asked = _idle(call), call.read(ChangeType)
    kind = find(SERVER_TYPES, asked.server_type)
    if kind is None or kind["architecture"] != row["server_type"]["architecture"]:
        raise errors.error(422, "invalid_server_type", "the server type does not fit the server")
    if row["status"] != "off":
        raise errors.error(422, "server_not_stopped", "the server has to be stopped")
    if kind["disk"] < row["primary_disk_size"]:
        raise errors.error(422, "invalid_server_type", "the disk of the server type is too small")
    disk = kind["disk"] if asked.upgrade_disk else row["primary_disk_size"]
    return Answer(201, {"action": _begin(call, "change_server_type", row, server_type=kind, primary_disk_size=disk)})


def _protect(call: Call) -> Answer:
    row, asked = _idle(call), call.read(Protection)
    wanted = {key: value for key, value in asked.model_dump().items() if value is not None}
    row["protection"] = {**row["protection"], **wanted}
    return Answer(201, {"action": _begin(call, "change_protection", row)})


def _join(call: Call) -> Answer:
    row, asked = _idle(call), call.read(JoinGroup)
    get(call.store, "placement_groups", asked.placement_group)
    if row["status"] != "off":
        raise errors.error(422, "server_not_stopped", "the server has to be stopped")
    return Answer(201, {"action": _begin(call, "add_to_placement_group", row, _group=asked.placement_group)})


def _leave(call: Call) -> Answer:
    return Answer(201, {"action": _begin(call, "remove_from_placement_group", _idle(call), _group=None)})


ROUTES = [
    Route("POST", "/servers", _create),
    Route("GET", "/servers", _list),
    Route("GET", "/servers/{id:[0-9]+}", _get),
    Route("PUT", "/servers/{id:[0-9]+}", _update),
    Route("DELETE", "/servers/{id:[0-9]+}", _delete),
    Route("POST", "/servers/{id:[0-9]+}/actions/poweron", _power("start_server", "running")),
    Route("POST", "/servers/{id:[0-9]+}/actions/poweroff", _power("stop_server", "off")),
    Route("POST", "/servers/{id:[0-9]+}/actions/shutdown", _power("shutdown_server", "off")),
    Route("POST", "/servers/{id:[0-9]+}/actions/reboot", _power("reboot_server", "running")),
    Route("POST", "/servers/{id:[0-9]+}/actions/reset", _power("reset_server", "running")),
    Route("POST", "/servers/{id:[0-9]+}/actions/change_type", _change_type),
    Route("POST", "/servers/{id:[0-9]+}/actions/change_protection", _protect),
    Route("POST", "/servers/{id:[0-9]+}/actions/add_to_placement_group", _join),
    Route("POST", "/servers/{id:[0-9]+}/actions/remove_from_placement_group", _leave),
    *actions.of("server"),
]
