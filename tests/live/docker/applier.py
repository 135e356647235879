"""Makes an Engine be what a recorded graph says, as the Pulumi engine and the Docker provider do together.

Takes the ``docker:`` resources and nothing else. What changed is replaced, what is gone is removed, protected resources
stay. Independent resources are made at the same time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import docker
from docker.types import IPAMConfig, IPAMPool

from ops.preview.record import Recording
from policy.rules.model import Resource
from tests.live.docker import container
from tests.live.docker.inputs import UnappliedError, pairs, taking
from tests.live.docker.order import in_order

PREFIX = "docker:index/"
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Applied:
    """A resource that is there, and the Engine's id of it."""

    resource: Resource
    identity: str


@dataclass
class Applier:
    """Keeps what it has made, as the Pulumi engine keeps its state."""

    client: docker.DockerClient
    state: dict[str, Applied] = field(default_factory=dict)

    def apply(self, recording: Recording) -> set[str]:
        """Bring the Engine to the graph. Returns what was done, as "create NAME", "replace NAME", "delete NAME"."""
        wanted = {resource.urn: resource for resource in recording.resources if resource.type.startswith(PREFIX)}
        gone = [urn for urn, applied in self.state.items() if urn not in wanted and not applied.resource.protect]
        stale = [urn for urn in self.state if urn in wanted and self.state[urn].resource.props != wanted[urn].props]
        missing = [urn for urn in wanted if urn not in self.state]
        done = {f"delete {self.state[urn].resource.name}" for urn in gone}
        done |= {f"replace {wanted[urn].name}" for urn in stale} | {f"create {wanted[urn].name}" for urn in missing}
        for urn in [urn for urn in reversed(self.state) if urn in {*gone, *stale}]:
            self._delete(urn)
        in_order((wanted[urn] for urn in wanted if urn in {*stale, *missing}), self._make)
        return done

    def identity(self, kind: str, name: str) -> str:
        """The Engine's id of a resource by type ("container") and name."""
        return next(
            applied.identity
            for applied in self.state.values()
            if applied.resource.name == name and applied.resource.type.lower().endswith(f":{kind}")
        )

    def _make(self, resource: Resource) -> None:
        maker = MAKERS.get(resource.type)
        if maker is None:
            raise UnappliedError(resource.type)
        self.state[resource.urn] = Applied(resource, maker(self.client, resource.props))

    def _delete(self, urn: str) -> None:
        applied = self.state.pop(urn)
        REMOVERS[applied.resource.type](self.client, applied.identity, applied.resource.props)


def _network(client: docker.DockerClient, values: Values) -> str:
    with taking(values, str(values["name"])) as inputs:
        pools = [_pool(config, inputs.place) for config in inputs.take("ipamConfigs", [])]
        made = client.api.create_network(
            inputs.take("name"),
            driver=inputs.take("driver"),
            internal=inputs.take("internal"),
            attachable=inputs.take("attachable"),
            enable_ipv6=inputs.take("ipv6"),
            ipam=IPAMConfig(pool_configs=pools),
            labels=pairs(inputs.take("labels", []), inputs.place),
            options=inputs.take("options"),
        )
    return str(made["Id"])


def _pool(config: Values, place: str) -> IPAMPool:
    with taking(config, place) as inputs:
        return IPAMPool(subnet=inputs.take("subnet"), gateway=inputs.take("gateway"))


def _volume(client: docker.DockerClient, values: Values) -> str:
    with taking(values, str(values["name"])) as inputs:
        made = client.api.create_volume(inputs.take("name"), labels=pairs(inputs.take("labels", []), inputs.place))
    return str(made["Name"])


def _image(client: docker.DockerClient, values: Values) -> str:
    """An image that is there is not pulled again, and this Engine has no registry to pull from."""
    with taking(values, str(values["name"])) as inputs:
        inputs.take("keepLocally")
        return str(client.images.get(inputs.take("name")).id)


def _remove_network(client: docker.DockerClient, identity: str, _values: Values) -> None:
    client.api.remove_network(identity)


def _remove_volume(client: docker.DockerClient, identity: str, _values: Values) -> None:
    client.api.remove_volume(identity)


def _remove_image(_client: docker.DockerClient, _identity: str, values: Values) -> None:
    if not values.get("keepLocally"):
        raise UnappliedError("an image that is not kept")


MAKERS: dict[str, Callable[[docker.DockerClient, Values], str]] = {
    f"{PREFIX}network:Network": _network,
    f"{PREFIX}volume:Volume": _volume,
    f"{PREFIX}remoteImage:RemoteImage": _image,
    f"{PREFIX}container:Container": container.create,
}
REMOVERS: dict[str, Callable[[docker.DockerClient, str, Values], None]] = {
    f"{PREFIX}network:Network": _remove_network,
    f"{PREFIX}volume:Volume": _remove_volume,
    f"{PREFIX}remoteImage:RemoteImage": _remove_image,
    f"{PREFIX}container:Container": container.remove,
}
