"""Services of a Swarm: nothing is published, and what holds for a container holds for each task."""

import base64
import binascii
from collections.abc import Iterator

from . import container_isolation, container_limits
from .model import UNKNOWN, Resource, Rule
from .reading import View, stated_reason
from .secrets import SECRET_SHAPE
from .task import as_container
from .tokens import SERVICE, SERVICE_CONFIG

PAUSE_REASON = "zero-exposure.pause-reason"
SAME = (container_isolation.capabilities, container_isolation.read_only, container_isolation.non_root)
"""What is asked of a container is asked of a task."""


def no_ports(resource: Resource) -> Iterator[str]:
    endpoint = View(resource.props).view("endpointSpec")
    for index, _ in enumerate(endpoint.items("ports")):
        yield f"endpointSpec.ports[{index}]: a port is published, by the routing mesh on every machine"
    if endpoint.text("mode") not in {"dnsrr", "vip"}:
        yield "endpointSpec.mode: not said, and it decides how the service is reached"


def apart_from_host(resource: Resource) -> Iterator[str]:
    task = View(resource.props).view("taskSpec")
    for network in task.views("networksAdvanceds"):
        names = {network.props.get(key) for key in ("name", "id")} - {UNKNOWN, None}
        if not all(container_isolation.is_declared(str(name)) for name in names):
            yield f"{network.path}: a network of the host or of another container"
    if task.known("runtime") not in (None, "", "container"):
        yield f"{task.at('runtime')}: something else than a container"
    for message in container_isolation.no_host_namespaces(as_container(resource)):
        yield f"{task.at('containerSpec')}: {message}"


def isolated(resource: Resource) -> Iterator[str]:
    task = View(resource.props).view("taskSpec")
    if not task.items("networksAdvanceds"):
        yield f"{task.at('networksAdvanceds')}: empty, so the service is on the default network"
    if task.view("containerSpec").given("privileges"):
        yield f"{task.at('containerSpec')}.privileges: another security context than the Engine's own"
    for check in SAME:
        for message in check(as_container(resource)):
            yield f"{task.at('containerSpec')}: {message}"


def limited(resource: Resource) -> Iterator[str]:
    task = View(resource.props).view("taskSpec")
    limits = task.view("resources").view("limits")
    for key in ("memoryBytes", "nanoCpus"):
        if limits.number(key) <= 0:
            yield f"{limits.at(key)}: no limit"
    for message in container_limits.log_limited(as_container(resource)):
        yield f"{task.at('logDriver')}: {message}"
    if task.view("restartPolicy").text("condition") not in {"", "any"}:
        yield f"{task.at('restartPolicy')}.condition: the task stays down after a crash"


def taken_back(resource: Resource) -> Iterator[str]:
    action = View(resource.props).view("updateConfig").text("failureAction")
    if action != "rollback" and not (action == "pause" and stated_reason(resource.props, PAUSE_REASON)):
        yield f"updateConfig.failureAction: a version that fails stays; if it has to, label {PAUSE_REASON} says why"


def config_is_public(resource: Resource) -> Iterator[str]:
    """A config is shown by `docker config inspect`, and is not encrypted for whoever has a manager's memory."""
    if {"data", "dataRaw"} & resource.secrets:
        yield "data: a secret in a config; a Secret is kept apart"
    if resource.props.get("data") is UNKNOWN:
        return
    try:
        text = base64.b64decode(View(resource.props).text("data"), validate=True).decode(errors="replace")
    except binascii.Error:
        text = ""
        yield "data: not base64, so nobody can look into it"
    if SECRET_SHAPE.search(text):
        yield "data: holds a key or a token"


RULES = (
    Rule(
        id="service-no-ports",
        severity="critical",
        claim="No service of a Swarm publishes a port: not by the routing mesh, not on its machine.",
        remediation="Remove endpointSpec.ports, set its mode to dnsrr, and give the service a route.",
        threat="perimeter",
        types=(SERVICE,),
        check=no_ports,
        waivable=False,
    ),
    Rule(
        id="service-host",
        severity="critical",
        claim="No task of a Swarm is on the host's network, or has its devices, groups, address or kernel settings.",
        remediation="Name networks of the plan in networksAdvanceds; remove the setting.",
        threat="containers",
        types=(SERVICE,),
        check=apart_from_host,
        waivable=False,
    ),
    Rule(
        id="service-isolated",
        severity="high",
        claim="Every service of a Swarm is on a network, and its tasks are as closed as containers.",
        remediation="Set networksAdvanceds, readOnly, user and capDrops; remove what ties it to the host.",
        threat="containers",
        types=(SERVICE,),
        check=isolated,
    ),
    Rule(
        id="service-limits",
        severity="medium",
        claim="Every task has limits of memory, CPU and log, and comes back after a crash.",
        remediation="Set resources.limits, logDriver json-file with max-size, and restartPolicy condition any.",
        threat="availability",
        types=(SERVICE,),
        check=limited,
    ),
    Rule(
        id="service-rollback",
        severity="medium",
        claim="An update of a service that fails is taken back, or stops for a stated reason.",
        remediation="Set updateConfig.failureAction to rollback.",
        threat="availability",
        types=(SERVICE,),
        check=taken_back,
    ),
    Rule(
        id="config-public",
        severity="high",
        claim="No config of a Swarm holds a secret.",
        remediation="Use a Secret: docker.Secret.",
        threat="secrets",
        types=(SERVICE_CONFIG,),
        check=config_is_public,
    ),
)
