"""What goes wrong in the running stack reaches operators: real Prometheus, Alertmanager, resolver and egress proxy."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.components.monitoring.test_dashboards import questions
from tests.live.docker.alarm import CONFIG, Outside, alarmed, volume
from tests.live.docker.deployed import Deployed, until
from tests.live.docker.edge import STRANGERS
from tests.live.docker.recorded import STACK
from tests.live.docker.visitor import API

pytestmark = pytest.mark.slow
PREFIXES = "alertmanager|cloudflared_tunnel|cs|gateway|node|pg|probe|redis"
TOLD_WITHIN = 120.0


@pytest.fixture(scope="module")
def outside(stack: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with alarmed(stack, tmp_path_factory.mktemp("outside")) as found:
        yield found


def _is_told(outside: Outside, *names: str, since: int = 0, meanwhile: Callable[[], object] = lambda: None) -> None:
    """An alert that lasts is told once, so what was told earlier counts, unless ``since`` leaves it out."""

    def heard() -> bool:
        meanwhile()
        return set(names) <= outside.firing(since)

    until(heard, TOLD_WITHIN, f"{names}, of which there are {sorted(outside.firing())}")


@contextmanager
def _stopped(stack: Deployed, *nodes: str) -> Iterator[None]:
    containers = [stack.engine.client.containers.get(f"{STACK}-{node}") for node in nodes]
    for container in containers:
        container.stop(timeout=2)
    try:
        yield
    finally:
        for container in containers:
            container.start()
        until(lambda: all(stack.is_healthy(node) for node in nodes), 60, f"{nodes}")


@contextmanager
def _written(stack: Deployed, writer: str, name: str, *lines: str) -> Iterator[Path]:
    """In the place of what the writer has written itself, where it has."""
    path = volume(stack, "node-exporter", f"/metrics/{writer}") / name
    before = path.read_bytes() if path.exists() else None
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    path.chmod(0o644)
    try:
        yield path
    finally:
        path.unlink()
        if before is not None:
            path.write_bytes(before)
            path.chmod(0o644)


@pytest.mark.parametrize(
    ("nodes", "alert"),
    [
        (("cloudflared",), "TunnelDown"),
        (("crowdsec",), "CrowdsecStale"),
        (("postgres", "cache"), "DatabaseUnreachable"),
        (("node-exporter",), "TargetDown"),
        (("gateway",), "TargetDown"),
    ],
    ids=lambda given: given if isinstance(given, str) else "+".join(given),
)
def test_a_part_that_is_gone_is_told(stack: Deployed, outside: Outside, nodes: tuple[str, ...], alert: str) -> None:
    before = len(outside.received)
    with _stopped(stack, *nodes):
        _is_told(outside, alert, since=before)


def test_a_service_that_is_gone_shows_as_errors_of_the_gateway(stack: Deployed, outside: Outside) -> None:
    before = len(outside.received)
    with _stopped(stack, "api"):
        _is_told(
            outside, "GatewayErrors", since=before, meanwhile=lambda: stack.edge.request("GET", API, "/rpc/status?id=1")
        )


def test_a_host_that_does_not_answer_and_one_that_is_slow_are_told(outside: Outside) -> None:
    try:
        outside.status = 503
        _is_told(outside, "HostUnreachable")
        outside.status, outside.delay = 200, 2.5
        _is_told(outside, "AnswersSlow")
    finally:
        outside.status, outside.delay = 200, 0.0


def test_a_certificate_that_ends_in_two_days_is_told(outside: Outside) -> None:
    _is_told(outside, "CertificateNearEnd")


def test_many_bans_at_once_are_told(stack: Deployed, outside: Outside) -> None:
    for number in range(100, 125):
        for path in ("/.env", "/.git/config", "/.aws/credentials", "/.ssh/id_rsa", "/.svn/entries"):
            stack.edge.request("GET", API, path, visitor=f"{STRANGERS}.{number}")
    _is_told(outside, "BanSpike")


def test_what_the_server_and_backups_write_is_told(stack: Deployed, outside: Outside) -> None:
    now = time.time()
    host = (
        "zero_exposure_host_drift 1",
        f"zero_exposure_host_updated_timestamp_seconds {now - 5 * 86400:.0f}",
        'zero_exposure_container_healthy{name="dev-api"} 0',
        'zero_exposure_container_memory_bytes{name="dev-api"} 99',
        'zero_exposure_container_memory_limit_bytes{name="dev-api"} 100',
    )
    backup = (
        'zero_exposure_backup_last_run_ok{name="queue"} 0',
        f'zero_exposure_backup_last_success_timestamp_seconds{{name="postgres"}} {now - 2 * 86400:.0f}',
        'zero_exposure_restore_test_ok{name="postgres"} 0',
    )
    with (
        _written(stack, "server", "host.prom", *host) as path,
        _written(stack, "backup", "backup.prom", *backup),
    ):
        os.utime(path, (now - 3600, now - 3600))
        _is_told(
            outside,
            *("HostDrift", "HostSilent", "UpdatesStale", "ContainerUnhealthy", "ContainerMemoryHigh"),
            *("BackupFailed", "BackupStale", "BackupUnrestorable"),
        )


def test_alerts_that_were_refused_are_told_once_they_get_through(stack: Deployed, outside: Outside) -> None:
    outside.deaf = True
    with _written(stack, "server", "host.prom", "zero_exposure_host_drift 1"):
        time.sleep(30)
        outside.deaf = False
        _is_told(outside, "AlertsLost")


def test_every_measurement_of_rules_and_panels_is_one_that_a_real_program_gives(
    stack: Deployed, outside: Outside
) -> None:
    """After all that has happened above. What the server and backups write is theirs to promise."""
    # One of those who were banned: refused requests are counted from the first one on.
    stack.edge.request("GET", API, "/", visitor=f"{STRANGERS}.100")
    rules = [path.read_text(encoding="utf-8") for path in volume(stack, "prometheus", CONFIG).glob("*.yaml")]
    used = {name for text in (*rules, *questions()) for name in re.findall(rf"\b(?:{PREFIXES})_[A-Za-z0-9_]+", text)}
    assert len(used) > 10

    def unknown() -> set[str]:
        return used - set(_asked(stack, "label/__name__/values"))

    until(lambda: unknown() == set(), 60, f"measurements, of which {sorted(unknown())} were missing")


def test_messages_go_to_the_secret_topic_in_the_form_that_ntfy_reads(outside: Outside) -> None:
    assert outside.received
    assert all(message["path"].endswith("?template=alertmanager") for message in outside.received)


def test_control_no_alert_is_there_that_nothing_raises(stack: Deployed, outside: Outside) -> None:
    """All parts run again. The certificate is of this test's own making, bans last, and the example's backups have no
    keys to their bucket."""
    lasting = {"CertificateNearEnd", "BanSpike", "AlertsLost", "BackupFailed", "Watchdog"}
    until(lambda: _active(stack) <= lasting, TOLD_WITHIN, f"of {sorted(_active(stack))} only what lasts")


def _active(stack: Deployed) -> set[str]:
    return {alert["labels"]["alertname"] for alert in _asked(stack, "alerts")["alerts"] if alert["state"] == "firing"}


def _asked(stack: Deployed, question: str) -> Any:
    """What Prometheus itself says. On a busy machine the Engine may close an output before any of it is there."""
    said: list[str] = []

    def answered() -> bool:
        code, output = stack.execute("prometheus", "wget", "-q", "-O", "-", f"http://127.0.0.1:9090/api/v1/{question}")
        said[:] = [output]
        return code == 0 and output != ""

    until(answered, 30, question)
    return json.loads(said[0])["data"]
