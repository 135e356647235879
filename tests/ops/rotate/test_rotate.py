"""`make rotate` knows every secret of the graph, and hands the engine exactly one of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops.rotate.__main__ import _recorded, command
from ops.rotate.secret import Secret, effect

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def found() -> dict[str, Secret]:
    """The example's secrets."""
    return _recorded("dev")


def test_it_names_who_is_replaced_and_no_carrier(found: dict[str, Secret]) -> None:
    assert found["api_db_password"].containers == ("api", "postgres")
    assert effect(found["api_db_password"]) == "replaces api, postgres"
    assert found["tunnel-app-secret"].containers == ("cloudflared",)


def test_what_is_in_the_user_data_replaces_the_server(found: dict[str, Secret]) -> None:
    assert {name for name, secret in found.items() if secret.server} >= {"tunnel-admin-secret", "host-key"}
    assert "three to five minutes" in effect(found["host-key"])


def test_every_secret_that_a_stack_generates_is_listed(found: dict[str, Secret]) -> None:
    text = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    generated = next(line for line in text.splitlines() if "zero-exposure:generated:" in line)
    names = generated.partition("[")[2].rstrip("]").split(", ")
    assert len(names) > 2
    assert set(names) <= found.keys()


def test_the_engine_replaces_that_secret_in_a_whole_update_with_the_pack(found: dict[str, Secret]) -> None:
    words = command(found["api_db_password"], "prod", yes=True)
    assert words[words.index("--replace") + 1].endswith("RandomPassword::secrets-api_db_password")
    assert words[words.index("--policy-pack") + 1] == "policy"
    assert not any(word.startswith("--target") for word in words)


@pytest.mark.parametrize(
    ("name", "said"), [("volume-key", "can't be made anew"), ("nothing", "there is none; there are:")]
)
def test_a_secret_that_cannot_be_rotated_is_refused_and_no_engine_is_called(
    name: str, said: str, tmp_path: Path
) -> None:
    called = tmp_path / "pulumi"
    called.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    called.chmod(0o755)
    words = [sys.executable, "-m", "ops.rotate", "--secret", name, "--yes"]
    done = subprocess.run(
        words, cwd=ROOT, env={"PATH": f"{tmp_path}:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "called").exists()


def test_control_one_that_can_be_rotated_calls_it(tmp_path: Path) -> None:
    called = tmp_path / "pulumi"
    called.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    called.chmod(0o755)
    words = [sys.executable, "-m", "ops.rotate", "--secret", "tunnel-ci", "--yes"]
    done = subprocess.run(
        words, cwd=ROOT, env={"PATH": f"{tmp_path}:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "::tunnel-ci --yes" in (tmp_path / "called").read_text()


def test_without_the_engine_it_says_so_in_one_line_and_rotates_nothing() -> None:
    words = [sys.executable, "-m", "ops.rotate", "--secret", "tunnel-ci", "--yes"]
    done = subprocess.run(words, cwd=ROOT, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["pulumi is not on PATH: https://www.pulumi.com/docs/install/"]
