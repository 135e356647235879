"""Targets that need the real engine say so in one line, before they install or change anything."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.programs import need

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Makefile").read_text(encoding="utf-8")


def _make(target: str, path: Path) -> subprocess.CompletedProcess[str]:
    need("make")
    words = [str(shutil.which("make")), "--no-print-directory", target]
    return subprocess.run(words, cwd=ROOT, env={"PATH": str(path)}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "target", ["deploy", "destroy", "drift", "policy-state", "test-engine", "test-real-engine", "test-interrupted"]
)
def test_without_the_cli_a_target_names_it_and_stops(target: str, tmp_path: Path) -> None:
    done = _make(target, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == "pulumi is not on PATH: https://www.pulumi.com/docs/install/"
    assert len(done.stderr.splitlines()) == 2, "make adds a line of its own"


def test_with_the_cli_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "pulumi").write_text("#!/bin/sh\n")
    (tmp_path / "pulumi").chmod(0o755)
    done = _make("cli", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_target_has_one_recipe() -> None:
    recipes = re.findall(r"^([a-z-]+):[^=\n]*\n\t", TEXT, re.MULTILINE)
    assert sorted(set(recipes)) == sorted(recipes)
    assert len(recipes) > 25


def test_every_recipe_that_calls_the_cli_asks_for_it_first() -> None:
    rules = re.findall(r"^([a-z-]+): ([^\n]*)\n((?:\t.*\n)+)", TEXT, re.MULTILINE)
    calling = {name: needs for name, needs, recipe in rules if re.search(r"^\t@?pulumi ", recipe, re.MULTILINE)}
    assert set(calling) == {"deploy", "drift", "policy-state"}
    assert [name for name, needs in calling.items() if not needs.startswith("cli ")] == []
