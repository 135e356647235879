"""The pipelines run the Makefile's own targets, with the least that they need; the linters see what is wrong."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.programs import give_up

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _workflow(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def _commands(path: Path) -> Iterator[str]:
    for job in _workflow(path)["jobs"].values():
        yield from (step["run"] for step in job["steps"] if "run" in step)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_make_target_of_a_pipeline_exists(path: Path) -> None:
    called = [
        word
        for text in _commands(path)
        for line in re.findall(r"^\s*make (.+)$", text, re.M)
        for word in re.split(r"[|;&]|\d?>", line)[0].split()
    ]
    targets = {word for word in called if re.fullmatch(r"[a-z][a-z-]+", word)}
    assert targets <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_pipeline_starts_without_permissions_and_ends_by_itself(path: Path) -> None:
    workflow = _workflow(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 60


def test_every_deployment_brings_the_policy_pack_and_is_audited() -> None:
    deployed = "\n".join(_commands(ROOT / ".github/workflows/deploy.yml"))
    assert "make deploy" in deployed
    assert "make audit" in deployed
    recipes = re.findall(
        r"^\t@?pulumi (?:up|preview) .*$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(recipes) >= 2
    assert all("$(PACK)" in recipe for recipe in recipes)
    assert re.search(r"^PACK := --policy-pack policy ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_signatures_are_looked_at_in_pull_requests_and_before_a_deployment() -> None:
    steps = list(_commands(ROOT / ".github/workflows/deploy.yml"))
    at = {name: next(i for i, text in enumerate(steps) if name in text) for name in ("verify-images", "make deploy")}
    assert at["verify-images"] < at["make deploy"]
    preview = _workflow(ROOT / ".github/workflows/preview.yml")["jobs"]["offline"]
    assert "make verify-images" in [step.get("run") for step in preview["steps"]]


def test_the_job_that_comments_runs_nothing_of_the_pull_request() -> None:
    comment = _workflow(ROOT / ".github/workflows/preview.yml")["jobs"]["comment"]
    assert comment["permissions"] == {"pull-requests": "write"}
    assert not [step for step in comment["steps"] if "checkout" in step.get("uses", "")]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of .github in a repository of its own."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    return tmp_path


def _zizmor(folder: Path) -> int:
    program = Path(sys.executable).with_name("zizmor")
    return subprocess.run(
        [program, "--offline", "--quiet", folder / ".github"], capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize("mistake", ["template-injection", "unpinned"])
def test_zizmor_sees_a_mistake(copy: Path, mistake: str) -> None:
    assert _zizmor(copy) == 0
    path = copy / ".github/workflows/ci.yml"
    text = path.read_text(encoding="utf-8")
    if mistake == "unpinned":
        path.write_text(re.sub(r"actions/checkout@\w+ # v7.0.1", "actions/checkout@v7", text))
    else:
        path.write_text(text.replace("run: .ci/run", "run: echo ${{ github.head_ref }}"))
    assert path.read_text(encoding="utf-8") != text
    assert _zizmor(copy) != 0


def test_actionlint_sees_a_mistake(copy: Path) -> None:
    if shutil.which("actionlint") is None and shutil.which("go") is None:
        give_up("neither actionlint nor go is on PATH")
    (copy / ".ci").mkdir()
    shutil.copy2(ROOT / ".ci/actionlint", copy / ".ci")
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    assert subprocess.run([copy / ".ci/actionlint"], capture_output=True, check=False).returncode == 0
    path = copy / ".github/workflows/ci.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("runs-on:", "runs-upon:", 1))
    assert subprocess.run([copy / ".ci/actionlint"], capture_output=True, check=False).returncode != 0
