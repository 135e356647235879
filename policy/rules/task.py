"""A service of a Swarm in the form of a container, so that one set of rules holds for both.

What Swarm can't say of a task is left as its Engine's own setting has it: daemon.json forbids new privileges.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .model import NO_PROPS, UNKNOWN, PropertyValue, Resource
from .reading import labels, maps
from .tokens import CONTAINER, SERVICE

FROM_TASK: Final = ("networksAdvanced", "volumes", "image", "uploads")
"""Inputs of the container that are made of the service's taskSpec."""
NODE: Final = "zero-exposure.node"
NO_NEW_PRIVILEGES: Final = ["no-new-privileges:true"]


def as_container(resource: Resource) -> Resource:
    """The container that each of a service's tasks is. A container is returned as it is, its volumes in one list."""
    if resource.type != SERVICE:
        return _with_volumes(resource)
    task = _map(resource.props.get("taskSpec"))
    props = {
        **_of_specification(_map(task.get("containerSpec"))),
        "name": resource.props.get("name"),
        "labels": resource.props.get("labels"),
        "networksAdvanced": _networks(task.get("networksAdvanceds")),
        "securityOpts": NO_NEW_PRIVILEGES,
        **_limits(task),
    }
    made_from = resource.property_dependencies.get("taskSpec", ())
    sources = {**resource.property_dependencies, **dict.fromkeys(FROM_TASK, made_from)}
    return replace(resource, type=CONTAINER, props=props, property_dependencies=sources)


def _with_volumes(resource: Resource) -> Resource:
    """Docker has two words for a mounted volume, and the stack rules know one."""
    mounts = maps(resource.props.get("mounts"))
    if not any(_is_volume(mount) for mount in mounts):
        return resource
    volumes = [_volume(mount) for mount in mounts if _is_volume(mount)]
    props = {
        **resource.props,
        "volumes": [*maps(resource.props.get("volumes")), *volumes],
        "mounts": [mount for mount in mounts if not _is_volume(mount)],
    }
    made_from = resource.property_dependencies
    both = {"volumes": (*made_from.get("volumes", ()), *made_from.get("mounts", ()))} if made_from else {}
    return replace(resource, props=props, property_dependencies={**made_from, **both})


def _is_volume(mount: Mapping[str, PropertyValue]) -> bool:
    return mount.get("type") == "volume"


def _of_specification(found: Mapping[str, PropertyValue]) -> dict[str, PropertyValue]:
    mounts = found.get("mounts")
    return {
        "image": found.get("image"),
        "user": found.get("user"),
        "readOnly": found.get("readOnly"),
        "hostname": found.get("hostname"),
        "envs": [f"{key}={value}" for key, value in _map(found.get("env")).items()],
        "entrypoints": found.get("commands"),
        "command": found.get("args"),
        "capabilities": {"drops": found.get("capDrops"), "adds": found.get("capAdds")},
        "groupAdds": found.get("groups"),
        "hosts": found.get("hosts"),
        "sysctls": found.get("sysctl"),
        "dns": _map(found.get("dnsConfig")).get("nameservers"),
        "volumes": [{**_volume(mount), "owner": _owner(mount)} for mount in maps(mounts) if _is_volume(mount)],
        "mounts": [mount for mount in maps(mounts) if not _is_volume(mount)],
        "restart": "always",
    }


def _volume(mount: Mapping[str, PropertyValue]) -> dict[str, PropertyValue]:
    return {
        "volumeName": mount.get("source"),
        "containerPath": mount.get("target"),
        "readOnly": mount.get("readOnly"),
    }


def _owner(mount: Mapping[str, PropertyValue]) -> str:
    """Where each machine makes a volume of its own, only the mount says whose it is."""
    return labels(_map(mount.get("volumeOptions"))).get(NODE, "")


def _networks(given: PropertyValue) -> PropertyValue:
    """By id, which is known only once the network exists: what it is made from tells which it is."""
    if not isinstance(given, list):
        return given
    return [{**_map(entry), "name": UNKNOWN if "id" in _map(entry) else _map(entry).get("name")} for entry in given]


def _limits(task: Mapping[str, PropertyValue]) -> dict[str, PropertyValue]:
    limits, log = _map(_map(task.get("resources")).get("limits")), _map(task.get("logDriver"))
    return {
        "memory": limits.get("memoryBytes"),
        "cpus": limits.get("nanoCpus"),
        "logDriver": log.get("name"),
        "logOpts": log.get("options"),
    }


def _map(value: PropertyValue) -> Mapping[str, PropertyValue]:
    """A map as it is; what is unknown or something else has nothing in it, and what is required is then missing."""
    return value if isinstance(value, Mapping) else NO_PROPS
