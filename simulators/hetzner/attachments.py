"""Servers' places on networks: https://docs.hetzner.cloud/reference/cloud#server-actions

Alias addresses are not simulated.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from simulators.call import Answer, Call, Route
from simulators.hetzner import actions, errors, networks
from simulators.hetzner.collection import get
from simulators.hetzner.requests import JoinNetwork, LeaveNetwork
from simulators.store import Row, Store


def _attach(call: Call) -> Answer:
    server, asked = _idle(call), call.read(JoinNetwork)
    network = networks.idle(call.store, asked.network)
    _refuse_second(call.store, server, network)
    address = _address(call.store, network, _subnets(server, network, asked), asked.ip)
    place = {"network": network["id"], "ip": str(address), "alias_ips": [], "mac_address": _mac(address)}
    return _begin(call, "attach_to_network", server, network, [*server["private_net"], place])


def _idle(call: Call) -> Row:
    server = get(call.store, "servers", call.match["id"])
    actions.refuse_while_busy(call.store, ("server", server["id"]))
    return server


def _refuse_second(store: Store, server: Row, network: Row) -> None:
    """A server is on a network once, and on no two whose addresses overlap."""
    for place in server["private_net"]:
        if place["network"] == network["id"]:
            raise errors.error(422, "server_already_attached", "the server is already attached to the network")
        other = get(store, networks.TABLE, place["network"])
        if IPv4Network(other["ip_range"]).overlaps(IPv4Network(network["ip_range"])):
            raise errors.error(422, "networks_overlap", "the network overlaps with another one of the server")


def _subnets(server: Row, network: Row, asked: JoinNetwork) -> list[IPv4Network]:
    """Those in the server's zone that are meant."""
    zone = server["location"]["network_zone"]
    near = [IPv4Network(subnet["ip_range"]) for subnet in network["subnets"] if subnet["network_zone"] == zone]
    return [subnet for subnet in near if asked.ip_range in (None, subnet)]


def _address(store: Store, network: Row, subnets: list[IPv4Network], wanted: IPv4Address | None) -> IPv4Address:
    """The wanted address or a free one. The network's first is its gateway's."""
    closed = {IPv4Network(network["ip_range"])[1], *networks.taken(store, network)}
    if wanted is None:
        return _first(address for subnet in subnets for address in subnet.hosts() if address not in closed)
    edges = {edge for subnet in subnets for edge in (subnet.network_address, subnet.broadcast_address)}
    if wanted in closed | edges or not any(wanted in subnet for subnet in subnets):
        raise errors.error(422, "ip_not_available", f"IP {wanted} is not available in the network")
    return wanted


def _first(addresses: Iterable[IPv4Address]) -> IPv4Address:
    for address in addresses:
        return address
    raise errors.error(422, "no_subnet_available", "no subnet or IP is available for the server in the network")


def _mac(address: IPv4Address) -> str:
    """Of the range for local use."""
    return "86:00:" + ":".join(f"{byte:02x}" for byte in address.packed)


def _detach(call: Call) -> Answer:
    server, asked = _idle(call), call.read(LeaveNetwork)
    network = networks.idle(call.store, asked.network)
    kept = [place for place in server["private_net"] if place["network"] != network["id"]]
    if len(kept) == len(server["private_net"]):
        raise errors.error(404, "not_found", "the server is not attached to the network")
    return _begin(call, "detach_from_network", server, network, kept)


def _begin(call: Call, command: str, server: Row, network: Row, places: list[Row]) -> Answer:
    resources = [("server", server["id"]), (networks.KIND, network["id"])]
    effect = actions.put("servers", server["id"], private_net=places)
    return Answer(201, {"action": actions.start(call, command, resources, effect)})


ROUTES = [
    Route("POST", "/servers/{id:[0-9]+}/actions/attach_to_network", _attach),
    Route("POST", "/servers/{id:[0-9]+}/actions/detach_from_network", _detach),
]
