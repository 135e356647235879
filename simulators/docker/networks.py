"""/networks: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Network"""

from ipaddress import IPv4Network

from simulators.call import Answer, Call, Route
from simulators.docker import collection, endpoints, errors
from simulators.docker.requests import AddressPool, NewNetwork
from simulators.store import Row, Store

TABLE = "networks"
PREDEFINED = {"bridge": "bridge", "host": "host", "none": "null"}
"""Every Engine's own networks, and their drivers."""


def seed(store: Store) -> None:
    """What is there from the start."""
    for name, driver in PREDEFINED.items():
        if name not in store.table(TABLE):
            store.table(TABLE)[name] = {**_row(NewNetwork(Name=name, Driver=driver)), "Id": name, "_own": True}


def _row(asked: NewNetwork) -> Row:
    return {
        "Name": asked.name,
        "Scope": "local",
        "Driver": asked.driver,
        "EnableIPv6": False,
        "IPAM": {"Driver": asked.ipam.driver, "Options": None, "Config": [pool.row() for pool in asked.ipam.config]},
        "Internal": asked.internal,
        "Attachable": asked.attachable,
        "Ingress": False,
        "Options": asked.options or None,
        "Labels": asked.labels or None,
    }


def _create(call: Call) -> Answer:
    asked = call.read(NewNetwork)
    rows = call.store.table(TABLE)
    if any(row["Name"] == asked.name for row in rows.values()):
        raise errors.error(409, f"network with name {asked.name} already exists")
    if any(pool.subnet.overlaps(taken) for pool in asked.ipam.config for taken in _subnets(call.store)):
        raise errors.error(403, "Pool overlaps with other one on this address space")
    row = {**_row(asked), "Id": collection.new_id(call.store), "Created": call.clock.stamp()}
    rows[row["Id"]] = row
    return Answer(201, {"Id": row["Id"], "Warning": ""})


def _subnets(store: Store) -> list[IPv4Network]:
    pools = [AddressPool.model_validate(pool) for row in store.table(TABLE).values() for pool in row["IPAM"]["Config"]]
    return [pool.subnet for pool in pools]


def shown(store: Store, network: Row) -> Row:
    """With the containers on it."""
    members = {row["Id"]: {"Name": row["Name"].lstrip("/")} for row in endpoints.members(store, network)}
    public = {key: value for key, value in network.items() if not key.startswith("_")}
    return {**public, "Containers": members}


def _list(call: Call) -> Answer:
    return Answer(200, [shown(call.store, network) for network in call.store.table(TABLE).values()])


def _inspect(call: Call) -> Answer:
    return Answer(200, shown(call.store, collection.network(call.store, call.match["id"])))


def _delete(call: Call) -> Answer:
    network = collection.network(call.store, call.match["id"])
    if network.get("_own"):
        raise errors.error(403, f"{network['Name']} is a pre-defined network and cannot be removed")
    if endpoints.members(call.store, network):
        text = f"network {network['Name']} id {network['Id']} has active endpoints"
        raise errors.error(403, f"error while removing network: {text}")
    del call.store.table(TABLE)[network["Id"]]
    return Answer(204)


ROUTES = [
    Route("POST", "/v{version}/networks/create", _create),
    Route("GET", "/v{version}/networks", _list),
    Route("GET", "/v{version}/networks/{id}", _inspect),
    Route("DELETE", "/v{version}/networks/{id}", _delete),
]
