"""`python -m ops.preview`: its exit code, its words and its files, with the program as it is."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.preview.plain import unencrypted
from ops.simulated.project import STAND_IN

ROOT = Path(__file__).parents[3]


def _preview(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ops.preview", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], dict[str, Any], Path]:
    """The dev stack's preview: what was printed, the graph, and the rendered files."""
    folder = tmp_path_factory.mktemp("dev")
    done = _preview("--stack", "dev", "--json", str(folder / "graph.json"), "--render", str(folder / "files"))
    return done, json.loads((folder / "graph.json").read_text()), folder / "files"


Dev = tuple[subprocess.CompletedProcess[str], dict[str, Any], Path]


def test_the_dev_stack_may_be_deployed(dev: Dev) -> None:
    done, graph, _ = dev
    assert done.returncode == 0, done.stdout + done.stderr
    assert [entry for entry in graph["violations"] if entry["level"] == "mandatory"] == []


def test_it_says_that_it_is_offline_and_what_that_leaves_out(dev: Dev) -> None:
    text = " ".join(dev[0].stdout.split())
    assert "Offline preview" in text
    assert "differences to what is deployed" in text


def test_the_score_has_its_four_metrics_and_ten_items_with_evidence(dev: Dev) -> None:
    exposure = dev[1]["exposure"]
    assert exposure["open_inbound_ports"] == 0
    assert exposure["security_layers"] >= 5
    assert exposure["tls_termination_points"] == 1
    assert exposure["centralized_ingress_percent"] == 100
    assert len(exposure["checklist"]) == 10
    assert all(item["evidence"] for item in exposure["checklist"])


def test_every_service_of_the_stack_file_is_a_container(dev: Dev) -> None:
    services = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]["zero-exposure:services"]
    names = {entry["name"] for entry in dev[1]["resources"] if entry["type"] == "docker:index/container:Container"}
    assert {*services, "gateway", "cloudflared"} <= names


def test_the_graph_is_the_same_text_every_time(dev: Dev, tmp_path: Path) -> None:
    _preview("--stack", "dev", "--json", str(tmp_path / "again.json"))
    assert json.loads((tmp_path / "again.json").read_text()) == dev[1]


def test_files_are_written_below_their_containers_name(dev: Dev) -> None:
    files = {str(path.relative_to(dev[2])) for path in dev[2].rglob("*") if path.is_file()}
    assert {"host/user-data.yaml", "postgres/run/secrets/password", "cache/etc/valkey/valkey.conf"} <= files
    assert any(path.startswith("gateway/etc/") and path.endswith("nginx.conf") for path in files)


def test_stand_ins_take_the_place_of_secrets_in_files_and_marks_in_the_graph(dev: Dev) -> None:
    assert (dev[2] / "postgres/run/secrets/password").read_text() == "masked-postgres-password"
    server = next(entry for entry in dev[1]["resources"] if entry["type"] == "hcloud:index/server:Server")
    assert server["inputs"]["userData"] == "[secret]"


@pytest.mark.parametrize("stack", ["prod", "local"])
def test_the_other_examples_may_be_deployed(stack: str) -> None:
    done = _preview("--stack", stack)
    assert done.returncode == 0, done.stdout + done.stderr


def _project(folder: Path, change: Any) -> Path:
    """A copy of the dev stack with one change."""
    content = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    change(content["config"])
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(content))
    return folder


def test_a_wrong_stack_file_is_one_message_without_a_traceback(tmp_path: Path) -> None:
    root = _project(tmp_path, lambda config: config["zero-exposure:services"]["api"].update(ports=[80]))
    done = _preview("--root", str(root))
    assert done.returncode == 1
    assert "zero-exposure:services.api.ports: no such key" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_stack_that_does_not_exist_is_one_message() -> None:
    done = _preview("--stack", "nowhere")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert re.search(r"Pulumi\.nowhere\.yaml: there is no such file; stacks here: dev, local, prod", done.stderr)


@pytest.mark.parametrize(
    ("key", "value", "path", "command"),
    [
        ("zero-exposure:secrets", {"my_key": "hunter2"}, "zero-exposure:secrets.my_key",
         "pulumi config set --secret --path 'zero-exposure:secrets.my_key'"),
        ("secrets", {"my_key": "hunter2"}, "zero-exposure:secrets.my_key",
         "pulumi config set --secret --path 'zero-exposure:secrets.my_key'"),
        ("zero-exposure:secrets", '{"my_key": "hunter2"}', "zero-exposure:secrets",
         "pulumi config set --secret --path 'zero-exposure:secrets.NAME'"),
        ("hcloud:token", "hunter2", "hcloud:token", "pulumi config set --secret hcloud:token"),
        ("cloudflare:apiToken", "hunter2", "cloudflare:apiToken", "pulumi config set --secret cloudflare:apiToken"),
    ],
)  # fmt: skip
def test_a_secret_in_plain_text_is_refused_by_its_key_and_not_shown(
    tmp_path: Path, key: str, value: object, path: str, command: str
) -> None:
    done = _preview("--root", str(_project(tmp_path, lambda config: config.update({key: value}))), "--engine")
    assert done.returncode == 1
    assert f"  {path}: in plain text: {command}" in done.stderr.splitlines()
    assert "hunter2" not in done.stdout + done.stderr


def test_an_encrypted_secret_and_a_simulations_stand_in_are_not(tmp_path: Path) -> None:
    given = {"one": {"secure": "v1:abc"}, "two": STAND_IN}
    config = {"zero-exposure:secrets": given, "hcloud:token": {"secure": "v1:def"}}
    assert unencrypted(_project(tmp_path, lambda raw: raw.update(config)), "dev") == {}
    encrypted_at_once = {"zero-exposure:secrets": {"secure": "v1:abc"}}
    assert unencrypted(_project(tmp_path, lambda raw: raw.update(encrypted_at_once)), "dev") == {}
