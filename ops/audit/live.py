"""One deployed stack: what the program says of it, and every way to look at it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ops.audit import cloud
from ops.audit.cloud import Address, Server
from ops.audit.engine import Engine
from ops.audit.result import NotApplicableError, NotMeasuredError
from ops.audit.scan import Scanner, scanner
from ops.audit.web import Web
from ops.doctor.api import Api
from ops.preview.record import Recording
from policy.rules.model import UNKNOWN, Resource
from settings.cloud import Cloudflare
from settings.stack import Settings
from topology.model import Topology

CONTAINER, SERVICE = "docker:index/container:Container", "docker:index/service:Service"
PREFIX = "zero-exposure."
ONE_SERVER = ""
"""Name of the machine where there is only one."""
OF_SERVICE, OF_TASK = "com.docker.swarm.service.name", "com.docker.swarm.task.id"
"""Labels that Swarm puts on the container of a task."""


@dataclass
class Live:
    """``recording`` is the program's own graph, with nothing in it that only a cloud could know. ``outputs`` are the
    stack's. ``engine`` is the one server's; on a Swarm ``engines`` are all of them, by machine. An API is None where
    its token is missing."""

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
    engines: Mapping[str, Engine] = field(default_factory=dict)

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

    @property
    def machines(self) -> tuple[str, ...]:
        """Names of the servers; of the only one ``ONE_SERVER``."""
        cluster = self.topology.cluster
        return tuple(machine.name for machine in cluster.machines) if cluster else (ONE_SERVER,)

    def of_each(self, output: str) -> dict[str, str]:
        """What the stack tells of each machine. Raises ``NotMeasuredError`` where it does not tell it of every one."""
        self.cloud_only()
        if self.topology.cluster is None:
            return {ONE_SERVER: str(self.output(output))}
        found = self.output(f"{output}s")
        missing = [machine for machine in self.machines if machine not in found]
        if missing:
            raise NotMeasuredError(f"the stack's output {output}s has no {', '.join(missing)}")
        return {machine: str(found[machine]) for machine in self.machines}

    @property
    def ssh_hosts(self) -> tuple[str, ...]:
        """Host names of SSH."""
        return tuple(self.of_each("sshHost").values())

    @property
    def tunnels(self) -> dict[str, str]:
        """Role → id at Cloudflare. On a Swarm there is an admin tunnel for each machine."""
        admin = {f"admin {machine}".strip(): found for machine, found in self.of_each("adminTunnelId").items()}
        return {**admin, "app": str(self.output("appTunnelId"))}

    @cached_property
    def servers(self) -> dict[str, Server]:
        """The stack's servers by machine, as the provider has them."""
        identities = self.of_each("serverId")
        return {machine: cloud.server(self.hetzner, int(found), self.stack) for machine, found in identities.items()}

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Public addresses of all servers."""
        return tuple(address for server in self.servers.values() for address in server.addresses)

    @cached_property
    def scanner(self) -> Scanner:
        """nmap, for the servers' addresses alone."""
        scope = frozenset(self.addresses)
        return scanner(scope) if self.prefix is None else Scanner(scope, self.prefix)

    @property
    def by_machine(self) -> Mapping[str, Engine]:
        """Every Engine."""
        return self.engines if self.topology.cluster else {ONE_SERVER: self.engine}

    @property
    def manager(self) -> Engine:
        """The Engine that knows services: the manager that deployments go through. Raises ``NotMeasuredError``."""
        cluster = self.topology.cluster
        if cluster is None or cluster.through not in self.engines:
            raise NotMeasuredError("there is no manager to ask")
        return self.engines[cluster.through]

    @cached_property
    def planned(self) -> dict[str, Resource]:
        """Every container of the program by its Docker name, carriers too."""
        return {str(found.props["name"]): found for found in self.recording.of_type(CONTAINER)}

    @cached_property
    def planned_services(self) -> dict[str, Resource]:
        """Every service of a Swarm by its name; none where there is one server."""
        return {str(found.props["name"]): found for found in self.recording.of_type(SERVICE)}

    @cached_property
    def on_machines(self) -> dict[str, list[dict[str, Any]]]:
        """Every container by machine. On this machine's own Engine: the stack's, and whoever is on its networks. Of a
        Swarm's tasks those that run: it keeps some that are over."""
        found = {machine: engine.containers() for machine, engine in self.by_machine.items()}
        return {machine: [each for each in entries if self._counts(each)] for machine, entries in found.items()}

    @property
    def containers(self) -> list[dict[str, Any]]:
        """Every container of every machine."""
        return [entry for entries in self.on_machines.values() for entry in entries]

    @cached_property
    def networks(self) -> list[dict[str, Any]]:
        """Networks of every machine, within the same bounds; one that several machines know is there as often."""
        found = [network for engine in self.by_machine.values() for network in engine.networks()]
        own = self.settings.target == "local"
        return [entry for entry in found if not own or entry["Name"].startswith(f"{self.stack}-")]

    @cached_property
    def services(self) -> list[dict[str, Any]]:
        """What a manager says of every service."""
        return self.manager.services()

    def _counts(self, container: Mapping[str, Any]) -> bool:
        over = self.topology.cluster and service_of(container) and not container["State"]["Running"]
        return not over if self.settings.target == "cloud" else self._concerns(container)

    def _concerns(self, container: Mapping[str, Any]) -> bool:
        joined = container["NetworkSettings"]["Networks"]
        return name_of(container) in self.planned or any(name.startswith(f"{self.stack}-") for name in joined)

    def title(self, container: Mapping[str, Any]) -> str:
        """STACK-NODE: a container's name, or on a Swarm that of its service."""
        return (service_of(container) if self.topology.cluster else "") or name_of(container)

    def running(self, node: str) -> list[tuple[Engine, dict[str, Any]]]:
        """A node's containers, on a Swarm one for each task, each with its Engine. Raises ``NotMeasuredError`` where
        none runs."""
        name = f"{self.stack}-{node}"
        found = [
            (self.by_machine[machine], entry)
            for machine, entries in self.on_machines.items()
            for entry in entries
            if self.title(entry) == name and entry["State"]["Running"]
        ]
        if not found:
            raise NotMeasuredError(f"{name} does not run")
        return found


def name_of(container: Mapping[str, Any]) -> str:
    """A container's name, as people write it."""
    return str(container["Name"]).removeprefix("/")


def service_of(container: Mapping[str, Any]) -> str:
    """The service that a container is a task of, or nothing."""
    return str(((container.get("Config") or {}).get("Labels") or {}).get(OF_SERVICE, ""))


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
