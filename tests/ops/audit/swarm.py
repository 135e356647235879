"""A Swarm as it should be: what both clouds say of its machines, and what each machine's Engine says, until spoiled."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from subprocess import CompletedProcess
from typing import Any

from ops.audit import gather
from ops.audit.checks.configuration import CONFIG as CONFIGS
from ops.audit.checks.configuration import image_names
from ops.audit.cloud import Address
from ops.audit.engine import Engine, Machine
from ops.audit.live import CONTAINER, OF_SERVICE, OF_TASK, SERVICE, Live
from ops.audit.result import NotMeasuredError
from ops.audit.web import Web
from ops.doctor.api import Api
from ops.preview.record import Recording
from policy.rules.model import Resource
from tests.live.swarm.service import specification
from tests.ops.audit.stand import ROOT, Silent
from tests.ops.doctor.clouds import Answers
from topology.plan import plan

STACK, SETTINGS = "swarm", gather.settings_of(ROOT, "swarm")
PLAN = plan(SETTINGS)
ACCOUNT, ZONE = "0123456789abcdef0123456789abcdef", "99887766554433221100ffeeddccbbaa"
MACHINES = {machine.name: machine for machine in SETTINGS.machines}
HOSTS = {name: f"ssh-swarm-{name}.example.net" for name in MACHINES}
SERVERS = {name: str(40 + index) for index, name in enumerate(MACHINES)}
TUNNELS = {name: f"{index}1111111-1111-4111-8111-111111111111" for index, name in enumerate(MACHINES)}
APP = "99999999-9999-4999-8999-999999999999"
OUTPUTS = {"sshHosts": HOSTS, "hostKeys": dict.fromkeys(HOSTS, "ssh-ed25519 AAAA"), "serverIds": SERVERS,
           "adminTunnelIds": TUNNELS, "appTunnelId": APP}  # fmt: skip
CONFIG = "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig"
NETWORK = "docker:index/network:Network"


@cache
def program() -> Recording:
    """The example's graph."""
    return gather.program(ROOT, STACK)


def answers() -> Answers:
    """What both APIs say."""
    found: Answers = {"GET /firewalls/7": (200, {"firewall": {"id": 7, "rules": [{"direction": "out"}]}})}
    for name, identity in SERVERS.items():
        found[f"GET /servers/{identity}"] = (200, {"server": _server(name)})
    for role, (identity, connectors) in _tunnels().items():
        path = f"GET /accounts/{ACCOUNT}/cfd_tunnel/{identity}"
        clients = [{"id": str(each), "conns": [{}] * 4} for each in range(connectors)]
        found[path] = (200, {"result": {"status": "healthy", "config_src": "cloudflare"}})
        found[f"{path}/connections"] = (200, {"result": clients})
        found[f"{path}/configurations"] = (200, {"result": {"config": {"ingress": _ingress(role)}}})
    policies = [{"decision": "allow", "include": [{"email": {}}]}]
    access = [{"domain": host, "policies": policies} for host in (*HOSTS.values(), *PLAN.admin_hosts)]
    alert = {"alert_type": "tunnel_health_event", "enabled": True, "mechanisms": {"email": [{"id": "a"}]},
             "filters": {"tunnel_id": [*TUNNELS.values(), APP]}}  # fmt: skip
    return found | {
        f"GET /accounts/{ACCOUNT}/access/apps": (200, {"result": access}),
        f"GET /accounts/{ACCOUNT}/alerting/v3/policies": (200, {"result": [alert]}),
        f"GET /zones/{ZONE}/dns_records": (200, {"result": list(_records())}),
    }


def _tunnels() -> dict[str, tuple[str, int]]:
    """Role → id and number of connectors."""
    return {**{f"admin-{name}": (identity, 1) for name, identity in TUNNELS.items()}, "app": (APP, 2)}


def _server(name: str) -> dict[str, Any]:
    number = int(SERVERS[name])
    net = {
        "ipv4": {"ip": f"198.51.100.{number}"},
        "ipv6": {"ip": f"2001:db8:{number}::/64", "dns_ptr": []},
        "floating_ips": [],
        "firewalls": [{"id": 7, "status": "applied"}],
    }
    private = [{"network": 3, "ip": str(MACHINES[name].address)}]
    return {"id": number, "labels": {"zero-exposure": STACK}, "public_net": net, "private_net": private}


def _ingress(role: str) -> list[dict[str, Any]]:
    config = next(found for found in program().of_type(CONFIG) if found.name == f"tunnel-{role}-config")
    access = {"access": {"required": True, "teamName": "example", "audTag": ["aud"]}}
    return [
        {key: entry[key] for key in ("hostname", "service") if key in entry}
        | ({"originRequest": access} if "access" in entry.get("originRequest", {}) else {})
        for entry in config.props["config"]["ingresses"]
    ]


def _records() -> Iterator[dict[str, Any]]:
    for name, host in HOSTS.items():
        yield {"name": host, "type": "CNAME", "content": f"{TUNNELS[name]}.cfargotunnel.com", "proxied": True}
    for host in PLAN.hosts:
        yield {"name": host, "type": "CNAME", "content": f"{APP}.cfargotunnel.com", "proxied": True}


@dataclass(frozen=True)
class Kernel(Machine):
    """What a machine says of its processes. ``gaining``: those that may gain privileges."""

    gaining: set[str] = field(default_factory=set)

    def run(self, *command: str) -> "CompletedProcess[bytes]":
        """grep, in the files of processes."""
        assert command[:3] == ("grep", "-H", "NoNewPrivs")
        lines = [f"{path}:NoNewPrivs:\t{int(path.split('/')[2] not in self.gaining)}" for path in command[3:]]
        return CompletedProcess(command, 0, "\n".join(lines).encode())


@dataclass(frozen=True)
class Told(Engine):
    """An Engine that is asked for nothing but these."""

    machine: Kernel = Kernel()
    every: list[dict[str, Any]] = field(default_factory=list)
    nets: list[dict[str, Any]] = field(default_factory=list)
    declared: list[dict[str, Any]] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    data: dict[str, str] = field(default_factory=dict)
    texts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    silent: list[bool] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Requests from inside containers: which container, and where to. All Engines have one list."""
    deaf: list[str] = field(default_factory=list)
    """Gateways without CrowdSec's decisions."""

    def containers(self) -> list[dict[str, Any]]:
        if self.silent:
            raise NotMeasuredError("the server does not answer by SSH")
        return self.every

    def attempt(self, container: str, *command: str) -> None:
        self.asked.append((container, command[-1]))

    def execute(self, container: str, *command: str) -> str:
        """Counts of CrowdSec, which rise with each request, or the gateway's own."""
        if ".task" in container and container.startswith(f"{STACK}-gateway"):
            return f"gateway_crowdsec_up {int(container not in self.deaf)}"
        return "\n".join(
            f"{name} {len(self.asked)}" for name in ("cs_syslogsource_hits_total", "cs_parser_hits_ok_total")
        )

    def networks(self) -> list[dict[str, Any]]:
        return self.nets

    def services(self) -> list[dict[str, Any]]:
        return self.declared

    def tasks(self, *services: str) -> list[str]:
        return self.wanted

    def configs(self, *names: str) -> list[dict[str, Any]]:
        return [{"Spec": {"Name": name, "Data": self.data[name]}} for name in names if name in self.data]

    def images(self, *identities: str) -> list[dict[str, Any]]:
        return [{"Id": identity, "RepoTags": [identity.removeprefix("of ")]} for identity in identities]

    def files(self, container: str, folder: str) -> dict[str, bytes]:
        found = self.texts.get(container, {})
        return {path.rpartition("/")[2]: text for path, text in found.items() if path.rpartition("/")[0] == folder}


@dataclass
class Swarm:
    """Spoil any of it, then ask ``live``. Its Engines are the machines'; the first machine is the manager asked."""

    base: str
    answers: Answers
    engines: dict[str, Told]
    scanner: Silent
    outputs: dict[str, Any] = field(default_factory=lambda: deepcopy(OUTPUTS))

    @property
    def manager(self) -> Told:
        """Of whom services are asked."""
        return next(iter(self.engines.values()))

    def container(self, name: str) -> dict[str, Any]:
        """The first container of a service, or the one of that name."""
        every = [each for engine in self.engines.values() for each in engine.every]
        title = f"/{STACK}-{name}"
        return next(each for each in every if each["Name"] == title or each["Name"].startswith(f"{title}."))

    def spec(self, name: str) -> dict[str, Any]:
        """A service as the manager has it."""
        found: dict[str, Any] = next(
            each["Spec"] for each in self.manager.declared if each["Spec"]["Name"] == f"{STACK}-{name}"
        )
        return found

    def live(self) -> Live:
        """A fresh look at it."""
        web = Web(lambda _: (ip_address("104.16.0.1"), ip_address("2606:4700::1")), _connected, lambda *_: b"\x80")
        live = Live(STACK, SETTINGS, PLAN, program(), self.outputs, engines=self.engines, web=web)
        live.hetzner_api = live.cloudflare_api = Api(self.base, "t")
        live.__dict__["scanner"] = self.scanner
        return live


class _Line:
    def close(self) -> None:
        """Nothing to end."""


def _connected(_address: Address, _port: int) -> Any:
    return _Line()


def swarm(base: str, given: Answers) -> Swarm:
    """Every service with its tasks, one machine after the other."""
    asked: list[tuple[str, str]] = []
    engines = {name: Told(machine=Kernel(gaining=set()), asked=asked) for name in MACHINES}
    manager = next(iter(engines.values()))
    for resource in program().of_type(SERVICE):
        spec = specification(resource.props, str)
        # Swarm keeps the digest that live tests, which have no registry, take away.
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = resource.props["taskSpec"]["containerSpec"]["image"]
        manager.declared.append({"Spec": spec})
        for index, engine in enumerate(_places(resource, engines)):
            engine.every.append(_task(resource, index))
            manager.wanted.append(f"{resource.props['name']} {index}")
    for resource in program().of_type(CONTAINER):
        engines[_machine_of(resource)].every.append(_plain(resource))
    for network in program().of_type(NETWORK):
        for engine in engines.values():
            engine.nets.append(_network(network))
    manager.data.update({str(each.props["name"]): each.props["data"] for each in program().of_type(CONFIGS)})
    scope = [ip_address(f"198.51.100.{number}") for number in SERVERS.values()]
    scope += [ip_address(f"2001:db8:{number}::1") for number in SERVERS.values()]
    made = Swarm(base, given, engines, Silent(frozenset(scope)))
    _write_files(made)
    return made


def _places(resource: Resource, engines: dict[str, Told]) -> list[Told]:
    """An Engine for each task."""
    mode, every = resource.props["mode"], list(engines.values())
    if mode.get("global"):
        return every
    replicas = mode["replicated"]["replicas"]
    return [every[index % len(every)] for index in range(replicas)]


def _task(resource: Resource, index: int) -> dict[str, Any]:
    name, inner = str(resource.props["name"]), resource.props["taskSpec"]["containerSpec"]
    labels = {each["label"]: each["value"] for each in inner["labels"]}
    return {
        "Id": f"{name}-{index}",
        "Name": f"/{name}.{index}.task",
        "Image": f"of {inner['image']}",
        "Config": {
            "User": inner["user"],
            "Labels": {**labels, OF_SERVICE: name, OF_TASK: f"{name} {index}"},
        },
        "State": {"Running": True, "Status": "running", "Pid": 1000 + abs(hash(name)) % 10**6 + index},
        "HostConfig": {
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": [],
            "Dns": [str(address) for address in PLAN.resolvers],
        },
        "Mounts": [],
        "NetworkSettings": {
            "Networks": {net: {"IPAddress": "10.128.0.200"} for net in _joined(resource.name)},
            "Ports": {},
        },
    }


def _joined(node: str) -> list[str]:
    return [f"{STACK}-{network.name}" for network in PLAN.networks if node in network.members]


def _machine_of(resource: Resource) -> str:
    return PLAN.cluster.resolvers[resource.name.removesuffix("-carrier")] if PLAN.cluster else ""


def _plain(resource: Resource) -> dict[str, Any]:
    """A container that the program puts on one machine itself: a resolver, or its carrier."""
    props, runs = resource.props, resource.props.get("start", True)
    networks = {
        net["name"]: {"IPAddress": net["ipv4Address"], "IPAMConfig": {"IPv4Address": net["ipv4Address"]}}
        for net in props.get("networksAdvanced", [])
    }
    mounts = [
        {"Type": "volume", "Name": each["volumeName"], "Destination": each["containerPath"],
         "RW": not each.get("readOnly")} for each in props.get("volumes", [])
    ]  # fmt: skip
    return {
        "Id": props["name"],
        "Name": f"/{props['name']}",
        "Image": f"of {image_names(program()).get(props['name'], '')}",
        "Config": {
            "User": props.get("user"),
            "Labels": {each["label"]: each["value"] for each in props["labels"]},
            "Entrypoint": props.get("entrypoints"),
            "Cmd": props.get("command"),
        },
        "State": {"Running": runs, "Status": "running" if runs else "created", "Health": {"Status": "healthy"}},
        "HostConfig": {
            "ReadonlyRootfs": props.get("readOnly"),
            "CapDrop": ["ALL"],
            "SecurityOpt": props["securityOpts"],
            "Memory": props.get("memory", 0) * 1024 * 1024,
            "Dns": props.get("dns"),
            "Tmpfs": props.get("tmpfs"),
        },
        "Mounts": mounts,
        "NetworkSettings": {"Networks": networks, "Ports": {}},
    }


def _network(resource: Resource) -> dict[str, Any]:
    props = resource.props
    return {
        "Id": f"{resource.name}-id",
        "Name": props["name"],
        "Internal": props["internal"],
        "Options": props["options"],
        "IPAM": {"Config": [{"Subnet": props["ipamConfigs"][0]["subnet"]}]},
    }


def _write_files(made: Swarm) -> None:
    """What carriers bring lies where the containers that they are for mount it."""
    for carrier in program().of_type(CONTAINER):
        for upload in carrier.props.get("uploads", []):
            engine, name = made.engines[_machine_of(carrier)], str(carrier.props["name"]).removesuffix("-carrier")
            path = f"/etc/zero-exposure/resolver/{upload['file'].rpartition('/')[2]}"
            engine.texts.setdefault(name, {})[path] = upload["content"].encode()
