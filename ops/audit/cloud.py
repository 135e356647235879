"""What the clouds say of the stack, as their APIs have it now."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from ops.audit.result import NotMeasuredError
from ops.doctor.api import Api

Address = IPv4Address | IPv6Address
LABEL = "zero-exposure"
"""Label of the server; its value is the stack's name."""
PER_PAGE = 100


@dataclass(frozen=True)
class Server:
    """A server at Hetzner. ``firewalls`` maps the id of each of its firewalls to its status there."""

    id: int
    addresses: tuple[Address, ...]
    firewalls: Mapping[int, str]


def read(api: Api, path: str) -> dict[str, Any]:
    """The body of an answer. Raises ``NotMeasuredError`` where there is none."""
    answer = api.get(path)
    if answer.status != 200:
        raise NotMeasuredError(f"the API does not say: {path.partition('?')[0]}: {answer.said}")
    return answer.body


def pages(api: Api, path: str) -> Iterator[dict[str, Any]]:
    """Every entry of one of Cloudflare's lists."""
    page, last = 1, 1
    while page <= last:
        body = read(api, f"{path}?page={page}&per_page={PER_PAGE}")
        yield from body.get("result") or []
        last = int((body.get("result_info") or {}).get("total_pages") or 1)
        page += 1


def server(api: Api, identity: int, stack: str) -> Server:
    """The stack's server, with every public address that leads to it.

    Raises ``NotMeasuredError`` where the server of this id is not labelled as the stack's: a wrong id in a file must
    not make this scan somebody else's machine.
    """
    found = read(api, f"/servers/{identity}")["server"]
    if found.get("labels", {}).get(LABEL) != stack:
        raise NotMeasuredError(f"server {identity} is not labelled {LABEL}={stack}: it is left alone")
    net = found["public_net"]
    addresses = [*_own(net), *_floating(api, net)]
    firewalls = {int(entry["id"]): str(entry["status"]) for entry in net.get("firewalls") or []}
    return Server(identity, tuple(dict.fromkeys(addresses)), firewalls)


def _own(net: Mapping[str, Any]) -> Iterator[Address]:
    """IPv6 is a /64, of which the server has the first address, and whatever has a name."""
    if net.get("ipv4"):
        yield ipaddress.ip_address(net["ipv4"]["ip"])
    if net.get("ipv6"):
        yield _first(net["ipv6"]["ip"])
        yield from (ipaddress.ip_address(entry["ip"]) for entry in net["ipv6"].get("dns_ptr") or [])


def _floating(api: Api, net: Mapping[str, Any]) -> Iterator[Address]:
    for identity in net.get("floating_ips") or []:
        yield _first(read(api, f"/floating_ips/{identity}")["floating_ip"]["ip"])


def _first(text: str) -> Address:
    network = ipaddress.ip_network(text, strict=False)
    return network[1] if network.version == 6 and network.prefixlen < 128 else network[0]
