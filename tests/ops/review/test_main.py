"""`make review` on the project itself, and on a change to a copy of it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NO_FILES = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git's own tree without files."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of its own with what git tracks here, in one commit."""
    folder = tmp_path_factory.mktemp("project")
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-coz", "--exclude-standard"], capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "base"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def _review(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ops.review", "--stack", "dev", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


@pytest.fixture
def stack_file(project: Path) -> Path:
    """The stack file as it was committed."""
    subprocess.run(["git", "checkout", "-q", "--", "."], cwd=project, check=True)
    return project / "Pulumi.dev.yaml"


def test_a_new_link_is_told_and_passes(project: Path, stack_file: Path) -> None:
    text = stack_file.read_text()
    assert "uses: [postgres, queue, cache, imgproxy]" in text
    stack_file.write_text(text.replace("[postgres, queue, cache, imgproxy]", "[postgres, queue, cache, imgproxy, api]"))
    done = _review(project, "--base", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "- new: worker → api" in done.stdout
    drawing = done.stdout.partition("```mermaid\n")[2].partition("\n```")[0]
    ids = {name: node for node, name in re.findall(r'(n\d+)\["(\w+)', drawing)}
    assert f"{ids['worker']} --> {ids['api']}\n" in drawing


def test_a_published_port_fails_and_the_score_says_so(project: Path, stack_file: Path) -> None:
    container = project / "components/container.py"
    port = "read_only=True,\n        ports=[docker.ContainerPortArgs(internal=80)],"
    container.write_text(container.read_text().replace("read_only=True,", port))
    done = _review(project, "--base", "HEAD")
    assert done.returncode == 1
    assert "may not be deployed" in done.stdout
    assert "| open inbound ports | 0 |" in done.stdout


def test_a_wrong_stack_file_is_the_comment(project: Path, stack_file: Path, tmp_path: Path) -> None:
    stack_file.write_text(stack_file.read_text().replace("uses: [postgres]", "uses: [postgre]", 1))
    out = tmp_path / "review.md"
    assert _review(project, "--base", "HEAD", "--out", str(out)).returncode == 1
    assert "services.api.uses[0]: no service is called postgre" in out.read_text()


@pytest.mark.parametrize("base", ["no-such-ref", "--output=x"])
def test_a_base_that_is_no_commit_fails(project: Path, stack_file: Path, base: str, tmp_path: Path) -> None:
    out = tmp_path / "review.md"
    assert _review(project, f"--base={base}", "--out", str(out)).returncode == 1
    assert f"{base} is no commit to compare with" in out.read_text()


def test_a_base_that_cannot_be_previewed_is_said_and_does_not_fail(project: Path, stack_file: Path) -> None:
    empty = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit-tree", "-m", "empty", NO_FILES]
    base = subprocess.run(empty, cwd=project, capture_output=True, text=True, check=True).stdout.strip()
    done = _review(project, "--base", base)
    assert done.returncode == 0, done.stderr
    assert f"{base} could not be previewed" in done.stdout
