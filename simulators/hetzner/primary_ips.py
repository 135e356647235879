"""/primary_ips: https://docs.hetzner.cloud/reference/cloud#primary-ips

A server takes one when it is created, and leaves it when it is deleted. Other ways to assign one are not simulated.
"""

from ipaddress import IPv4Network

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.hetzner import errors
from simulators.hetzner.catalogue import LOCATIONS, find
from simulators.hetzner.collection import get, listed, refuse_taken, shown, update
from simulators.hetzner.requests import NewAddress
from simulators.store import Row, Store

TABLE = "primary_ips"
KIND = "primary_ip"
RANGE = IPv4Network("203.0.113.0/24")
"""Kept for documentation. Addresses that come with a server are of another one."""


def free(store: Store, number: int, location: str) -> Row:
    """An address that a new server may take; raises ``not_found`` and why it may not."""
    row = get(store, TABLE, number)
    if row["assignee_id"] is not None:
        raise errors.error(422, "primary_ip_already_assigned", "the primary IP is assigned to another server")
    if row["location"]["name"] != location:
        raise errors.invalid("public_net", "the primary IP is in another location than the server")
    return row


def _create(call: Call) -> Answer:
    asked = call.read(NewAddress)
    refuse_taken(call.store, TABLE, "name", asked.name)
    location = find(LOCATIONS, asked.location)
    if location is None:
        raise errors.invalid("location", f"location {asked.location} not found")
    number = ids.number(call.store)
    row: Row = {
        "id": number,
        "name": asked.name,
        "type": asked.type,
        "ip": str(RANGE[len(call.store.table(TABLE)) + 1]),
        "assignee_id": None,
        "assignee_type": asked.assignee_type,
        "auto_delete": asked.auto_delete,
        "blocked": False,
        "created": call.clock.stamp(),
        "dns_ptr": [],
        "labels": asked.labels,
        "location": location,
        "protection": {"delete": False},
    }
    call.store.table(TABLE)[str(number)] = row
    return Answer(201, {KIND: shown(row), "action": None})


def _list(call: Call) -> Answer:
    return listed(call, TABLE, list(call.store.table(TABLE).values()))


def _get(call: Call) -> Answer:
    return Answer(200, {KIND: shown(get(call.store, TABLE, call.match["id"]))})


def _update(call: Call) -> Answer:
    return Answer(200, {KIND: shown(update(call, TABLE))})


def _delete(call: Call) -> Answer:
    """Of a server that runs it can't be taken away."""
    row = get(call.store, TABLE, call.match["id"])
    if row["assignee_id"] is not None:
        raise errors.error(422, "server_not_stopped", "the server that has the primary IP is not powered off")
    del call.store.table(TABLE)[call.match["id"]]
    return Answer(204)


ROUTES = [
    Route("POST", "/primary_ips", _create),
    Route("GET", "/primary_ips", _list),
    Route("GET", "/primary_ips/{id:[0-9]+}", _get),
    Route("PUT", "/primary_ips/{id:[0-9]+}", _update),
    Route("DELETE", "/primary_ips/{id:[0-9]+}", _delete),
]
