"""Hetzner firewalls: whatever is not outbound is inbound."""

from collections.abc import Iterator
from typing import Final

from .model import Resource, Rule
from .reading import View
from .tokens import FIREWALL

ALL_PORTS: Final = frozenset({"any", "1-65535", "0-65535"})


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
        port = rule.known("port")
        if rule.text("protocol").lower() in {"tcp", "udp"} and (port is None or str(port) in ALL_PORTS):
            yield f"{rule.path}: every port is open to the outside"


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
        claim="A firewall lists what may leave by protocol and port.",
        remediation="Name each outbound protocol and port (7844 tcp and udp for the connector, 443, 53, 123, 80).",
        threat="perimeter",
        types=(FIREWALL,),
        check=outbound_listed,
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
