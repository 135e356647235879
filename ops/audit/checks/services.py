"""Services of a Swarm, held against the program. A manager says what they are; tasks are containers as any other."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.audit.live import OF_TASK, name_of, service_of
from policy.rules.model import UNKNOWN, Resource
from topology.model import Topology

Service = Mapping[str, Any]
Container = Mapping[str, Any]
Shape = dict[str, object]


def names(services: Sequence[Service]) -> dict[str, Service]:
    """Services by name."""
    return {str(service["Spec"]["Name"]): service for service in services}


def image(service: Service) -> str:
    """What a service runs, as it was asked for: Swarm itself adds the digest that it found."""
    return str(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])


def published(services: Sequence[Service]) -> Iterator[str]:
    """Every port of a service that the machines take connections on."""
    for name, service in sorted(names(services).items()):
        asked = (service["Spec"].get("EndpointSpec") or {}).get("Ports") or []
        there = (service.get("Endpoint") or {}).get("Ports") or []
        ports = {f"{port.get('TargetPort')}/{port.get('Protocol', 'tcp')}" for port in [*asked, *there]}
        yield from (f"{name}: publishes {port}" for port in sorted(ports))


def planned_shape(resource: Resource, topology: Topology, stack: str) -> Shape:
    """What of a declared service can be compared."""
    spec = resource.props["taskSpec"]
    inner = spec["containerSpec"]
    node = str(resource.props["name"]).removeprefix(f"{stack}-")
    mode = resource.props.get("mode", {})
    return {
        "user": inner.get("user"),
        "read-only": bool(inner.get("readOnly")),
        "capabilities": sorted(inner.get("capDrops", [])),
        "memory": spec["resources"]["limits"]["memoryBytes"],
        "networks": sorted(f"{stack}-{network.name}" for network in topology.networks if node in network.members),
        "mounts": sorted(
            f"{mount['type']} {_source(mount)} on {mount['target']}{' read-only' if mount.get('readOnly') else ''}"
            for mount in inner.get("mounts", [])
        ),
        "configs": {each["fileName"]: each["configName"] for each in inner.get("configs", [])},
        "secrets": sorted(each["fileName"] for each in inner.get("secrets", [])),
        "names": [str(address) for address in topology.resolvers],
        "replicas": "everywhere" if mode.get("global") else mode.get("replicated", {}).get("replicas", 1),
        "placement": sorted((spec.get("placement") or {}).get("constraints", [])),
        # Left out in the program, these are the image's own.
        "entry point": inner.get("commands") or None,
        "command": inner.get("args") or None,
    }


def _source(mount: Mapping[str, Any]) -> str:
    source = mount.get("source", "")
    return str(source) if source is not UNKNOWN and mount["type"] != "tmpfs" else ""


def live_shape(service: Service, networks: Mapping[str, str]) -> Shape:
    """The same of a service as a manager has it. ``networks``: id → name."""
    spec = service["Spec"]["TaskTemplate"]
    inner, mode = spec["ContainerSpec"], service["Spec"].get("Mode") or {}
    joined = [str(each["Target"]) for each in spec.get("Networks") or []]
    return {
        "user": inner.get("User"),
        "read-only": bool(inner.get("ReadOnly")),
        "capabilities": sorted(inner.get("CapabilityDrop") or []),
        "added capabilities": sorted(inner.get("CapabilityAdd") or []),
        "memory": ((spec.get("Resources") or {}).get("Limits") or {}).get("MemoryBytes"),
        "networks": sorted(networks.get(each, each) for each in joined),
        "mounts": sorted(
            f"{mount['Type']} {mount.get('Source', '')} on {mount['Target']}"
            f"{' read-only' if mount.get('ReadOnly') else ''}"
            for mount in inner.get("Mounts") or []
        ),
        "configs": {each["File"]["Name"]: each["ConfigName"] for each in inner.get("Configs") or []},
        "secrets": sorted(each["File"]["Name"] for each in inner.get("Secrets") or []),
        "names": list((inner.get("DNSConfig") or {}).get("Nameservers") or []),
        "replicas": "everywhere" if "Global" in mode else (mode.get("Replicated") or {}).get("Replicas", 1),
        "placement": sorted((spec.get("Placement") or {}).get("Constraints") or []),
        "entry point": inner.get("Command") or None,
        "command": inner.get("Args") or None,
    }


def judge(
    services: Sequence[Service],
    planned: Mapping[str, Resource],
    networks: Mapping[str, str],
    topology: Topology,
    stack: str,
) -> Iterator[str]:
    """Whatever of the services is not as declared. ``networks``: id → name."""
    found = names(services)
    yield from (f"service {name} is not in the program" for name in sorted(found.keys() - planned.keys()))
    yield from (f"service {name} is missing" for name in sorted(planned.keys() - found.keys()))
    for name in sorted(planned.keys() & found.keys()):
        wanted = {"added capabilities": [], **planned_shape(planned[name], topology, stack)}
        there = live_shape(found[name], networks)
        different = [key for key, value in wanted.items() if value != there[key]]
        if different:
            yield f"service {name}: differs from the program in: {', '.join(different)}"


def judge_tasks(
    containers: Sequence[Container], tasks: Sequence[str], planned: Mapping[str, Resource], machines: int
) -> Iterator[str]:
    """Every service has the tasks that it should, and no container only looks like one. ``tasks``: ids that a manager
    wants to run."""
    running = [each for each in containers if service_of(each) and each["State"]["Running"]]
    for each in running:
        if each["Config"]["Labels"].get(OF_TASK) not in tasks:
            yield f"{name_of(each)} is no task of the Swarm, though it says so"
        if (each["State"].get("Health") or {}).get("Status") == "unhealthy":
            yield f"{name_of(each)} is unhealthy"
    for name, resource in sorted(planned.items()):
        mode = resource.props.get("mode", {})
        wanted = machines if mode.get("global") else mode.get("replicated", {}).get("replicas", 1)
        there = sum(service_of(each) == name for each in running)
        if there != wanted:
            yield f"service {name}: {there} tasks run, not {wanted}"


def config_data(configs: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Name → content of each file that tasks get."""
    return {str(each["Spec"]["Name"]): base64.b64decode(each["Spec"].get("Data") or "") for each in configs}
