"""The server's own script, run as the server would run it: what it writes, the node exporter gives to Prometheus."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from ops.preview.files import rendered
from tests.components.monitoring.test_dashboards import questions
from tests.live.docker.alarm import volume
from tests.live.docker.deployed import Deployed
from tests.live.docker.recorded import STACK
from tests.live.docker.test_failure import ROUTES

SCRIPT = "/usr/local/lib/zero-exposure/metrics"
SYSTEMCTL = """#!/bin/sh
# The drift check has found something.
case "$2" in
--property=Result) echo exit-code ;;
*) echo "Tue 2026-11-24 02:00:00 UTC" ;;
esac
"""
MIB = 1024 * 1024


def _group(folder: Path, identity: str) -> None:
    """A control group as version 2 shows it: of 100 MiB, 30 are cache."""
    group = folder / f"docker-{identity}.scope"
    group.mkdir(parents=True)
    (group / "memory.current").write_text(f"{100 * MIB}\n")
    (group / "memory.stat").write_text(f"anon {70 * MIB}\ninactive_file {20 * MIB}\nactive_file {10 * MIB}\n")
    (group / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")


@pytest.fixture
def told(stack: Deployed, tmp_path: Path) -> dict[str, float]:
    """What the script wrote: series → value."""
    script, systemctl = tmp_path / "metrics", tmp_path / "systemctl"
    files = yaml.safe_load(rendered(stack.recording)["host/user-data.yaml"])["write_files"]
    script.write_text(next(file["content"] for file in files if file["path"] == SCRIPT), encoding="utf-8")
    systemctl.write_text(SYSTEMCTL, encoding="utf-8")
    systemctl.chmod(0o755)
    _group(tmp_path / "groups", str(stack.inspect("api")["Id"]))
    environment = {
        **os.environ,
        "DOCKER_HOST": f"unix://{stack.engine.folder}/sock",
        "CGROUPS": str(tmp_path / "groups"),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    subprocess.run(["sh", str(script)], env=environment, check=True, timeout=60)
    path = volume(stack, "node-exporter", "/metrics/server") / "host.prom"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE)}


def test_it_tells_of_every_container_and_of_no_carrier(stack: Deployed, told: dict[str, float]) -> None:
    healthy = {name for name in told if name.startswith("zero_exposure_container_healthy")}
    assert {f'zero_exposure_container_healthy{{name="{STACK}-{node}"}}' for node in ROUTES} <= healthy
    assert len(healthy) == len(stack.nodes)
    assert all(told[name] == 1 for name in healthy)


def test_it_tells_of_drift_and_of_memory_that_can_not_be_given_back(told: dict[str, float]) -> None:
    assert told["zero_exposure_host_drift"] == 1
    assert told["zero_exposure_host_drift_checked_timestamp_seconds"] == 1795485600
    assert told[f'zero_exposure_container_memory_bytes{{name="{STACK}-api"}}'] == 70 * MIB
    assert told[f'zero_exposure_container_cpu_seconds_total{{name="{STACK}-api"}}'] == 2.5
    assert told[f'zero_exposure_container_memory_limit_bytes{{name="{STACK}-api"}}'] == 256 * MIB


def test_it_tells_how_many_questions_the_resolver_was_asked_and_what_it_answered(
    stack: Deployed, request: pytest.FixtureRequest
) -> None:
    stack.execute("resolver", "drill-hc", "@127.0.0.1", "nobody.internal")
    told = request.getfixturevalue("told")
    assert told["zero_exposure_resolver_queries_total"] > 0
    assert told['zero_exposure_resolver_answers_total{rcode="NXDOMAIN"}'] > 0
    assert told['zero_exposure_resolver_answers_total{rcode="NOERROR"}'] > 0
    assert 'zero_exposure_resolver_answers_total{rcode="SERVFAIL"}' in told


def test_it_tells_whatever_panels_show_of_containers_and_names(told: dict[str, float]) -> None:
    asked = set(re.findall(r"zero_exposure_(?:container|resolver)_\w+", "\n".join(questions())))
    assert len(asked) > 5
    assert asked - {name.partition("{")[0] for name in told} == set()


def test_a_container_that_is_stopped_is_told_to_be_unhealthy(stack: Deployed, request: pytest.FixtureRequest) -> None:
    container = stack.engine.client.containers.get(f"{STACK}-prober")
    container.stop(timeout=2)
    try:
        told = request.getfixturevalue("told")
    finally:
        container.start()
    assert told[f'zero_exposure_container_healthy{{name="{STACK}-prober"}}'] == 0
