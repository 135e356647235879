"""What each call takes. A field that is not here is refused: a simulator that swallows it would pretend to obey.

Fields: https://docs.hetzner.cloud/reference/cloud, for each resource its requests.
"""

import ipaddress
import re
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

USER_DATA_BYTES = 32 * 1024
LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
HOSTNAME = rf"^{LABEL}(?:\.{LABEL})*$"
LABEL_KEY = re.compile(r"^([a-z0-9A-Z.-]{1,253}/)?[a-z0-9A-Z]([a-z0-9A-Z._-]{0,61}[a-z0-9A-Z])?$")
LABEL_VALUE = re.compile(r"^([a-z0-9A-Z]([a-z0-9A-Z._-]{0,61}[a-z0-9A-Z])?)?$")
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
PORTS = re.compile(r"^(\d{1,5})(?:-(\d{1,5}))?$")


def _labels(labels: dict[str, str]) -> dict[str, str]:
    wrong = [key for key, value in labels.items() if not LABEL_KEY.match(key) or not LABEL_VALUE.match(value)]
    if wrong:
        raise ValueError(f"label {wrong[0]} has an invalid key or value")
    return labels


def _private(network: IPv4Network) -> IPv4Network:
    if not any(network.subnet_of(range_) for range_ in PRIVATE):
        raise ValueError("not a private range of RFC 1918")
    return network


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text))


def _ports(text: str) -> str:
    found = PORTS.match(text)
    numbers = [int(part) for part in found.groups() if part] if found else []
    if text != "any" and (not numbers or not all(1 <= number <= 65535 for number in numbers)):
        raise ValueError("not a port or a range of ports")
    return text


def _user_data(text: str) -> str:
    if len(text.encode()) > USER_DATA_BYTES:
        raise ValueError("longer than 32 KiB")
    return text


Labels = Annotated[dict[str, str], AfterValidator(_labels)]
Network = Annotated[str, AfterValidator(_network)]
Ports = Annotated[str, AfterValidator(_ports)]
PrivateRange = Annotated[IPv4Network, AfterValidator(_private)]
Reference = int | str
"""An id or a name."""


class Request(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid")


class Update(Request):
    """Every resource's name and labels."""

    name: str | None = Field(None, min_length=1)
    labels: Labels | None = None


class Protection(Request):
    """Of volumes and servers."""

    delete: bool | None = None
    rebuild: bool | None = None


class NewKey(Request):
    """POST /ssh_keys."""

    name: str = Field(min_length=1)
    public_key: str
    labels: Labels = {}


class NewGroup(Request):
    """POST /placement_groups."""

    name: str = Field(min_length=1)
    type: Literal["spread"]
    labels: Labels = {}


class NewAddress(Request):
    """POST /primary_ips. IPv6 is not simulated."""

    name: str = Field(min_length=1)
    type: Literal["ipv4"]
    assignee_type: Literal["server"] = "server"
    location: str
    auto_delete: bool = False
    labels: Labels = {}


class NewNetwork(Request):
    """POST /networks. Subnets come later, one by one."""

    name: str = Field(min_length=1)
    ip_range: PrivateRange
    expose_routes_to_vswitch: bool = False
    labels: Labels = {}


class NewSubnet(Request):
    """POST /networks/{id}/actions/add_subnet."""

    type: Literal["cloud"]
    ip_range: PrivateRange
    network_zone: str


class OldSubnet(Request):
    """POST /networks/{id}/actions/delete_subnet."""

    ip_range: PrivateRange


class Rule(Request):
    """One rule of a firewall."""

    direction: Literal["in", "out"]
    protocol: Literal["tcp", "udp", "icmp", "esp", "gre"]
    port: Ports | None = None
    source_ips: list[Network] = Field([], max_length=100)
    destination_ips: list[Network] = Field([], max_length=100)
    description: str | None = Field(None, max_length=255)

    @model_validator(mode="after")
    def _whole(self) -> "Rule":
        if (self.port is None) == (self.protocol in ("tcp", "udp")):
            raise ValueError("a port belongs to tcp and udp, and to them only")
        if not (self.source_ips if self.direction == "in" else self.destination_ips):
            raise ValueError("source_ips for direction in, destination_ips for direction out")
        return self


class ServerReference(Request):
    """A server by its id."""

    id: int


class Target(Request):
    """What a firewall is put in front of. Label selectors are not simulated."""

    type: Literal["server"]
    server: ServerReference


class NewFirewall(Request):
    """POST /firewalls."""

    name: str = Field(min_length=1, max_length=128)
    rules: list[Rule] = Field([], max_length=50)
    apply_to: list[Target] = []
    labels: Labels = {}


class Rules(Request):
    """POST /firewalls/{id}/actions/set_rules. An empty list takes every rule away."""

    rules: list[Rule] = Field(max_length=50)


class Apply(Request):
    """POST /firewalls/{id}/actions/apply_to_resources."""

    apply_to: list[Target] = Field(min_length=1)


class Remove(Request):
    """POST /firewalls/{id}/actions/remove_from_resources."""

    remove_from: list[Target] = Field(min_length=1)


class NewVolume(Request):
    """POST /volumes. Either a location or a server says where."""

    name: str = Field(min_length=1, max_length=64)
    size: int = Field(ge=10, le=10240)
    location: Reference | None = None
    server: int | None = None
    format: Literal["ext4", "xfs"] | None = None
    automount: bool | None = None
    labels: Labels = {}


class Resize(Request):
    """POST /volumes/{id}/actions/resize."""

    size: int = Field(ge=10, le=10240)


class Attach(Request):
    """POST /volumes/{id}/actions/attach."""

    server: int
    automount: bool | None = None


class FirewallReference(Request):
    """A firewall by its id."""

    firewall: int


class PublicNet(Request):
    """Left out, both families are on."""

    enable_ipv4: bool = True
    enable_ipv6: bool = True
    ipv4: int | None = None
    """A primary IP; left out, one comes with the server."""


class NewServer(Request):
    """POST /servers."""

    name: str = Field(pattern=HOSTNAME)
    server_type: Reference
    image: Reference
    location: str | None = None
    ssh_keys: list[Reference] = []
    user_data: Annotated[str, AfterValidator(_user_data)] | None = None
    start_after_create: bool = True
    automount: bool = False
    volumes: list[int] = []
    firewalls: list[FirewallReference] = []
    placement_group: int | None = None
    public_net: PublicNet = PublicNet()
    labels: Labels = {}


class ChangeType(Request):
    """POST /servers/{id}/actions/change_type."""

    server_type: Reference
    upgrade_disk: bool


class JoinGroup(Request):
    """POST /servers/{id}/actions/add_to_placement_group."""

    placement_group: int


class JoinNetwork(Request):
    """POST /servers/{id}/actions/attach_to_network. ``ip_range`` is that of a subnet; without it any will do."""

    network: int
    ip: IPv4Address | None = None
    ip_range: IPv4Network | None = None


class LeaveNetwork(Request):
    """POST /servers/{id}/actions/detach_from_network."""

    network: int
