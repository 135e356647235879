"""A recorded graph (`python -m ops.preview --json`) as values: containers, networks, routes, files. Pure.

Nothing in here knows a container by name: what is there is read from labels, members and components.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

Graph = dict[str, Any]
Resource = dict[str, Any]
CONTAINER, NETWORK = "docker:index/container:Container", "docker:index/network:Network"
SERVICE = "docker:index/service:Service"
KEPT = {"config": "docker:index/serviceConfig:ServiceConfig", "secret": "docker:index/secret:Secret"}
MIB = 1024 * 1024
VOLUME, IMAGE = "docker:index/volume:Volume", "docker:index/remoteImage:RemoteImage"
SERVER, FIREWALL = "hcloud:index/server:Server", "hcloud:index/firewall:Firewall"
ADDRESS = "hcloud:index/primaryIp:PrimaryIp"
ACCESS = "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"
TUNNEL_CONFIG = "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig"
ZONE_SETTING, RULESET = "cloudflare:index/zoneSetting:ZoneSetting", "cloudflare:index/ruleset:Ruleset"
GATEWAY, EGRESS = "zero-exposure:index:Gateway", "zero-exposure:index:Egress"
LABEL = "zero-exposure."
SECRET = "[secret]"  # noqa: S105 - the mark that stands for a value
CARRIER = "carrier"
"""Role of the containers that never run and only bring files into a volume."""


@dataclass(frozen=True)
class Node:
    """A container that runs, or a service of a Swarm. ``layer`` is the component that it belongs to.

    ``addresses`` are by network, and empty where Swarm gives them.
    """

    name: str
    role: str
    layer: str
    image: str
    user: str
    memory: int
    config: str
    root_reason: str
    addresses: dict[str, str]
    data: tuple[str, ...]
    calls: tuple[str, ...]
    replicas: int = 1
    """Tasks of a service; 0 stands for one on each machine."""


@dataclass(frozen=True)
class Network:
    """A private network. ``client`` and ``server`` are empty where it is not a link of two."""

    name: str
    kind: str
    subnet: str
    internal: bool
    members: tuple[str, ...]
    client: str = ""
    server: str = ""


@dataclass(frozen=True)
class Route:
    """A public name and path, and the containers that serve it. ``admin``: for operators only."""

    host: str
    path: str
    admin: bool
    nodes: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a person writes it."""
        return self.host + self.path.removesuffix("/")


@dataclass(frozen=True)
class Entrance:
    """A host name of a tunnel, and what on the server it leads to."""

    host: str
    service: str


@dataclass(frozen=True)
class File:
    """A file that a container mounts read-only. ``digest`` is the SHA-256 of its text, None of a secret."""

    node: str
    path: str
    owner: str
    mode: str
    digest: str | None


@dataclass(frozen=True)
class Stack:
    """What a stack consists of."""

    name: str
    target: str
    nodes: dict[str, Node]
    networks: tuple[Network, ...]
    routes: tuple[Route, ...]
    entrances: tuple[Entrance, ...]
    guarded: tuple[str, ...]
    """Host names that Cloudflare Access stands in front of."""
    files: tuple[File, ...]
    server: str
    """Type and place of the rented server; empty where the stack runs on this machine."""
    inbound_rules: int
    zone_settings: int
    rulesets: int


def read(graph: Graph) -> Stack:
    """A stack from its recorded graph."""
    found = _Resources(graph)
    firewall_rules = [rule for each in found.of(FIREWALL) for rule in each["inputs"].get("rules", [])]
    return Stack(
        name=graph["stack"],
        target=graph["target"],
        nodes={node.name: node for node in sorted(_nodes(found), key=lambda node: node.name)},
        networks=tuple(sorted(_networks(found), key=lambda network: network.name)),
        routes=tuple(_routes(found)),
        entrances=tuple(sorted(_entrances(found), key=lambda entrance: entrance.host)),
        guarded=tuple(sorted(each["inputs"]["domain"] for each in found.of(ACCESS))),
        files=tuple(sorted((*_files(found), *_given(found)), key=lambda file: (file.node, file.path))),
        server=_servers(found),
        inbound_rules=sum(rule.get("direction") != "out" for rule in firewall_rules),
        zone_settings=len(found.of(ZONE_SETTING)),
        rulesets=len(found.of(RULESET)),
    )


def _servers(found: "_Resources") -> str:
    """Addresses that outlive their servers are what WireGuard goes between."""
    servers = [f"{each['inputs'].get('serverType')} in {each['inputs'].get('location')}" for each in found.of(SERVER)]
    return ", ".join(servers) + (", joined by WireGuard" if found.of(ADDRESS) else "")


class _Resources:
    """The resources of a graph by type and by URN."""

    def __init__(self, graph: Graph) -> None:
        self.by_urn: dict[str, Resource] = {each["urn"]: each for each in graph["resources"]}

    def of(self, token: str) -> list[Resource]:
        return [each for each in self.by_urn.values() if each["type"] == token]

    @property
    def carriers(self) -> list[Resource]:
        return [each for each in self.of(CONTAINER) if _label(each, "role") == CARRIER]

    @property
    def running(self) -> list[Resource]:
        containers = [each for each in self.of(CONTAINER) if _label(each, "role") != CARRIER]
        return [*containers, *(self._as_container(each) for each in self.of(SERVICE))]

    def _as_container(self, service: Resource) -> Resource:
        """A service in the form of a container: what its task says, and networks by name."""
        inputs = service["inputs"]
        task = inputs["taskSpec"]
        container = task["containerSpec"]
        networks = [
            each for urn in service["dependencies"] if (each := self.by_urn.get(urn)) and each["type"] == NETWORK
        ]
        shown = {
            "labels": inputs.get("labels", []),
            "image": container["image"],
            "user": container.get("user", ""),
            "memory": task.get("resources", {}).get("limits", {}).get("memoryBytes", 0) // MIB,
            "networksAdvanced": [{"name": network["inputs"]["name"]} for network in networks],
            "replicas": inputs.get("mode", {}).get("replicated", {}).get("replicas", 0),
            "given": {kind: container.get(f"{kind}s", []) for kind in KEPT},
        }
        return {**service, "inputs": shown}


def _label(resource: Resource, key: str) -> str:
    labels = {label["label"]: label["value"] for label in resource["inputs"].get("labels", [])}
    return str(labels.get(LABEL + key, ""))


def _name(container: Resource) -> str:
    return _label(container, "node") or str(container["name"])


def _addresses(container: Resource) -> dict[str, str]:
    given = container["inputs"].get("networksAdvanced") or []
    return {entry["name"]: entry.get("ipv4Address", "") for entry in given}


def _nodes(found: _Resources) -> Iterator[Node]:
    calls = {node: domains for each in found.of(EGRESS) for node, domains in each["outputs"].get("domains", {}).items()}
    data = [(_label(volume, "node"), volume["inputs"]["name"]) for volume in found.of(VOLUME) if volume["protect"]]
    for container in found.running:
        name, inputs = _name(container), container["inputs"]
        yield Node(
            name=name,
            role=_label(container, "role"),
            layer=_layer(container),
            image=_image(container, found),
            user=inputs.get("user", ""),
            memory=inputs.get("memory", 0),
            config=_label(container, "config"),
            root_reason=_label(container, "root-reason"),
            addresses=_addresses(container),
            data=tuple(sorted(volume for node, volume in data if node == name)),
            calls=tuple(calls.get(name, ())),
            replicas=inputs.get("replicas", 1),
        )


def _layer(container: Resource) -> str:
    """The component's noun: `…:index:Gateway::gateway` is the gateway."""
    component = (container["parent"] or "").split("::")
    return component[-2].rpartition(":")[2].lower() if len(component) > 1 else ""


def _image(container: Resource, found: _Resources) -> str:
    """The reference that was written down; the container itself holds only the image's id."""
    images = [found.by_urn[urn] for urn in container["dependencies"] if urn in found.by_urn]
    own = [each for each in images if each["type"] == IMAGE and each["name"] == f"{container['name']}-image"]
    return str(own[0]["inputs"]["name"]) if own else str(container["inputs"].get("image", ""))


def _networks(found: _Resources) -> Iterator[Network]:
    containers = [(_name(container), _addresses(container)) for container in found.running]
    for network in found.of(NETWORK):
        name, configs = network["inputs"]["name"], network["inputs"].get("ipamConfigs") or [{}]
        yield Network(
            name=name,
            kind=_label(network, "network"),
            subnet=configs[0].get("subnet", ""),
            internal=bool(network["inputs"].get("internal")),
            members=tuple(sorted(node for node, addresses in containers if name in addresses)),
            client=_label(network, "client"),
            server=_label(network, "server"),
        )


def _routes(found: _Resources) -> Iterator[Route]:
    for gateway in found.of(GATEWAY):
        for route in gateway["outputs"].get("routes", []):
            yield Route(route["host"], route["path"], route["admin"], tuple(route["nodes"]))


def _entrances(found: _Resources) -> Iterator[Entrance]:
    for config in found.of(TUNNEL_CONFIG):
        for ingress in config["inputs"]["config"].get("ingresses", []):
            if "hostname" in ingress:
                yield Entrance(ingress["hostname"], ingress["service"])


def _files(found: _Resources) -> Iterator[File]:
    mounts = {
        volume["volumeName"]: (_name(container), PurePosixPath(volume["containerPath"]))
        for container in found.running
        for volume in container["inputs"].get("volumes", [])
        if volume.get("readOnly") and "volumeName" in volume
    }
    for carrier in found.carriers:
        volumes = {each["containerPath"]: each["volumeName"] for each in carrier["inputs"].get("volumes", [])}
        for upload in carrier["inputs"].get("uploads", []):
            path = PurePosixPath(upload["file"])
            node, folder = mounts[volumes[str(path.parent)]]
            digest = None if upload["content"] == SECRET else hashlib.sha256(upload["content"].encode()).hexdigest()
            yield File(node, str(folder / path.name), _owner(upload), upload.get("permissions", ""), digest)


def _given(found: _Resources) -> Iterator[File]:
    """Configs and secrets of services."""
    texts = {each["inputs"]["name"]: each["inputs"]["data"] for token in KEPT.values() for each in found.of(token)}
    for service in found.running:
        for kind, entries in service["inputs"].get("given", {}).items():
            for entry in entries:
                text = texts[entry[f"{kind}Name"]]
                digest = None if kind == "secret" else hashlib.sha256(base64.b64decode(text)).hexdigest()
                owner = f"{entry.get('fileUid', '')}:{entry.get('fileGid', '')}"
                yield File(_name(service), entry["fileName"], owner, f"{entry['fileMode']:04o}", digest)


def _owner(upload: dict[str, Any]) -> str:
    return f"{upload.get('owner', '')}:{upload.get('group', '')}"
