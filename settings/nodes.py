"""The machines of a stack that has outgrown one server, and what they are called. Pure."""

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from settings.values import Model, Name, matching

Location: TypeAlias = Literal["fsn1", "nbg1", "hel1", "ash", "hil", "sin"]
ZONES: Final[dict[str, str]] = {
    "fsn1": "eu-central",
    "nbg1": "eu-central",
    "hel1": "eu-central",
    "ash": "us-east",
    "hil": "us-west",
    "sin": "ap-southeast",
}
"""Location → network zone: a private network ends there. https://docs.hetzner.com/networking/networks/faq"""
MOST: Final = 100
"""Servers that one private network takes, and addresses that one rule of a firewall takes."""
LABEL_KEY = Annotated[str, matching(r"^[a-z][a-z0-9-]{0,30}$", "write a label such as disk, of a-z, 0-9 and -")]
LABEL_VALUE = Annotated[
    str,
    matching(r"^[a-z0-9][a-z0-9.-]{0,30}$", "write a label's value such as fast, of a-z, 0-9, . and -"),
]
MachineName = Annotated[
    str,
    matching(r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])-[1-9][0-9]{0,2}$", "name a machine as GROUP-NUMBER, such as manager-1"),
]
"""GROUP-NUMBER: manager-1."""


def _private_network(text: str) -> str:
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"write a private IPv4 network such as 10.0.0.0/16 ({error})") from None
    if not network.is_private or network.is_loopback or network.is_link_local or not 12 <= network.prefixlen <= 20:
        raise ValueError("write a private IPv4 network between /12 and /20, such as 10.0.0.0/16")
    return str(network)


class NodeGroup(Model):
    """Machines of one kind: they are called GROUP-1, GROUP-2 and so on."""

    count: int = Field(1, ge=1, le=MOST, description="How many. Managers: 1, 3, 5 or 7 together.")
    role: Literal["manager", "worker"] = Field("manager", description="Managers decide; all of them run services.")
    type: str | None = Field(None, pattern=r"^(cx|cpx|cax|ccx)[0-9]{2}$", description="Server type; default host.type.")
    location: Location | None = Field(
        None,
        description="Hetzner location; default host.location. In several network zones WireGuard joins the machines.",
    )
    labels: dict[LABEL_KEY, LABEL_VALUE] = Field(
        default_factory=dict, description="What services may ask for with placement."
    )


class Swarm(Model):
    """What the machines of `nodes` have in common."""

    network: Annotated[str, AfterValidator(_private_network)] = Field(
        "10.0.0.0/16", description="Addresses of the machines among each other. Apart from network.pool."
    )
    gateways: int = Field(2, ge=2, le=20, description="Gateways, and as many connectors, each on a machine of its own.")
    through: MachineName | None = Field(
        None, description="Manager that deployments go through; default the first one. Name another while it is lost."
    )
    autolock: bool = Field(True, description="Encrypt what managers keep, with a key that lies apart from it.")


@dataclass(frozen=True)
class Machine:
    """One server of the Swarm. ``address`` is the one on the private network, or on WireGuard in its place."""

    name: str
    group: str
    role: Literal["manager", "worker"]
    type: str
    location: str
    labels: dict[str, str]
    address: IPv4Address

    @property
    def is_manager(self) -> bool:
        """Whether it takes part in decisions."""
        return self.role == "manager"

    @property
    def zone(self) -> str:
        """The network zone that its location lies in."""
        return ZONES[self.location]


def is_mesh(found: tuple[Machine, ...]) -> bool:
    """Whether machines are in several zones: no private network joins them, and WireGuard does."""
    return len({machine.zone for machine in found}) > 1


def machines(nodes: dict[Name, NodeGroup], network: str, type_: str, location: str) -> tuple[Machine, ...]:
    """Every machine, managers first, each group in order. ``type_`` and ``location`` are the host's.

    An address is a hash of the machine's name, so that another group moves nobody.
    """
    found = [
        Machine(
            name=(name := f"{group}-{number}"),
            group=group,
            role=node.role,
            type=node.type or type_,
            location=node.location or location,
            labels=node.labels,
            address=address(name, IPv4Network(network)),
        )
        for group, node in sorted(nodes.items())
        for number in range(1, node.count + 1)
    ]
    return tuple(sorted(found, key=lambda machine: not machine.is_manager))


def address(name: str, network: IPv4Network) -> IPv4Address:
    """A machine's address among the others. A network's first ones are the provider's, its last one is broadcast."""
    kept = 16
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return network[kept + digest % (network.num_addresses - kept - 1)]
