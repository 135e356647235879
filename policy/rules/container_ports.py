"""Docker containers: published ports. Docker publishes past the host's firewall, and loopback binds leaked."""

from collections.abc import Iterator

from .model import Resource, Rule
from .reading import View
from .tokens import CONTAINER


def no_ports(resource: Resource) -> Iterator[str]:
    container = View(resource.props)
    for index, _ in enumerate(container.items("ports")):
        yield f"ports[{index}]: a port is published, a random one where only 'internal' is set"
    if container.flag("publishAllPorts"):
        yield "publishAllPorts: every port of the image is published"


RULES = (
    Rule(
        id="container-no-ports",
        severity="critical",
        claim="No container publishes a port, on any address.",
        remediation="Remove ports. Give the service a route: the gateway reaches it over its link.",
        threat="perimeter",
        types=(CONTAINER,),
        check=no_ports,
        waivable=False,
    ),
)
