"""The copy that a simulated run works on."""

from pathlib import Path

import pytest
import yaml

from ops.simulated.project import STAND_IN, StackError, copy_project, read_stack, simulated

ROOT = Path(__file__).parents[3]


def test_settings_of_providers_are_left_out() -> None:
    given = {"hcloud:endpoint": "https://api.hetzner.cloud/v1", "cloudflare:apiToken": {"secure": "x"}, "a:b": "c"}
    assert simulated({"encryptionsalt": "x", "config": given}) == {"config": {"a:b": "c"}}


def test_what_only_its_owner_can_decrypt_has_a_stand_in() -> None:
    given = {"a:secrets": {"one": {"secure": "x"}, "two": "plain"}, "a:list": [{"secure": "y"}]}
    assert simulated({"config": given})["config"] == {
        "a:secrets": {"one": STAND_IN, "two": "plain"},
        "a:list": [STAND_IN],
    }


def test_the_copy_is_the_program_without_what_was_made_of_it(tmp_path: Path) -> None:
    copy_project(ROOT, tmp_path / "copy", "dev")
    for name in ("__main__.py", "deployment.py", "components/container.py", "policy/PulumiPolicy.yaml"):
        assert (tmp_path / "copy" / name).read_bytes() == (ROOT / name).read_bytes()
    assert not (tmp_path / "copy" / ".git").exists()
    assert (tmp_path / "copy" / ".venv").is_symlink()


def test_what_the_cli_wrote_outlasts_the_copy_and_a_deleted_file_does_not(tmp_path: Path) -> None:
    copy_project(ROOT, tmp_path / "copy", "dev")
    file, stale = tmp_path / "copy" / "Pulumi.dev.yaml", tmp_path / "copy" / "stale.py"
    file.write_text(file.read_text() + "encryptionsalt: v1:salt\n")
    stale.touch()
    copy_project(ROOT, tmp_path / "copy", "dev")
    assert yaml.safe_load(file.read_text())["encryptionsalt"] == "v1:salt"
    assert not stale.exists()


def test_a_stack_without_a_cloud_is_refused() -> None:
    with pytest.raises(StackError, match="no cloud to simulate"):
        read_stack(ROOT, "local")
    with pytest.raises(StackError, match=r"Pulumi\.none\.yaml: there is no such file"):
        read_stack(ROOT, "none")
