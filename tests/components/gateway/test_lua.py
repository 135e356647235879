"""The gateway's plain Lua files, by tests in their own language."""

import shutil
import subprocess
from pathlib import Path

import pytest

from components.gateway.render import FOLDER
from tests.programs import need

HERE = Path(__file__).parent / "lua"
TESTS = sorted(HERE.glob("*_test.lua"))


def lua(test: Path, sources: Path) -> subprocess.CompletedProcess[str]:
    """Run one test file on the sources of a folder."""
    path = f"package.path = '{sources}/?.lua;{HERE}/?.lua'"
    return subprocess.run(["lua5.1", "-e", path, str(test)], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.stem)
def test_lua(test: Path) -> None:
    need("lua5.1")
    result = lua(test, FOLDER / "lua")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("test", "right", "wrong"),
    [
        ("path", "local ROUNDS = 3", "local ROUNDS = 1"),
        ("path", "0xC2", "0xC0"),
        ("path", 'following == "/" or following == "."', 'following == "/"'),
        ("path", 'route .. "/"', "route"),
        ("bans", 'store:get(name) == kind .. " " .. rest', "true"),
        ("address", "> 255", "> 256"),
        ("duration", "3600", "60"),
        ("body", "html < json", "html > json"),
    ],
)
def test_control_a_mistake_is_found(tmp_path: Path, test: str, right: str, wrong: str) -> None:
    need("lua5.1")
    source = (FOLDER / f"lua/{test}.lua").read_text(encoding="utf-8")
    assert right in source
    shutil.copytree(FOLDER / "lua", tmp_path, dirs_exist_ok=True)
    (tmp_path / f"{test}.lua").write_text(source.replace(right, wrong), encoding="utf-8")
    assert lua(HERE / f"{test}_test.lua", tmp_path).returncode == 1
