"""What monitoring registers: closed containers, each with a user and a link of its own."""

import json
from typing import Any

from deployment import deploy
from policy.rules.model import Resource
from tests.components.monitoring.planned import everything
from tests.mocks import Recording, both_modes, run
from tests.samples import cloud_stack, local_stack, settings
from topology.plan import plan

TOKENS = {"hcloud:token": "t" * 64, "cloudflare:apiToken": "t"}
CONTAINER = "docker:index/container:Container"


def ran(stack: Any, preview: bool) -> Recording:
    def program() -> None:
        deploy(stack, plan(stack), "dev")

    return run(program, preview, TOKENS)


def watching(recording: Recording) -> dict[str, Resource]:
    """Containers with the role of monitoring, by node."""
    found = {}
    for container in recording.of_type(CONTAINER):
        labels = {label["label"]: label["value"] for label in container.props["labels"]}
        if labels["zero-exposure.role"] == "monitoring":
            found[labels["zero-exposure.node"]] = container
    return found


def uploads(recording: Recording, node: str) -> dict[str, Any]:
    """File name → content of a node's files."""
    (carrier,) = [found for found in recording.of_type(CONTAINER) if found.name == f"{node}-carrier"]
    return {upload["file"].rpartition("/")[2]: upload["content"] for upload in carrier.props["uploads"]}


@both_modes
def test_there_is_what_the_stack_needs_and_nothing_else(preview: bool) -> None:
    assert set(watching(ran(settings(local_stack()), preview))) == {
        "prometheus", "alertmanager", "node-exporter", "postgres-exporter",
    }  # fmt: skip
    assert set(watching(ran(settings(cloud_stack()), preview))) == {
        "prometheus", "alertmanager", "node-exporter", "postgres-exporter", "prober",
    }  # fmt: skip
    assert set(watching(ran(everything(), preview))) == {
        "prometheus", "alertmanager", "node-exporter", "postgres-exporter", "cache-exporter", "prober", "mail-relay",
        "log-shipper",
    }  # fmt: skip


@both_modes
def test_each_has_a_user_of_its_own_and_nothing_of_the_server(preview: bool) -> None:
    found = watching(ran(everything(), preview))
    users = [container.props["user"] for container in found.values()]
    assert len(set(users)) == len(users)
    for container in found.values():
        assert container.props["readOnly"] is True
        assert container.props["capabilities"] == {"drops": ["ALL"]}
        assert all("hostPath" not in volume for volume in container.props["volumes"])


@both_modes
def test_prometheus_is_a_client_everywhere_and_listens_to_itself_alone(preview: bool) -> None:
    prometheus = watching(ran(everything(), preview))["prometheus"]
    addresses = [network["ipv4Address"] for network in prometheus.props["networksAdvanced"]]
    assert len(addresses) == 8
    assert all(int(address.rpartition(".")[2]) % 8 == 3 for address in addresses)
    assert "--web.listen-address=127.0.0.1:9090" in prometheus.props["command"]


@both_modes
def test_the_node_exporter_reads_what_others_write(preview: bool) -> None:
    exporter = watching(ran(everything(), preview))["node-exporter"]
    assert exporter.props["volumes"] == [
        {"volumeName": "dev-backup-metrics", "containerPath": "/metrics/backup", "readOnly": True},
        {"volumeName": "dev-metrics", "containerPath": "/metrics/server", "readOnly": True},
    ]
    assert "--collector.textfile.directory=/metrics/*" in exporter.props["command"]


@both_modes
def test_secrets_are_files_and_are_secret_in_the_state(preview: bool) -> None:
    recording = ran(everything(), preview)
    files = uploads(recording, "alertmanager")
    assert set(files) == {
        "alertmanager.yaml", "webhook-url", "ntfy-url", "ntfy-token", "mail-password", "heartbeat-url",
    }  # fmt: skip
    assert files["webhook-url"] == "https://hooks.example.net/x"
    assert files["ntfy-url"].endswith("?template=alertmanager")
    for name in ("alertmanager", "cache-exporter", "postgres-exporter"):
        (carrier,) = [found for found in recording.of_type(CONTAINER) if found.name == f"{name}-carrier"]
        assert carrier.secrets, name
    assert set(json.loads(uploads(recording, "cache-exporter")["passwords.json"])) == {
        "redis://watch@cache:6379",
        "redis://cache:6379",
    }


@both_modes
def test_the_gateways_log_goes_to_a_remote_target_only_where_one_is_named(preview: bool) -> None:
    assert "log-shipper" not in watching(ran(settings(cloud_stack()), preview))
    texts = uploads(ran(everything(), preview), "gateway")
    assert texts["log.conf"].count("access_log syslog:") == 2


@both_modes
def test_measurements_outlive_the_container_and_the_volume_of_others_is_not_protected(preview: bool) -> None:
    recording = ran(everything(), preview)
    protected = {found.name: found.protect for found in recording.of_type("docker:index/volume:Volume")}
    assert protected["prometheus-data"]
    assert not protected["monitoring-metrics"]
