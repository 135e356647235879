"""One recorded service, config or secret, as the Docker provider would create it on a Swarm."""

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any

import docker

from tests.live.docker.inputs import Inputs, nanoseconds, pairs, taking
from tests.live.docker.recorded import tagged

Values = Mapping[str, Any]
Identify = Callable[[str], str]
"""The recording's stand-in for an id → the Engine's."""
CONVERGES_WITHIN = 240.0
BYTES = 1


def config(client: docker.DockerClient, values: Values) -> str:
    return _kept(client.configs, values)


def secret(client: docker.DockerClient, values: Values) -> str:
    return _kept(client.secrets, values)


def _kept(collection: Any, values: Values) -> str:
    """A name stands for its content: what is there from an earlier graph is the same."""
    with taking(values, str(values["name"])) as inputs:
        name, data = inputs.take("name"), base64.b64decode(inputs.take("data"))
    found = [each for each in collection.list() if each.name == name]
    return str((found[0] if found else collection.create(name=name, data=data)).id)


def create(client: docker.DockerClient, values: Values, identify: Identify) -> str:
    """Create a service; returns its id. `converged` waits for it."""
    api: Any = client.api
    made = api._result(api._post_json(api._url("/services/create"), data=specification(values, identify)), json=True)
    return str(made["ID"])


def update(client: docker.DockerClient, identity: str, values: Values, identify: Identify) -> None:
    """Change a service in place, as the provider does."""
    api: Any = client.api
    version = api.inspect_service(identity)["Version"]["Index"]
    url = api._url("/services/{0}/update", identity)
    api._raise_for_status(api._post_json(url, data=specification(values, identify), params={"version": version}))


def converged(client: docker.DockerClient, identity: str, within: float = CONVERGES_WITHIN) -> str:
    """Wait until every task that is wanted runs; returns the state of the last update ("completed", "rollback_…").

    Raises ``TimeoutError`` with what the tasks say.
    """
    deadline = time.monotonic() + within
    api: Any = client.api
    while time.monotonic() < deadline:
        service = api.inspect_service(identity)
        state = service.get("UpdateStatus", {}).get("State", "completed")
        if state not in ("updating", "rollback_started") and _is_full(api, service):
            return str(state)
        time.sleep(0.3)
    raise TimeoutError(f"{identity}: {[_told(task) for task in api.tasks({'service': identity})]}")


def _told(task: Mapping[str, Any]) -> str:
    status = task["Status"]
    return f"{status['State']}: {status.get('Err', '')} {status.get('Message', '')}"


def _is_full(api: Any, service: Mapping[str, Any]) -> bool:
    tasks = api.tasks({"service": service["ID"], "desired-state": "running"})
    mode = service["Spec"]["Mode"]
    nodes = [node for node in api.nodes() if node["Status"]["State"] == "ready"]
    wanted = mode["Replicated"]["Replicas"] if "Replicated" in mode else len(nodes)
    running = sum(task["Status"]["State"] == "running" for task in tasks)
    return bool(running == wanted == len(tasks))


def specification(values: Values, identify: Identify) -> dict[str, Any]:
    """The body that the Engine takes. Every input is in it, or has its reason here."""
    with taking(values, str(values["name"])) as inputs:
        # How long the provider waits, which `converged` does here.
        inputs.take("convergeConfig")
        return {
            "Name": inputs.take("name"),
            "Labels": pairs(inputs.take("labels", []), inputs.place),
            "Mode": _mode(inputs.take("mode"), inputs.place),
            "EndpointSpec": _endpoint(inputs.take("endpointSpec"), inputs.place),
            "UpdateConfig": _update(inputs.take("updateConfig"), inputs.place),
            "RollbackConfig": _update(inputs.take("rollbackConfig"), inputs.place),
            "TaskTemplate": _task(inputs.take("taskSpec"), inputs.place, identify),
        }


def _mode(mode: Values, place: str) -> dict[str, Any]:
    with taking(mode, place) as inputs:
        if inputs.take("global"):
            return {"Global": {}}
        with taking(inputs.take("replicated"), place) as replicated:
            return {"Replicated": {"Replicas": replicated.take("replicas")}}


def _endpoint(endpoint: Values, place: str) -> dict[str, Any]:
    """This kernel has no IPVS, so there are no virtual addresses: names stand for tasks in every service."""
    with taking(endpoint, place) as inputs:
        assert inputs.take("mode") in ("dnsrr", "vip")
    return {"Mode": "dnsrr"}


def _update(config: Values, place: str) -> dict[str, Any]:
    with taking(config, place) as inputs:
        return {
            "Parallelism": inputs.take("parallelism"),
            "Delay": nanoseconds(inputs.take("delay")),
            "FailureAction": inputs.take("failureAction"),
            "Monitor": nanoseconds(inputs.take("monitor")),
            "MaxFailureRatio": float(inputs.take("maxFailureRatio")),
            "Order": inputs.take("order"),
        }


def _task(task: Values, place: str, identify: Identify) -> dict[str, Any]:
    with taking(task, place) as inputs:
        return {
            "ContainerSpec": _container(inputs.take("containerSpec"), place, identify),
            "Networks": [_network(network, place, identify) for network in inputs.take("networksAdvanceds", [])],
            "Placement": _placement(inputs.take("placement", {}), place),
            "Resources": _resources(inputs.take("resources"), place),
            "RestartPolicy": _restart(inputs.take("restartPolicy"), place),
            "LogDriver": _log(inputs.take("logDriver"), place),
        }


def _container(container: Values, place: str, identify: Identify) -> dict[str, Any]:
    with taking(container, place) as inputs:
        environment = inputs.take("env", {})
        with taking(inputs.take("dnsConfig"), place) as names:
            servers = names.take("nameservers")
        return {
            "Image": tagged(inputs.take("image")),
            "Command": inputs.take("commands"),
            "Args": inputs.take("args"),
            "Env": [f"{key}={value}" for key, value in environment.items()],
            "User": inputs.take("user"),
            "Labels": pairs(inputs.take("labels", []), place),
            "Hostname": inputs.take("hostname"),
            "DNSConfig": {"Nameservers": servers},
            "ReadOnly": inputs.take("readOnly"),
            "Init": inputs.take("init"),
            "CapabilityDrop": inputs.take("capDrops"),
            "Mounts": [_mount(mount, place) for mount in inputs.take("mounts", [])],
            "Configs": [_file(entry, "config", place, identify) for entry in inputs.take("configs", [])],
            "Secrets": [_file(entry, "secret", place, identify) for entry in inputs.take("secrets", [])],
            "Healthcheck": _healthcheck(inputs.take("healthcheck"), place),
            "StopGracePeriod": nanoseconds(inputs.take("stopGracePeriod")),
        }


def _file(entry: Values, kind: str, place: str, identify: Identify) -> dict[str, Any]:
    with taking(entry, place) as inputs:
        target = {
            "Name": inputs.take("fileName"),
            "UID": inputs.take("fileUid"),
            "GID": inputs.take("fileGid"),
            "Mode": inputs.take("fileMode"),
        }
        title, identity = inputs.take(f"{kind}Name"), identify(inputs.take(f"{kind}Id"))
    return {"File": target, f"{kind.title()}ID": identity, f"{kind.title()}Name": title}


def _mount(mount: Values, place: str) -> dict[str, Any]:
    with taking(mount, place) as inputs:
        found: dict[str, Any] = {
            "Target": inputs.take("target"),
            "Source": inputs.take("source"),
            "Type": inputs.take("type"),
            "ReadOnly": inputs.take("readOnly", False),
        }
        tmpfs, volume = inputs.take("tmpfsOptions"), inputs.take("volumeOptions")
    if tmpfs:
        with taking(tmpfs, place) as options:
            found["TmpfsOptions"] = {"SizeBytes": options.take("sizeBytes"), "Mode": options.take("mode")}
    if volume:
        with taking(volume, place) as options:
            found["VolumeOptions"] = {"Labels": pairs(options.take("labels", []), place)}
    return {key: value for key, value in found.items() if value is not None}


def _healthcheck(check: Values | None, place: str) -> dict[str, Any] | None:
    if check is None:
        return None
    with taking(check, place) as inputs:
        return {
            "Test": inputs.take("tests"),
            "Interval": nanoseconds(inputs.take("interval")),
            "Timeout": nanoseconds(inputs.take("timeout")),
            "StartPeriod": nanoseconds(inputs.take("startPeriod")),
            "Retries": inputs.take("retries"),
        }


def _network(network: Values, place: str, identify: Identify) -> dict[str, Any]:
    with taking(network, place) as inputs:
        return {"Target": identify(inputs.take("id")), "Aliases": inputs.take("aliases")}


def _placement(placement: Values, place: str) -> dict[str, Any]:
    with taking(placement, place) as inputs:
        spread = [{"Spread": {"SpreadDescriptor": text}} for text in inputs.take("prefs", [])]
        return {
            "Constraints": inputs.take("constraints", []),
            "Preferences": spread,
            "MaxReplicas": inputs.take("maxReplicas", 0),
        }


def _resources(resources: Values, place: str) -> dict[str, Any]:
    with taking(resources, place) as inputs:
        return {
            "Limits": _amounts(inputs.take("limits"), place),
            "Reservations": _amounts(inputs.take("reservation"), place),
        }


def _amounts(amounts: Values, place: str) -> dict[str, int]:
    with taking(amounts, place) as inputs:
        return {"MemoryBytes": inputs.take("memoryBytes"), "NanoCPUs": inputs.take("nanoCpus")}


def _restart(policy: Values, place: str) -> dict[str, Any]:
    with taking(policy, place) as inputs:
        return {
            "Condition": inputs.take("condition"),
            "Delay": nanoseconds(inputs.take("delay")),
            "Window": nanoseconds(inputs.take("window")),
        }


def _log(driver: Values, place: str) -> dict[str, Any]:
    with taking(driver, place) as inputs:
        return {"Name": inputs.take("name"), "Options": inputs.take("options")}


__all__ = ["Inputs", "config", "converged", "create", "secret", "specification", "update"]
