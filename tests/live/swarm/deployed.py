"""The example of a Swarm on Engines of the test's own: formed by the recorded commands, and deployed as recorded."""

import json
import os
import runpy
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import docker
from docker.types import IPAMConfig, IPAMPool

from ops.preview.files import rendered
from ops.preview.record import Recording, record
from ops.preview.simulated import outputs_of
from ops.preview.stackfile import stack_values
from policy.rules.model import Resource
from tests.live.docker import container, images
from tests.live.docker.edge import Edge, edge_of
from tests.live.docker.inputs import UnappliedError, pairs, taking
from tests.live.docker.order import in_order
from tests.live.docker.recipes import recipes
from tests.live.docker.recorded import IMAGE, PASSWORD, ROOT, SERVICES, _refusal, password, tagged
from tests.live.ssh import reaching
from tests.live.swarm import service
from tests.live.swarm.machines import Fleet, Machine, fleet

STACK = "swarm"
SERVICE, COMMAND = "docker:index/service:Service", "command:local:Command"
CONTAINER = "docker:index/container:Container"
MACHINES = ("manager-1", "manager-2", "manager-3")
Change = Callable[[dict[str, Any]], None]


def recorded(
    image_ids: Mapping[str, str] | None = None, change: Change | None = None, other: Mapping[str, str] | None = None
) -> Recording:
    """The example's graph on three managers: this machine has no room for a fourth. ``other`` are values in the place
    of the stack file's."""
    known = image_ids or {}

    def outputs(token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if token == PASSWORD:
            return {"result": password(name)}
        if token == IMAGE and known:
            return {"imageId": known[tagged(inputs["name"])]}
        return {**outputs_of(token, name, inputs), **(_refusal() if "-refusal-" in name else {})}

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return record(program, stack=STACK, config={**stack_file(change), **(other or {})}, outputs=outputs)


def stack_file(change: Change | None = None) -> dict[str, str]:
    values = stack_values(ROOT, STACK)
    services = json.loads(values[SERVICES])
    services["postgres"]["node"] = MACHINES[0]
    if change:
        change(services)
    return {
        **values,
        SERVICES: json.dumps(services),
        "zero-exposure:nodes": json.dumps({"manager": {"count": len(MACHINES)}}),
    }


@dataclass
class Deployed:
    """Everything that runs, and the graph that it was made of."""

    fleet: Fleet
    edge: Edge
    image_ids: dict[str, str]
    recording: Recording
    commands: dict[str, str] = field(default_factory=dict)
    """Command → what it wrote on standard output."""
    identities: dict[str, str] = field(default_factory=dict)
    """Resource → the Engine's id."""
    made: dict[str, Resource] = field(default_factory=dict)
    """URN → what was made last, whether the graph still has it or not."""

    def client(self, machine: str = "") -> docker.DockerClient:
        """The Engine of a machine; without one, of a manager that lives."""
        found = self.fleet[machine] if machine else next(each for each in self.fleet.machines.values() if each.alive)
        return found.engine.client

    def apply(self, recording: Recording) -> list[str]:
        """Make what is new, on its machine, change services whose inputs are others; names of those. Nothing is taken
        away, not even what is made anew."""
        before = dict(self.made)
        wanted = [each for each in recording.resources if each.type.startswith("docker:")]
        new = [each for each in wanted if each.urn not in before or _is_replaced(before[each.urn], each)]
        self.made |= {each.urn: each for each in wanted}
        changed = [
            each for each in wanted if each.type == SERVICE and each not in new and before[each.urn].props != each.props
        ]
        self.recording = recording
        in_order(new, self._make)
        for each in changed:
            service.update(self.client(), self.identities[each.name], each.props, self._identify)
        return [each.name for each in changed]

    def run_commands(self) -> None:
        """What makes the machines one Swarm, in the order in which Pulumi would."""
        with tempfile.TemporaryDirectory() as folder:
            path = stub_ssh(Path(folder), self.fleet)
            for command in self.recording.of_type(COMMAND):
                if command.name.startswith(("member-", "swarm-")):
                    self.commands[command.name] = _shell(str(command.props["create"]), path)

    def command(self, name: str, step: str = "create", **environment: str) -> str:
        """Run one recorded command again; what it wrote."""
        found = next(each for each in self.recording.of_type(COMMAND) if each.name == name)
        with tempfile.TemporaryDirectory() as folder:
            return _shell(str(found.props[step]), stub_ssh(Path(folder), self.fleet), **environment)

    def tasks(self, name: str, state: str = "running") -> dict[str, str]:
        """Machine → id of the container of each running task of a service."""
        api: Any = self.client().api
        labels = {node["ID"]: node["Spec"]["Labels"]["zero-exposure.machine"] for node in api.nodes()}
        found = api.tasks({"service": f"{STACK}-{name}", "desired-state": "running"})
        return {
            labels[task["NodeID"]]: task["Status"]["ContainerStatus"]["ContainerID"]
            for task in found
            if task["Status"]["State"] == state
        }

    def execute(self, machine: str, identity: str, *command: str) -> tuple[int, str]:
        """Exit code and output of a command inside a container of a machine."""
        code, output = self.client(machine).containers.get(identity).exec_run(list(command))
        assert isinstance(output, bytes)
        return int(code or 0), output.decode("utf-8", "replace")

    def settled(self, name: str, within: float = service.CONVERGES_WITHIN) -> str:
        """Wait until a service has all its tasks; the state of its last update."""
        return service.converged(self.client(), self.identities[name], within)

    def _make(self, resource: Resource) -> None:
        client = self.client(self._machine(resource))
        kind, values = resource.type.rpartition(":")[2], resource.props
        if kind == "Service":
            identity = service.create(client, values, self._identify)
            if values.get("convergeConfig"):
                service.converged(client, identity)
        elif kind in MAKERS:
            identity = MAKERS[kind](client, values)
        else:
            raise UnappliedError(resource.type)
        self.identities[resource.name] = identity

    def _machine(self, resource: Resource) -> str:
        """The machine whose own Engine makes a resource; empty where Swarm does."""
        provider = (resource.provider or "").rpartition("::")[2]
        return provider.removeprefix("engine-").removesuffix("-docker") if provider.startswith("engine-") else ""

    def _identify(self, stand_in: str) -> str:
        return self.identities[stand_in.removesuffix("-id")]


def _is_replaced(before: Resource, after: Resource) -> bool:
    """Swarm changes no file in place, and a volume is on one machine."""
    changed = before.props != after.props and after.type.endswith((":ServiceConfig", ":Secret"))
    return changed or (before.provider != after.provider and after.type.endswith(":Volume"))


def _network(client: docker.DockerClient, values: Mapping[str, Any]) -> str:
    """This kernel has no ESP: the network is the declared one but for its encryption."""
    with taking(values, str(values["name"])) as inputs:
        options = dict(inputs.take("options"))
        assert options.pop("encrypted") == "true"
        made = client.api.create_network(
            inputs.take("name"),
            driver=inputs.take("driver"),
            internal=inputs.take("internal"),
            attachable=inputs.take("attachable"),
            enable_ipv6=inputs.take("ipv6"),
            ipam=IPAMConfig(pool_configs=[_pool(config, inputs.place) for config in inputs.take("ipamConfigs")]),
            labels=pairs(inputs.take("labels", []), inputs.place),
            options=options,
        )
    return str(made["Id"])


def _pool(config: Mapping[str, Any], place: str) -> IPAMPool:
    with taking(config, place) as inputs:
        return IPAMPool(subnet=inputs.take("subnet"), gateway=inputs.take("gateway"), iprange=inputs.take("ipRange"))


def _volume(client: docker.DockerClient, values: Mapping[str, Any]) -> str:
    with taking(values, str(values["name"])) as inputs:
        made = client.api.create_volume(inputs.take("name"), labels=pairs(inputs.take("labels", []), inputs.place))
    return str(made["Name"])


def _image(client: docker.DockerClient, values: Mapping[str, Any]) -> str:
    with taking(values, str(values["name"])) as inputs:
        inputs.take("keepLocally")
        return str(client.images.get(tagged(inputs.take("name"))).id)


MAKERS: dict[str, Callable[[docker.DockerClient, Mapping[str, Any]], str]] = {
    "Network": _network,
    "Volume": _volume,
    "RemoteImage": _image,
    "Container": container.create,
    "ServiceConfig": service.config,
    "Secret": service.secret,
}


def stub_ssh(folder: Path, machines: Fleet) -> str:
    """A PATH whose `ssh` reaches the machines' namespaces in the place of servers. The script is run as it was sent."""
    scripts = {
        f"ssh-{STACK}-{name}": (
            f"script=$(printf '%s' \"$1\" | sed 's#sudo /usr/local/lib/zero-exposure/swarm#{machine.folder}/swarm#')\n"
            f'exec {" ".join(machine.entering)} sh -c "$script"\n'
        )
        for name, machine in machines.machines.items()
    }
    return reaching(folder, scripts)


def _shell(text: str, path: str, **environment: str) -> str:
    """What a command wrote. Raises ``RuntimeError`` with what it said where it fails."""
    done = subprocess.run(
        ["/bin/sh", "-c", text],
        env={**os.environ, "PATH": path, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


@cache
def archive() -> Path:
    """The images that the example asks for."""
    recording = recorded()
    tasks = [each.props["taskSpec"]["containerSpec"]["image"] for each in recording.of_type(SERVICE)]
    names = {*map(str, tasks), *(str(image.props["name"]) for image in recording.of_type(IMAGE))}
    return images.archive(recipes(sorted(map(tagged, names))))


@contextmanager
def apart() -> Iterator[Deployed]:
    """Three machines with the images, which know nothing of each other yet."""
    path = archive()
    image_ids = images.ids(path)
    recording = recorded(image_ids)
    files = rendered(recording)
    user_data = {name: files[f"host-{name}/user-data.yaml"] for name in MACHINES}
    addresses = {
        each.name.removeprefix("host-").removesuffix("-network"): str(each.props["ip"])
        for each in recording.of_type("hcloud:index/serverNetwork:ServerNetwork")
    }
    with fleet(user_data, addresses) as machines:
        edge = edge_of(recording, machines.internet.edge)
        edge.start()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda machine: _load(machine, path), machines.machines.values()))
        yield Deployed(machines, edge, image_ids, recording)


@contextmanager
def deployed() -> Iterator[Deployed]:
    """The same as one Swarm with the whole example."""
    with apart() as found:
        found.run_commands()
        found.apply(found.recording)
        yield found


def _load(machine: Machine, path: Path) -> None:
    with path.open("rb") as content:
        machine.engine.client.images.load(content)
