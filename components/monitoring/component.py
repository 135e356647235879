"""Monitoring: Prometheus, Alertmanager, and an exporter beside each part that can't speak for itself."""

from collections.abc import Mapping
from typing import TypedDict

import pulumi
import pulumi_docker as docker

from components.container import deploy
from components.monitoring import nodes, render
from components.monitoring.render import Values
from components.site import Site
from components.spec import ContainerSpec
from topology.model import Topology
from topology.names import BACKUP, NODE_EXPORTER, PROBER

VOLUME = "metrics"


class MonitoringArgs(TypedDict):
    """``secrets`` are the stack's own by name, ``passwords`` those of the role ``watch`` by database node."""

    values: Values
    topology: Topology
    site: Site
    secrets: Mapping[str, pulumi.Output[str]]
    passwords: Mapping[str, pulumi.Output[str]]


class Monitoring(pulumi.ComponentResource):
    """Asks everyone, is asked by dashboards alone: a link leads one way, and Prometheus is the client of all others."""

    metrics_volume: pulumi.Output[str]
    """Name of the volume whose ``*.prom`` files are measurements too, for backups. Written under another name, then
    renamed. The server's own has another: root writes there, where no container may."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Monitoring", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._server_volume = self._server_measurements(name)
        self.metrics_volume = self._volume(f"{name}-{BACKUP}-{VOLUME}", f"{BACKUP}-{VOLUME}", BACKUP).name
        for spec in self._specs():
            deploy(spec, args["site"], self._child)
        self.register_outputs({"metrics_volume": self.metrics_volume})

    def _volume(self, name: str, volume: str, node: str) -> docker.Volume:
        """Measurements that somebody else writes. They are made again, so nothing protects them."""
        return docker.Volume(
            name,
            name=self._args["site"].named(volume),
            labels=[docker.VolumeLabelArgs(label="zero-exposure.node", value=node)],
            opts=self._args["site"].on(self._args["site"].data_machine, self._child),
        )

    def _server_measurements(self, name: str) -> pulumi.Input[str]:
        """On a Swarm each machine makes its own when the exporter comes to it."""
        if self._args["site"].swarm:
            return self._args["site"].named(VOLUME)
        return self._volume(f"{name}-{VOLUME}", VOLUME, NODE_EXPORTER).name

    def _specs(self) -> list[ContainerSpec]:
        given, topology = self._args["values"], self._args["topology"]
        found = [
            nodes.prometheus(given, topology, self._args["site"].data_machine),
            nodes.alertmanager(given, topology, self._secrets()),
            nodes.node_exporter(given, topology, {"server": self._server_volume, BACKUP: self.metrics_volume}),
        ]
        found += [
            nodes.database_exporter(given, topology, node, self._args["passwords"][node]) for node in given.databases
        ]
        if topology.nodes[PROBER].addresses:
            found.append(nodes.prober(given, topology))
        if given.monitoring.mail:
            found.append(nodes.mail_relay(given, topology, given.monitoring.mail.server))
        if given.monitoring.logs:
            logs = given.monitoring.logs
            found.append(nodes.log_shipper(topology, logs, self._args["secrets"][logs.path]))
        return found

    def _secrets(self) -> dict[str, str | pulumi.Output[str]]:
        """What Alertmanager reads from files."""
        secrets = self._args["secrets"]
        return {
            file: pulumi.Output.secret(pulumi.Output.concat(before, secrets[name], after))
            for file, (before, name, after) in render.urls(self._args["values"].monitoring).items()
        }
