"""A machine's own script on a real Swarm: tasks that are over count for nothing, and missing ones are told."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.preview.files import rendered
from tests.live.docker.deployed import until
from tests.live.docker.test_host_metrics import SCRIPT, SYSTEMCTL
from tests.live.swarm.deployed import MACHINES, STACK, Deployed

pytestmark = pytest.mark.slow
HEALTHY, MISSING = "zero_exposure_container_healthy", "zero_exposure_service_missing_tasks"


def told(swarm: Deployed, machine: str, folder: Path) -> dict[str, float]:
    """What the script writes on a machine: series → value."""
    user_data = next(text for path, text in rendered(swarm.recording).items() if path.endswith("user-data.yaml"))
    files = yaml.safe_load(user_data)["write_files"]
    (folder / "metrics").write_text(next(each["content"] for each in files if each["path"] == SCRIPT), encoding="utf-8")
    (folder / "systemctl").write_text(SYSTEMCTL, encoding="utf-8")
    (folder / "systemctl").chmod(0o755)
    socket = f"unix://{swarm.fleet[machine].engine.folder}/sock"
    environment = {**os.environ, "DOCKER_HOST": socket, "PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run(["sh", str(folder / "metrics")], env=environment, check=True, timeout=60)
    (volume,) = swarm.client(machine).volumes.list(filters={"label": "zero-exposure.node=node-exporter"})
    text = (Path(volume.attrs["Mountpoint"]) / "host.prom").read_text(encoding="utf-8")
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE)}


def test_every_service_has_its_tasks_and_what_is_over_is_not_told(swarm: Deployed, tmp_path: Path) -> None:
    client: Any = swarm.client()
    client.services.get(f"{STACK}-prober").force_update()
    swarm.settled("prober")
    series = [told(swarm, machine, tmp_path) for machine in MACHINES]
    over = [
        each
        for machine in MACHINES
        for each in swarm.client(machine).containers.list(all=True)
        if each.status == "exited"
    ]
    assert any(str(each.name).startswith(f"{STACK}-prober.") for each in over), "its former task is there still"
    healthy = {name: value for each in series for name, value in each.items() if name.startswith(HEALTHY)}
    assert set(healthy.values()) == {1}
    assert not [name for name in healthy for each in over if f'"{each.name}"' in name]
    missing = {name: value for name, value in series[0].items() if name.startswith(MISSING)}
    assert f'{MISSING}{{name="{STACK}-prober"}}' in missing
    assert set(missing.values()) == {0}


def test_a_service_whose_tasks_die_is_told_to_lack_one(swarm: Deployed, tmp_path: Path) -> None:
    client: Any = swarm.client()
    image = client.services.get(f"{STACK}-api").attrs["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    name = f"{STACK}-dies"
    dies = client.services.create(image, command=["/bin/false"], name=name, labels={"zero-exposure.node": "dies"})
    try:
        until(lambda: len(dies.tasks()) > 1, 60, "a second try")
        series = told(swarm, MACHINES[0], tmp_path)
    finally:
        dies.remove()
    assert series[f'{MISSING}{{name="{name}"}}'] == 1
    assert not [each for each in series if each.startswith(HEALTHY) and name in each]
