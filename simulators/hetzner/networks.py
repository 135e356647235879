"""/networks: https://docs.hetzner.cloud/reference/cloud#networks

With subnets for servers. Routes, vSwitches and load balancers are not simulated.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.hetzner import actions, errors
from simulators.hetzner.catalogue import LOCATIONS
from simulators.hetzner.collection import get, listed, refuse_taken, shown, update
from simulators.hetzner.requests import NewNetwork, NewSubnet, OldSubnet, Protection
from simulators.store import Row, Store

TABLE = "networks"
KIND = "network"


def described(store: Store, row: Row) -> Row:
    """A network as the API shows it, with its servers."""
    return {**shown(row), "servers": [server["id"] for server, _ in members(store, row)]}


def members(store: Store, network: Row) -> Iterator[tuple[Row, Row]]:
    """Each server on it, with its place there."""
    for server in store.table("servers").values():
        yield from ((server, place) for place in server["private_net"] if place["network"] == network["id"])


def taken(store: Store, network: Row) -> set[IPv4Address]:
    """Addresses that servers have on it."""
    return {IPv4Address(place["ip"]) for _, place in members(store, network)}


def idle(store: Store, number: int | str) -> Row:
    """A network that nothing is being done to; raises ``not_found`` and ``conflict``."""
    row = get(store, TABLE, number)
    if actions.busy(store, (KIND, row["id"])):
        raise errors.error(409, "conflict", "the network is being changed, try again")
    return row


def _create(call: Call) -> Answer:
    asked = call.read(NewNetwork)
    refuse_taken(call.store, TABLE, "name", asked.name)
    row: Row = {
        "id": ids.number(call.store),
        "name": asked.name,
        "labels": asked.labels,
        "created": call.clock.stamp(),
        "ip_range": str(asked.ip_range),
        "subnets": [],
        "routes": [],
        "load_balancers": [],
        "expose_routes_to_vswitch": asked.expose_routes_to_vswitch,
        "protection": {"delete": False},
    }
    call.store.table(TABLE)[str(row["id"])] = row
    return Answer(201, {KIND: described(call.store, row)})


def _list(call: Call) -> Answer:
    return listed(call, TABLE, [described(call.store, row) for row in call.store.table(TABLE).values()])


def _get(call: Call) -> Answer:
    return Answer(200, {KIND: described(call.store, get(call.store, TABLE, call.match["id"]))})


def _update(call: Call) -> Answer:
    return Answer(200, {KIND: described(call.store, update(call, TABLE))})


def _delete(call: Call) -> Answer:
    """Its servers stay, and are on it no longer."""
    row = idle(call.store, call.match["id"])
    if row["protection"]["delete"]:
        raise errors.protected(KIND)
    for server, place in list(members(call.store, row)):
        server["private_net"].remove(place)
    del call.store.table(TABLE)[call.match["id"]]
    return Answer(204)


def _add_subnet(call: Call) -> Answer:
    row, asked = idle(call.store, call.match["id"]), call.read(NewSubnet)
    _refuse_misplaced(row, asked)
    subnet = {
        "type": asked.type,
        "ip_range": str(asked.ip_range),
        "network_zone": asked.network_zone,
        "gateway": str(IPv4Network(row["ip_range"])[1]),
        "vswitch_id": None,
    }
    return _begin(call, "add_subnet", row, subnets=[*row["subnets"], subnet])


def _refuse_misplaced(network: Row, asked: NewSubnet) -> None:
    if not asked.ip_range.subnet_of(IPv4Network(network["ip_range"])):
        raise errors.invalid("ip_range", "outside of the network's range")
    if any(asked.ip_range.overlaps(IPv4Network(subnet["ip_range"])) for subnet in network["subnets"]):
        raise errors.invalid("ip_range", "overlaps with another subnet")
    if asked.network_zone not in [place["network_zone"] for place in LOCATIONS]:
        raise errors.invalid("network_zone", "there is no such network zone")


def _delete_subnet(call: Call) -> Answer:
    row, asked = idle(call.store, call.match["id"]), call.read(OldSubnet)
    kept = [subnet for subnet in row["subnets"] if subnet["ip_range"] != str(asked.ip_range)]
    if len(kept) == len(row["subnets"]):
        raise errors.not_found("subnet", asked.ip_range)
    if any(address in asked.ip_range for address in taken(call.store, row)):
        raise errors.error(422, "service_error", "cannot remove subnet because servers are attached to it")
    return _begin(call, "delete_subnet", row, subnets=kept)


def _protect(call: Call) -> Answer:
    row, asked = idle(call.store, call.match["id"]), call.read(Protection)
    return _begin(call, "change_protection", row, protection={"delete": bool(asked.delete)})


def _begin(call: Call, command: str, row: Row, **values: object) -> Answer:
    begun = actions.start(call, command, [(KIND, row["id"])], actions.put(TABLE, row["id"], **values))
    return Answer(201, {"action": begun})


ROUTES = [
    Route("POST", "/networks", _create),
    Route("GET", "/networks", _list),
    Route("GET", "/networks/{id:[0-9]+}", _get),
    Route("PUT", "/networks/{id:[0-9]+}", _update),
    Route("DELETE", "/networks/{id:[0-9]+}", _delete),
    Route("POST", "/networks/{id:[0-9]+}/actions/add_subnet", _add_subnet),
    Route("POST", "/networks/{id:[0-9]+}/actions/delete_subnet", _delete_subnet),
    Route("POST", "/networks/{id:[0-9]+}/actions/change_protection", _protect),
    *actions.of(KIND),
]
