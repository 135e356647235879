"""Hetzner firewalls: whatever is not outbound is inbound."""

import re
from collections.abc import Iterator
from typing import Final

from .addresses import is_single
from .model import UNKNOWN, Resource, Rule
from .reading import View
from .tokens import FIREWALL

WIREGUARD: Final = 51820
PORTS: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
MOST: Final = 100
"""Ports that one rule may list: a range is for a service that has several."""


def no_inbound(resource: Resource) -> Iterator[str]:
    for rule in View(resource.props).views("rules"):
        direction = rule.text("direction")
        if direction != "out":
            yield f"{rule.path}: direction is not exactly 'out'"


def outbound_listed(resource: Resource) -> Iterator[str]:
    rules = View(resource.props).views("rules")
    if not rules:
        yield "rules: without an outbound rule the provider lets everything out"
    for rule in rules:
        if rule.text("protocol").lower() in {"tcp", "udp"} and not 1 <= len(_ports(rule)) <= MOST:
            yield f"{rule.at('port')}: more than {MOST} ports are open to the outside"


def _ports(rule: View) -> range:
    """All of them where it names none, and where what it names can't be read."""
    found = PORTS.fullmatch(str(rule.known("port")))
    return range(int(found[1]), int(found[2] or found[1]) + 1) if found else range(65_536)


def wireguard_members(resource: Resource) -> Iterator[str]:
    for rule in View(resource.props).views("rules"):
        if rule.text("protocol").lower() != "udp" or WIREGUARD not in _ports(rule):
            continue
        destinations = rule.items("destinationIps")
        if not destinations:
            yield f"{rule.at('destinationIps')}: empty, so WireGuard may call everyone"
        for index, each in enumerate(destinations):
            # An address that is not there yet is one server's: it is known to be a single one once it is.
            if each is not UNKNOWN and not is_single(str(each)):
                yield f"{rule.at('destinationIps')}[{index}]: more than one address; a tunnel out is a way in"


def by_id_only(resource: Resource) -> Iterator[str]:
    if View(resource.props).items("applyTos"):
        yield "applyTos: mixed with a server's firewallIds it detaches the firewall"


RULES = (
    Rule(
        id="firewall-no-inbound",
        severity="critical",
        claim="No firewall has a rule that is not outbound, whatever its port, protocol or source.",
        remediation="Delete the rule. Publish through the tunnel; reach SSH through the admin tunnel.",
        threat="perimeter",
        types=(FIREWALL,),
        check=no_inbound,
        waivable=False,
    ),
    Rule(
        id="firewall-outbound-listed",
        severity="medium",
        claim="A firewall lists what may leave by protocol and port, and no wide range of ports.",
        remediation="Name each outbound protocol and port (7844 tcp and udp for the connector, 443, 53, 123, 80).",
        threat="perimeter",
        types=(FIREWALL,),
        check=outbound_listed,
    ),
    Rule(
        id="firewall-wireguard-members",
        severity="high",
        claim="WireGuard may call single addresses that are named: those of the other machines.",
        remediation="List each machine's address as a /32 in destinationIps.",
        threat="perimeter",
        types=(FIREWALL,),
        check=wireguard_members,
    ),
    Rule(
        id="firewall-by-id",
        severity="high",
        claim="A firewall is attached through a server's firewallIds only, so it is there at first boot.",
        remediation="Remove applyTos; pass the firewall's id in the server's firewallIds.",
        threat="perimeter",
        types=(FIREWALL,),
        check=by_id_only,
    ),
)
