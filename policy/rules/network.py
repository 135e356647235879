"""Docker networks: internal, on drivers that keep to this host, with a declared purpose."""

from collections.abc import Iterator
from typing import Final

from .model import Resource, Rule
from .reading import View, labels
from .tokens import NETWORK

PURPOSE: Final = "zero-exposure.network"
SAFE_OPTIONS: Final = {
    "com.docker.network.bridge.name",
    "com.docker.network.bridge.enable_icc",
    "com.docker.network.driver.mtu",
    "com.docker.network.driver.overlay.vxlanid_list",
    "encrypted",
}
GATEWAY_MODES: Final = {
    "com.docker.network.bridge.gateway_mode_ipv4",
    "com.docker.network.bridge.gateway_mode_ipv6",
    "com.docker.network.bridge.inhibit_ipv4",
}


def internal(resource: Resource) -> Iterator[str]:
    network = View(resource.props)
    if not network.flag("internal") and labels(resource.props).get(PURPOSE) != "egress":
        yield f"internal: false on a network whose label {PURPOSE} is not egress"
    driver, purpose = network.text("driver"), labels(resource.props).get(PURPOSE)
    if driver not in {"", "bridge", "overlay"}:
        yield "driver: host, macvlan and ipvlan reach beyond this host's bridges"
    if driver == "overlay" and "encrypted" not in network.view("options").props:
        yield "options.encrypted: missing, so the way between machines is in plain text"
    for key in ("ingress", "attachable", "ipv6"):
        # The resolvers of a Swarm are containers with fixed addresses, on its one network with a way out.
        if network.flag(key) and not (key == "attachable" and driver == "overlay" and purpose == "egress"):
            yield f"{key}: opens the network to more than its members"


def options(resource: Resource) -> Iterator[str]:
    given = View(resource.props).view("options")
    for name in given.props:
        isolated = name in GATEWAY_MODES and given.text(name) in {"isolated", "true"}
        if name not in SAFE_OPTIONS and not isolated:
            yield "options: a driver option outside the short list"


def declared(resource: Resource) -> Iterator[str]:
    found = labels(resource.props)
    purpose = found.get(PURPOSE)
    if purpose not in {"egress", "ingress", "link"}:
        yield f"labels: {PURPOSE} must be egress, ingress or link"
    elif purpose == "link" and not all(found.get(f"zero-exposure.{end}") for end in ("client", "server")):
        yield "labels: a link must name its zero-exposure.client and zero-exposure.server"


RULES = (
    Rule(
        id="network-internal",
        severity="critical",
        claim="Every network is an internal bridge or an encrypted overlay; only the one labelled egress leads out.",
        remediation="Set internal; leave ingress, attachable and ipv6 out; set options.encrypted on an overlay.",
        threat="lateral-movement",
        types=(NETWORK,),
        check=internal,
        waivable=False,
    ),
    Rule(
        id="network-options",
        severity="high",
        claim="No network has a driver option that publishes or routes it.",
        remediation="Remove the option, or add it to the short list with a reason.",
        threat="lateral-movement",
        types=(NETWORK,),
        check=options,
    ),
    Rule(
        id="network-declared",
        severity="high",
        claim="Every network says what it is for: egress, ingress, or a link of two named nodes.",
        remediation=f"Set the label {PURPOSE}, and on a link zero-exposure.client and zero-exposure.server.",
        threat="lateral-movement",
        types=(NETWORK,),
        check=declared,
    ),
)
