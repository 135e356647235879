"""The tree holds what it promises: imports point one way, and pure parts are pure."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PULUMI = ("pulumi", "pulumi_")
OURS = ("components", "settings", "topology", "deployment", "ops", "simulators", "tests", "bench")


def _sources(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def _imported(source: str) -> Iterator[str]:
    """Absolute names of all imported modules."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def _breaches(path: Path, forbidden: tuple[str, ...]) -> list[str]:
    """Imports whose first part is forbidden; a trailing _ stands for any name that begins so."""
    found = _imported(path.read_text(encoding="utf-8"))
    return [name for name in found if any(_is(name.split(".")[0], word) for word in forbidden)]


def _is(top: str, word: str) -> bool:
    return top.startswith(word) if word.endswith("_") else top == word


@pytest.mark.parametrize(
    "path", _sources("components/*/render.py", "components/template.py", "topology/*.py", "settings/**/*.py"), ids=str
)
def test_pure_parts_import_no_pulumi(path: Path) -> None:
    assert _breaches(path, PULUMI) == []


@pytest.mark.parametrize("path", _sources("policy/**/*.py"), ids=str)
def test_the_policy_pack_imports_nothing_of_ours(path: Path) -> None:
    assert _breaches(path, OURS) == []


@pytest.mark.parametrize("path", _sources("simulators/**/*.py"), ids=str)
def test_the_simulators_import_nothing_of_ours(path: Path) -> None:
    assert _breaches(path, (*(name for name in OURS if name != "simulators"), "policy", *PULUMI)) == []


@pytest.mark.parametrize("path", _sources("components/**/*.py", "settings/**/*.py", "topology/*.py"), ids=str)
def test_the_program_does_not_know_who_runs_it(path: Path) -> None:
    assert _breaches(path, ("ops", "tests", "policy", "deployment", "simulators")) == []


def _component_imports(path: Path) -> list[str]:
    own = path.relative_to(ROOT / "components").parts[0]
    folders = {folder.name for folder in (ROOT / "components").iterdir() if folder.is_dir()}
    names = (name.split(".") for name in _imported(path.read_text(encoding="utf-8")))
    return [".".join(name) for name in names if name[0] == "components" and name[1] in folders - {own}]


@pytest.mark.parametrize("path", _sources("components/*/*.py"), ids=str)
def test_components_never_import_each_other(path: Path) -> None:
    assert _component_imports(path) == []


def test_the_checks_see_a_breach(tmp_path: Path) -> None:
    breach = tmp_path / "render.py"
    breach.write_text("from pulumi_docker import Container\nimport ops.preview\n")
    assert _breaches(breach, PULUMI) == ["pulumi_docker"]
    assert _breaches(breach, ("ops",)) == ["ops.preview"]


def test_there_is_something_to_check() -> None:
    assert len(_sources("components/*/render.py")) >= 5
    assert len(_sources("policy/**/*.py")) >= 5
    assert len(_sources("simulators/**/*.py")) >= 5
