"""Waivers and allowed types of the project reach the offline preview and the engine's command line alike."""

import json
import shutil
from pathlib import Path

import pulumi_docker as docker
import pytest

from ops.preview.pack import FILE, PackConfigError, pack_arguments, pack_config
from ops.preview.run import preview

ROOT = Path(__file__).parents[3]
ALLOWED = {"type-allowed": {"allow": {"docker:index/tag:Tag": "a second name for an image that is here"}}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the example's stack file."""
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy2(ROOT / name, tmp_path)
    return tmp_path


def test_without_a_file_nothing_is_allowed_and_nothing_is_handed_on(root: Path) -> None:
    assert pack_config(root).allowed_types == {}
    assert pack_arguments(root) == ["--policy-pack", "policy"]


def test_a_file_is_handed_on(root: Path) -> None:
    (root / FILE).write_text(json.dumps(ALLOWED))
    assert pack_arguments(root) == ["--policy-pack", "policy", "--policy-pack-config", FILE]


@pytest.mark.parametrize("allowed", [False, True])
def test_a_type_that_is_allowed_blocks_no_preview(root: Path, allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    original = docker.Volume.__init__

    def with_a_tag(self: docker.Volume, resource_name: str, *args: object, **more: object) -> None:
        original(self, resource_name, *args, **more)  # type: ignore[call-overload] # handed on as they are
        if resource_name == "postgres-data":
            docker.Tag("second-name", source_image="postgres:18", target_image="postgres:mine")

    monkeypatch.setattr(docker.Volume, "__init__", with_a_tag)
    if allowed:
        (root / FILE).write_text(json.dumps(ALLOWED))
    blocking = {violation.rule for violation in preview(root, "dev").violations if violation.blocking}
    assert ("type-allowed" in blocking) is not allowed


@pytest.mark.parametrize("text", ["{", "[]", '{"firewall-no-inbound": {}}', '{"waiver-valid": {"waivers": [{}]}}'])
def test_a_file_that_is_none_stops_the_preview(root: Path, text: str) -> None:
    (root / FILE).write_text(text)
    with pytest.raises(PackConfigError, match=FILE):
        preview(root, "dev")
