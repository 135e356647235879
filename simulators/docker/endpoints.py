"""Containers' places on networks: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Network"""

from ipaddress import ip_network

from simulators.call import Answer, Call, Route
from simulators.docker import collection, errors
from simulators.docker.requests import Connection, Disconnection, Endpoint
from simulators.store import Row, Store


def join(store: Store, container: Row, network: Row, endpoint: Endpoint) -> None:
    """Put a container on a network; raises where its address lies outside, or is a running container's."""
    address = endpoint.ipam_config.ipv4_address
    inside = [ip_network(pool["Subnet"]) for pool in network["IPAM"]["Config"]]
    if address and not any(address in subnet for subnet in inside):
        raise errors.error(400, "invalid config for network: no configured subnet contains the IP address")
    container["_networks"][network["Name"]] = {"id": network["Id"], **endpoint.row()}
    if container["_running"]:
        refuse_taken_addresses(store, container)


def members(store: Store, network: Row) -> list[Row]:
    """Running containers on it: others have no endpoint."""
    name, rows = network["Name"], store.table("containers").values()
    return [row for row in rows if row["_running"] and name in row["_networks"]]


def refuse_taken_addresses(store: Store, container: Row) -> None:
    """Raises where a running container has one of this one's addresses."""
    own = set(_addresses(container))
    for row in store.table("containers").values():
        if row is not container and row["_running"] and own & set(_addresses(row)):
            raise errors.error(403, "Address already in use")


def _addresses(container: Row) -> list[tuple[str, str]]:
    places = container["_networks"].values()
    return [(place["id"], place["IPAMConfig"]["IPv4Address"]) for place in places if place["IPAMConfig"]["IPv4Address"]]


def _connect(call: Call) -> Answer:
    asked = call.read(Connection)
    network = collection.network(call.store, call.match["id"])
    container = collection.container(call.store, asked.container)
    if network["Name"] in container["_networks"]:
        raise errors.error(403, f"endpoint with name {container['Name'].lstrip('/')} already exists in this network")
    join(call.store, container, network, asked.endpoint_config)
    return Answer(200)


def _disconnect(call: Call) -> Answer:
    asked = call.read(Disconnection)
    network = collection.network(call.store, call.match["id"])
    container = collection.container(call.store, asked.container)
    if network["Name"] not in container["_networks"]:
        raise errors.error(403, f"container {container['Id']} is not connected to the network {network['Name']}")
    del container["_networks"][network["Name"]]
    return Answer(200)


ROUTES = [
    Route("POST", "/v{version}/networks/{id}/connect", _connect),
    Route("POST", "/v{version}/networks/{id}/disconnect", _disconnect),
]
