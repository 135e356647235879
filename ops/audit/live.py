"""One deployed stack: what the program says of it, and every way to look at it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ops.audit import cloud
from ops.audit.cloud import Server
from ops.audit.engine import Engine
from ops.audit.result import NotApplicableError, NotMeasuredError
from ops.audit.scan import Scanner, scanner
from ops.audit.web import Web
from ops.doctor.api import Api
from ops.preview.record import Recording
from policy.rules.model import UNKNOWN, Resource
from settings.cloud import Cloudflare
from settings.stack import Settings
from topology import Topology

CONTAINER = "docker:index/container:Container"
PREFIX = "zero-exposure."


@dataclass
class Live:
    """``recording`` is the program's own graph, with nothing in it that only a cloud could know. ``outputs`` are the
    stack's. An API is None where its token is missing."""

    stack: str
    settings: Settings
    topology: Topology
    recording: Recording
    outputs: Mapping[str, Any]
    engine: Engine = field(default_factory=Engine)
    web: Web = field(default_factory=Web)
    hetzner_api: Api | None = None
    cloudflare_api: Api | None = None
    prefix: tuple[str, ...] | None = None
    """Put in front of nmap's command; None: found out here."""

    def output(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """One of the stack's outputs. Raises ``NotMeasuredError`` where it has none of that name."""
        if name not in self.outputs:
            raise NotMeasuredError(f"the stack has no output {name}: run `pulumi up` with this version of the program")
        return self.outputs[name]

    def cloud_only(self) -> None:
        """Raises ``NotApplicableError`` with target local."""
        if self.settings.target == "local":
            raise NotApplicableError("target local: no server, and nothing on the internet")

    @property
    def hetzner(self) -> Api:
        """Hetzner's API."""
        self.cloud_only()
        if self.hetzner_api is None:
            raise NotMeasuredError("no Hetzner token: HCLOUD_TOKEN, or hcloud:token in the stack's configuration")
        return self.hetzner_api

    @property
    def cloudflare(self) -> Api:
        """Cloudflare's API."""
        self.cloud_only()
        if self.cloudflare_api is None:
            raise NotMeasuredError(
                "no Cloudflare token: CLOUDFLARE_API_TOKEN, or cloudflare:apiToken in the stack's configuration"
            )
        return self.cloudflare_api

    @property
    def zone(self) -> Cloudflare:
        """The account and the zone."""
        self.cloud_only()
        if self.settings.cloudflare is None:
            raise NotMeasuredError("the stack file has no cloudflare section")
        return self.settings.cloudflare

    @cached_property
    def server(self) -> Server:
        """The stack's server, as the provider has it."""
        return cloud.server(self.hetzner, int(self.output("serverId")), self.stack)

    @cached_property
    def scanner(self) -> Scanner:
        """nmap, for the server's addresses alone."""
        scope = frozenset(self.server.addresses)
        return scanner(scope) if self.prefix is None else Scanner(scope, self.prefix)

    @cached_property
    def planned(self) -> dict[str, Resource]:
        """Every container of the program by its Docker name, carriers too."""
        return {str(found.props["name"]): found for found in self.recording.of_type(CONTAINER)}

    @cached_property
    def containers(self) -> list[dict[str, Any]]:
        """Every container of the server. On this machine's own Engine: the stack's, and whoever is on its networks."""
        found = self.engine.containers()
        return found if self.settings.target == "cloud" else [entry for entry in found if self._concerns(entry)]

    @cached_property
    def networks(self) -> list[dict[str, Any]]:
        """Networks, within the same bounds."""
        found = self.engine.networks()
        own = self.settings.target == "local"
        return [entry for entry in found if not own or entry["Name"].startswith(f"{self.stack}-")]

    def _concerns(self, container: Mapping[str, Any]) -> bool:
        joined = container["NetworkSettings"]["Networks"]
        return name_of(container) in self.planned or any(name.startswith(f"{self.stack}-") for name in joined)

    def running(self, node: str) -> dict[str, Any]:
        """A node's container. Raises ``NotMeasuredError`` where it does not run."""
        name = f"{self.stack}-{node}"
        for found in self.containers:
            if name_of(found) == name and found["State"]["Running"]:
                return found
        raise NotMeasuredError(f"{name} does not run")


def name_of(container: Mapping[str, Any]) -> str:
    """A container's name, as people write it."""
    return str(container["Name"]).removeprefix("/")


def label(container: Mapping[str, Any], name: str) -> str:
    """One of the program's labels on a container, or nothing."""
    return str((container["Config"].get("Labels") or {}).get(f"{PREFIX}{name}", ""))


def planned_label(resource: Resource, name: str) -> object:
    """The same in the program's graph; UNKNOWN where only the deployment can know it."""
    found = (entry for entry in resource.props.get("labels", []) if entry.get("label") == f"{PREFIX}{name}")
    return next((entry.get("value", UNKNOWN) for entry in found), "")


def nodes(live: Live) -> Iterator[tuple[str, Resource]]:
    """Docker name and declaration of each container that is meant to run."""
    yield from ((name, found) for name, found in live.planned.items() if planned_label(found, "role") != "carrier")
