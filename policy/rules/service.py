"""Swarm services. Outside the table; where a project allows them, these rules hold."""

from collections.abc import Iterator

from .container_isolation import START_CAPABILITIES
from .model import Resource, Rule
from .reading import View
from .tokens import SERVICE


def no_ports(resource: Resource) -> Iterator[str]:
    for index, _ in enumerate(View(resource.props).view("endpointSpec").items("ports")):
        yield f"endpointSpec.ports[{index}]: the routing mesh publishes it on every node"


def isolated(resource: Resource) -> Iterator[str]:
    task = View(resource.props).view("taskSpec")
    specification = task.view("containerSpec")
    for network in task.views("networksAdvanceds"):
        if network.props.get("name") in {"host", "ingress", "bridge", "docker_gwbridge"}:
            yield f"{network.at('name')}: a network of the host"
    if not task.items("networksAdvanceds"):
        yield f"{task.at('networksAdvanceds')}: empty, so the service is on the default network"
    for index, name in enumerate(specification.texts("capAdds")):
        if name.upper().removeprefix("CAP_") not in {"NET_BIND_SERVICE"} | START_CAPABILITIES:
            yield f"{specification.at('capAdds')}[{index}]: more than the service needs to start"
    if not specification.flag("readOnly"):
        yield f"{specification.at('readOnly')}: the service could change its own program"
    if specification.text("user").split(":")[0] in {"", "0", "root"}:
        yield f"{specification.at('user')}: root, or the image's own choice"


RULES = (
    Rule(
        id="service-no-ports",
        severity="critical",
        claim="No swarm service publishes a port.",
        remediation="Remove endpointSpec.ports; give the service a route.",
        threat="perimeter",
        types=(SERVICE,),
        check=no_ports,
        waivable=False,
    ),
    Rule(
        id="service-isolated",
        severity="high",
        claim="Every swarm service is on declared networks, read-only, not root, without extra capabilities.",
        remediation="Set networksAdvanceds, readOnly and user; remove capAdds.",
        threat="containers",
        types=(SERVICE,),
        check=isolated,
    ),
)
