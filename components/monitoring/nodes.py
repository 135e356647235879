"""The containers that watch, from values: which image, which files, which limits."""

import hashlib
import json
from collections.abc import Mapping

import pulumi

from components.monitoring import render
from components.monitoring.render import CONFIG, SECRETS, Values
from components.spec import ContainerSpec, Mount
from settings.monitoring import Logs
from settings.service import Healthcheck, Limits
from topology.model import Topology
from topology.names import (
    ALERTMANAGER,
    BACKUP,
    EGRESS_PORT,
    LOG_SHIPPER,
    MAIL_PORT,
    MAIL_RELAY,
    NODE_EXPORTER,
    PROBER,
    PROMETHEUS,
    PROXY,
)
from topology.nodes import exporter

ROLE = "monitoring"
NOBODY = "65534:65534"
"""Prometheus keeps it: the image gives its data folder to this user, and a fresh volume takes that over."""
USERS = {ALERTMANAGER: 65528, NODE_EXPORTER: 65527, PROBER: 65526, MAIL_RELAY: 65525, LOG_SHIPPER: 65524}
"""The kernel counts processes by user, across containers."""
EXPORTER_USERS = 61_000
"""Where the users of exporters begin: each has the one that its name hashes to."""
METRICS, STATE = "/metrics", "/run/log-shipper"
WATCHER = "watch"
"""The role in databases that exporters log in with: presets make it."""
Secrets = Mapping[str, str | pulumi.Output[str]]


def user(node: str) -> str:
    """uid:gid of a node."""
    found = USERS.get(node) or EXPORTER_USERS + int.from_bytes(hashlib.sha256(node.encode()).digest()[:2], "big") % 1000
    return f"{found}:{found}"


def prometheus(given: Values, topology: Topology, machine: str = "") -> ContainerSpec:
    """Asks, judges, and keeps what it has seen. Where nobody asks it, it listens to itself alone."""
    is_asked = any(network.server == PROMETHEUS for network in topology.networks)
    keep, size = given.monitoring.keep, f"{given.monitoring.keep_size.upper()}B"
    return ContainerSpec(
        node=PROMETHEUS,
        role=ROLE,
        image=given.monitoring.images.prometheus,
        networks=topology.nodes[PROMETHEUS].addresses,
        user=NOBODY,
        entrypoint=("prometheus",),
        command=(
            f"--config.file={CONFIG}/prometheus.yaml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={keep}",
            f"--storage.tsdb.retention.size={size}",
            f"--web.listen-address={'' if is_asked else '127.0.0.1'}:{render.PROMETHEUS_PORT}",
        ),
        files=render.prometheus(given),
        volumes={"data": "/prometheus"},
        healthcheck=_answers(f"127.0.0.1:{render.PROMETHEUS_PORT}/-/ready"),
        limits=Limits(memory="512m", cpus=0.5, pids=100),
        hosts=topology.servers(PROMETHEUS),
        machine=machine,
    )


def alertmanager(given: Values, topology: Topology, secrets: Secrets) -> ContainerSpec:
    """Tells who has to know. What it remembers, silences among it, lies in memory."""
    return ContainerSpec(
        node=ALERTMANAGER,
        role=ROLE,
        image=given.monitoring.images.alertmanager,
        networks=topology.nodes[ALERTMANAGER].addresses,
        user=user(ALERTMANAGER),
        entrypoint=("alertmanager",),
        command=(
            f"--config.file={CONFIG}/alertmanager.yaml",
            "--storage.path=/alertmanager",
            "--cluster.listen-address=",
            f"--web.listen-address=:{render.ALERTMANAGER_PORT}",
        ),
        files={
            f"{CONFIG}/alertmanager.yaml": render.alertmanager(given),
            **{f"{SECRETS}/{file}": text for file, text in secrets.items()},
        },
        tmpfs={"/alertmanager": "16m"},
        healthcheck=_answers(f"127.0.0.1:{render.ALERTMANAGER_PORT}/-/healthy"),
        limits=Limits(memory="128m", cpus=0.25, pids=50),
        hosts=topology.servers(ALERTMANAGER),
    )


def node_exporter(given: Values, topology: Topology, volumes: Mapping[str, pulumi.Input[str]]) -> ContainerSpec:
    """Sees the server without a single one of its folders: /proc is the kernel's, the root is on Docker's disk.

    ``volumes``: who writes measurements → where.
    """
    collectors = ("cpu", "filesystem", "loadavg", "meminfo", "stat", "textfile")
    return ContainerSpec(
        node=NODE_EXPORTER,
        role=ROLE,
        image=given.monitoring.images.node_exporter,
        networks=topology.nodes[NODE_EXPORTER].addresses,
        user=user(NODE_EXPORTER),
        entrypoint=("node_exporter",),
        command=(
            "--collector.disable-defaults",
            *(f"--collector.{collector}" for collector in collectors),
            "--collector.filesystem.mount-points-exclude=^/.+",
            "--collector.filesystem.fs-types-exclude=^$",
            f"--collector.textfile.directory={METRICS}/*",
            f"--web.listen-address=:{render.NODE_PORT}",
        ),
        mounts=[
            Mount(volume, f"{METRICS}/{writer}", read_only=True, owner=BACKUP if writer == BACKUP else NODE_EXPORTER)
            for writer, volume in sorted(volumes.items())
        ],
        limits=Limits(memory="64m", cpus=0.25, pids=50),
        everywhere=True,
    )


def prober(given: Values, topology: Topology) -> ContainerSpec:
    """Asks for the stack's own hosts, as a visitor does."""
    return ContainerSpec(
        node=PROBER,
        role=ROLE,
        image=given.monitoring.images.prober,
        networks=topology.nodes[PROBER].addresses,
        user=user(PROBER),
        entrypoint=("blackbox_exporter",),
        command=(f"--config.file={CONFIG}/prober.yaml", f"--web.listen-address=:{render.PROBER_PORT}"),
        files={f"{CONFIG}/prober.yaml": render.prober()},
        limits=Limits(memory="64m", cpus=0.25, pids=50),
        hosts=topology.servers(PROBER),
    )


def mail_relay(given: Values, topology: Topology, server: str) -> ContainerSpec:
    """Passes bytes from Alertmanager to the mail server by the egress proxy; it has no key to look into them."""
    tunnel = f"PROXY:{PROXY}:{server}:{MAIL_PORT},proxyport={EGRESS_PORT}"
    return ContainerSpec(
        node=MAIL_RELAY,
        role=ROLE,
        image=given.monitoring.images.mail_relay,
        networks=topology.nodes[MAIL_RELAY].addresses,
        user=user(MAIL_RELAY),
        entrypoint=("socat",),
        command=(f"TCP4-LISTEN:{MAIL_PORT},fork,reuseaddr,max-children=8", tunnel),
        limits=Limits(memory="32m", cpus=0.25, pids=20),
        hosts=topology.servers(MAIL_RELAY),
    )


def log_shipper(topology: Topology, logs: Logs, path: pulumi.Output[str]) -> ContainerSpec:
    """syslog-ng. What waits for the target waits in memory, so there is nothing to keep."""
    address: pulumi.Output[str] = pulumi.Output.secret(path.apply(lambda text: render.target(logs.domain, text)))
    options = (f"--persist-file={STATE}/persist", f"--pidfile={STATE}/pid", f"--control={STATE}/control")
    return ContainerSpec(
        node=LOG_SHIPPER,
        role=ROLE,
        image=logs.image,
        networks=topology.nodes[LOG_SHIPPER].addresses,
        user=user(LOG_SHIPPER),
        entrypoint=("syslog-ng",),
        command=("--foreground", "--no-caps", f"--cfgfile={CONFIG}/log-shipper.conf", *options),
        files={f"{CONFIG}/log-shipper.conf": render.log_shipper(), f"{SECRETS}/target.conf": address},
        tmpfs={STATE: "1m"},
        # nginx looks up where its log goes when it starts, and never again.
        virtual=True,
        limits=Limits(memory="128m", cpus=0.25, pids=50),
        hosts=topology.servers(LOG_SHIPPER),
    )


def database_exporter(given: Values, topology: Topology, node: str, password: pulumi.Output[str]) -> ContainerSpec:
    """Logs in as a role that may look at statistics, and at no row."""
    make = {"postgres": _postgres, "redis": _redis}[given.databases[node]]
    return make(given, topology, node, password)


def _postgres(given: Values, topology: Topology, node: str, password: pulumi.Output[str]) -> ContainerSpec:
    name = exporter(node)
    return ContainerSpec(
        node=name,
        role=ROLE,
        image=given.monitoring.images.postgres_exporter,
        networks=topology.nodes[name].addresses,
        user=user(name),
        entrypoint=("postgres_exporter",),
        command=(f"--web.listen-address=:{render.EXPORTER_PORTS['postgres']}",),
        env={
            "DATA_SOURCE_URI": f"{node}:5432/app?sslmode=disable",
            "DATA_SOURCE_USER": WATCHER,
            "DATA_SOURCE_PASS_FILE": f"{SECRETS}/password",
        },
        files={f"{SECRETS}/password": password},
        limits=Limits(memory="64m", cpus=0.25, pids=50),
        hosts=topology.servers(name),
    )


def _redis(given: Values, topology: Topology, node: str, password: pulumi.Output[str]) -> ContainerSpec:
    # Releases differ in whether they look the password up with the user's name in the address, or without.
    name, places = exporter(node), (f"redis://{WATCHER}@{node}:6379", f"redis://{node}:6379")
    passwords: pulumi.Output[str] = pulumi.Output.secret(
        password.apply(lambda text: json.dumps(dict.fromkeys(places, text)))
    )
    return ContainerSpec(
        node=name,
        role=ROLE,
        image=given.monitoring.images.redis_exporter,
        networks=topology.nodes[name].addresses,
        user=user(name),
        entrypoint=("/redis_exporter",),
        command=(
            f"-redis.addr={places[1]}",
            f"-redis.user={WATCHER}",
            f"-redis.password-file={SECRETS}/passwords.json",
            # Neither is any business of a role that only looks.
            "-config-command=-",
            "-set-client-name=false",
            f"-web.listen-address=:{render.EXPORTER_PORTS['redis']}",
        ),
        files={f"{SECRETS}/passwords.json": passwords},
        limits=Limits(memory="64m", cpus=0.25, pids=50),
        hosts=topology.servers(name),
    )


def _answers(place: str) -> Healthcheck:
    return Healthcheck(command=("wget", "-q", "-O", "/dev/null", f"http://{place}"))
