"""One recorded container, as the Docker provider would create it on an Engine."""

import io
import resource
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker
from docker.types import Healthcheck, HostConfig, LogConfig, Ulimit

from tests.live.docker.inputs import Inputs, nanoseconds, pairs, taking

MIB = 1024 * 1024
CAP_SYS_RESOURCE = 24


def create(client: docker.DockerClient, values: Mapping[str, Any]) -> str:
    """Create, connect, fill and start a container, and wait until it is healthy if asked to. Returns its id.

    The order is the provider's: networks are joined one by one in place of the default bridge, before the start.
    """
    with taking(values, str(values["name"])) as inputs:
        networks, uploads = inputs.take("networksAdvanced", []), inputs.take("uploads", [])
        start, wait = inputs.take("start", True), inputs.take("wait", False)
        within, must_run = inputs.take("waitTimeout", 60), inputs.take("mustRun", True)
        # Only of interest when the container is removed: see remove.
        inputs.take("destroyGraceSeconds")
        identity = _create(client, inputs)
    _connect(client, identity, networks)
    for upload in uploads:
        _upload(client, identity, upload)
    if start:
        client.api.start(identity)
        _check(client, identity, within if wait else 0, must_run)
    return identity


def remove(client: docker.DockerClient, identity: str, values: Mapping[str, Any]) -> None:
    """Remove a container: at once, or after a grace time to end by itself."""
    if grace := values.get("destroyGraceSeconds"):
        client.api.stop(identity, timeout=grace)
    client.api.remove_container(identity, v=True, force=True)


def _create(client: docker.DockerClient, inputs: Inputs) -> str:
    created = client.api.create_container(
        name=inputs.take("name"),
        image=inputs.take("image"),
        command=inputs.take("command"),
        entrypoint=inputs.take("entrypoints"),
        hostname=inputs.take("hostname"),
        user=inputs.take("user"),
        environment=inputs.take("envs", []),
        labels=pairs(inputs.take("labels", []), inputs.place),
        healthcheck=_healthcheck(inputs.take("healthcheck"), inputs.place),
        host_config=_host_config(client, inputs),
    )
    return str(created["Id"])


def _host_config(client: docker.DockerClient, inputs: Inputs) -> HostConfig:
    with taking(inputs.take("capabilities", {}), inputs.place) as capabilities:
        drops = capabilities.take("drops")
    return client.api.create_host_config(
        binds=[_bind(volume, inputs.place) for volume in inputs.take("volumes", [])],
        tmpfs=inputs.take("tmpfs"),
        dns=inputs.take("dns"),
        extra_hosts=dict(_host(host, inputs.place) for host in inputs.take("hosts", [])),
        network_mode=inputs.take("networkMode"),
        read_only=inputs.take("readOnly"),
        init=inputs.take("init"),
        cap_drop=drops,
        security_opt=inputs.take("securityOpts"),
        restart_policy={"Name": inputs.take("restart", "no")},
        log_config=LogConfig(type=inputs.take("logDriver"), config=inputs.take("logOpts")),
        mem_limit=inputs.take("memory", 0) * MIB,
        memswap_limit=inputs.take("memorySwap", 0) * MIB,
        nano_cpus=int(float(inputs.take("cpus", 0)) * 10**9),
        ulimits=[_ulimit(limit, inputs.place) for limit in inputs.take("ulimits", [])],
    )


def _bind(volume: Mapping[str, Any], place: str) -> str:
    with taking(volume, place) as inputs:
        mode = "ro" if inputs.take("readOnly", False) else "rw"
        return f"{inputs.take('volumeName')}:{inputs.take('containerPath')}:{mode}"


def _host(host: Mapping[str, Any], place: str) -> tuple[str, str]:
    with taking(host, place) as inputs:
        return inputs.take("host"), inputs.take("ip")


def _ulimit(limit: Mapping[str, Any], place: str) -> Ulimit:
    """Without CAP_SYS_RESOURCE, as on some build machines, not even root may go above the limit that it has itself."""
    with taking(limit, place) as inputs:
        name, own = inputs.take("name"), resource.RLIM_INFINITY
        if name == "nofile" and not _may_raise_limits():
            own = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        soft, hard = inputs.take("soft"), inputs.take("hard")
        return Ulimit(name=name, soft=soft if own < 0 else min(soft, own), hard=hard if own < 0 else min(hard, own))


def _may_raise_limits() -> bool:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective, 16) & 1 << CAP_SYS_RESOURCE)


def _healthcheck(check: Mapping[str, Any] | None, place: str) -> Healthcheck | None:
    if check is None:
        return None
    with taking(check, place) as inputs:
        # Engines before 25 know no start interval, and take no notice of one.
        inputs.take("startInterval")
        return Healthcheck(
            test=inputs.take("tests"),
            interval=nanoseconds(inputs.take("interval")),
            timeout=nanoseconds(inputs.take("timeout")),
            start_period=nanoseconds(inputs.take("startPeriod")),
            retries=inputs.take("retries"),
        )


def _connect(client: docker.DockerClient, identity: str, networks: list[Mapping[str, Any]]) -> None:
    if networks:
        client.api.disconnect_container_from_network(identity, "bridge")
    for network in networks:
        with taking(network, identity) as inputs:
            client.api.connect_container_to_network(
                identity, inputs.take("name"), ipv4_address=inputs.take("ipv4Address"), aliases=inputs.take("aliases")
            )


def _upload(client: docker.DockerClient, identity: str, upload: Mapping[str, Any]) -> None:
    buffer = io.BytesIO()
    with taking(upload, identity) as inputs, tarfile.open(fileobj=buffer, mode="w") as tar:
        content = str(inputs.take("content")).encode()
        entry = tarfile.TarInfo(inputs.take("file").lstrip("/"))
        entry.size, entry.mode = len(content), int(inputs.take("permissions"), 8)
        entry.uid, entry.gid = int(inputs.take("owner")), int(inputs.take("group"))
        tar.addfile(entry, io.BytesIO(content))
    client.api.put_archive(identity, "/", buffer.getvalue())


def _check(client: docker.DockerClient, identity: str, wait: int, must_run: bool) -> None:
    """The provider's own conditions: running, and healthy within ``wait`` seconds (0: not waited for)."""
    deadline = time.monotonic() + wait
    while True:
        state = client.api.inspect_container(identity)["State"]
        health = state.get("Health", {}).get("Status")
        if must_run and not state["Running"] and not state["Restarting"]:
            raise RuntimeError(f"{identity} ended: {_log(client, identity)}")
        if not wait or health == "healthy":
            return
        if health == "unhealthy" or time.monotonic() > deadline:
            raise RuntimeError(f"{identity} is {health}: {state['Health']['Log'][-1:]} {_log(client, identity)}")
        time.sleep(0.2)


def _log(client: docker.DockerClient, identity: str) -> str:
    return client.api.logs(identity, tail=20).decode("utf-8", "replace")
