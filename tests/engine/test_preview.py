"""The real CLI, the real providers and the policy pack: `pulumi preview --policy-pack policy`."""

from pathlib import Path

import pytest

from tests.engine.marks import ENGINE
from tests.engine.project import Project, copy_project

pytestmark = ENGINE


def _preview(project: Project, stack: str = "dev") -> tuple[int, str]:
    done = project.pulumi("preview", "--stack", stack, "--policy-pack", "policy")
    return done.returncode, done.stdout + done.stderr


def _project(folder: Path, stack: str = "dev") -> Project:
    return copy_project(folder, stack)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_an_example_passes_the_pack_where_nothing_exists_yet(tmp_path: Path, stack: str) -> None:
    code, text = _preview(_project(tmp_path, stack), stack)
    assert code == 0, text
    assert "to create" in text
    assert "serviceTokenSecret: [secret]" in text


def test_a_published_port_is_refused(tmp_path: Path) -> None:
    project = _project(tmp_path)
    port = "read_only=True,\n        ports=[docker.ContainerPortArgs(internal=80)],"
    project.replace("components/container.py", "read_only=True,", port)
    code, text = _preview(project)
    assert code != 0
    assert "container-no-ports" in text


def test_an_inbound_rule_is_refused(tmp_path: Path) -> None:
    project = _project(tmp_path)
    rule = 'hcloud.FirewallRuleArgs(direction="in", protocol="tcp", port="22", source_ips=["0.0.0.0/0"])'
    project.replace("components/host/component.py", "rules=rules,", f"rules=[*rules, {rule}],")
    code, text = _preview(project)
    assert code != 0
    assert "firewall-no-inbound" in text


def test_a_wrong_stack_file_is_one_message_and_nothing_is_planned(tmp_path: Path) -> None:
    project = _project(tmp_path)
    project.replace("Pulumi.dev.yaml", "uses: [postgres]", "uses: [postgre]")
    code, text = _preview(project)
    assert code != 0
    assert "zero-exposure:services.api.uses[0]: no service is called postgre" in text
    assert "Traceback" not in text
    assert "+ 1 to create" in text, "the stack itself, and nothing else"


def test_an_update_without_a_token_makes_nothing(tmp_path: Path) -> None:
    project = _project(tmp_path)
    bare = {key: value for key, value in project.environment.items() if key != "CLOUDFLARE_API_TOKEN"}
    done = Project(project.folder, bare).pulumi("up", "--stack", "dev", "--yes", "--skip-preview")
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "cloudflare:apiToken: needed" in text
    assert "Traceback" not in text
    assert project.pulumi("stack", "export", "--stack", "dev").stdout.count('"custom": true') == 0
