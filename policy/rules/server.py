"""Hetzner servers: created behind the firewall, with keys in place of a mailed root password."""

import re
from collections.abc import Iterator
from typing import Final

from .model import UNKNOWN, Resource, Rule
from .reading import View
from .tokens import SERVER

SYSTEM: Final = re.compile(r"[a-z]+(?:-[a-z]+)*-\d+(?:\.\d+)?")
"""A system of the provider's, with its version: a snapshot has a number alone."""


def has_firewall(resource: Resource) -> Iterator[str]:
    ids = View(resource.props).items("firewallIds")
    if not ids:
        yield "firewallIds: empty, so the server is open on every port from its first second"
    for index, value in enumerate(ids):
        if value is not UNKNOWN and not _is_id(value):
            yield f"firewallIds[{index}]: not the id of a firewall"


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return value.isdigit() and int(value) > 0
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def no_side_doors(resource: Resource) -> Iterator[str]:
    server = View(resource.props)
    if server.flag("ignoreRemoteFirewallIds"):
        yield "ignoreRemoteFirewallIds: changes by hand to the firewall would go unseen"
    if not SYSTEM.fullmatch(server.text("image")):
        yield "image: not a system of the provider's such as debian-13; a snapshot holds what somebody put there"
    for key in ("rescue", "iso"):
        if server.given(key):
            yield f"{key}: boots another system, without the hardening"
    if server.items("networks"):
        yield "networks: the firewall does not filter private networks"
    if not server.items("sshKeys"):
        yield "sshKeys: without a key the provider mails a root password"


def public_net(resource: Resource) -> Iterator[str]:
    for net in View(resource.props).views("publicNets"):
        for family in ("ipv4", "ipv6"):
            disabled = net.known(f"{family}Enabled") is not None and not net.flag(f"{family}Enabled")
            if disabled and net.given(family):
                yield f"{net.path}.{family}: an address gives the disabled family back"


RULES = (
    Rule(
        id="server-firewall",
        severity="critical",
        claim="Every server is created with at least one firewall in firewallIds.",
        remediation="Pass the base firewall's id: firewall_ids=[firewall.id.apply(int)].",
        threat="perimeter",
        types=(SERVER,),
        check=has_firewall,
        waivable=False,
    ),
    Rule(
        id="server-side-doors",
        severity="high",
        claim="A server boots a system of the provider's that is hardened, with SSH keys and no mailed password.",
        remediation="Name a system as image, and an SSH key; remove rescue, iso and ignoreRemoteFirewallIds.",
        threat="host",
        types=(SERVER,),
        check=no_side_doors,
    ),
    Rule(
        id="server-public-net",
        severity="high",
        claim="An address family that is switched off stays off.",
        remediation="Leave out ipv4/ipv6 where ipv4Enabled/ipv6Enabled is false.",
        threat="perimeter",
        types=(SERVER,),
        check=public_net,
    ),
)
