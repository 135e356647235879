"""`make init` writes a stack file that the program and the policy pack accept, or writes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops.init.question import QUESTIONS
from ops.preview.run import preview

ROOT = Path(__file__).parents[3]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJnk0oK4T9D8n6yPp7oJ6X0f3gPbJx1n5b2dC9mV3aH bob"
CLOUD = {
    "domain": "mine.dev",
    "account_id": "a" * 32,
    "zone_id": "1" * 32,
    "team": "mine",
    "ssh_key": KEY,
    "email": "bob@mine.dev",
    "network": "203.0.113.7/32",
    "image": "ghcr.io/mine/api:1.4",
}


def _lines(answers: dict[str, str], target: str = "cloud") -> str:
    """One line a question; an empty one takes the default."""
    asked = [question for question in QUESTIONS if target == "cloud" or not question.cloud]
    return "".join(f"{answers.get(question.key, '')}\n" for question in asked)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project without stack files."""
    (tmp_path / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    return tmp_path


def _init(folder: Path, lines: str, target: str = "cloud", stack: str = "mine") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ops.init", "--stack", stack, "--target", target, "--root", str(folder)]
    return subprocess.run(
        command,
        input=lines,
        env={"HOME": str(folder), "COLUMNS": "200"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("target", ["cloud", "local"])
@pytest.mark.parametrize("database", ["yes", "no"])
def test_what_it_writes_may_be_deployed(folder: Path, target: str, database: str) -> None:
    done = _init(folder, _lines(CLOUD | {"database": database}, target), target)
    assert done.returncode == 0, done.stderr
    shown = preview(folder, "mine")
    assert shown.violations == [], "a new stack begins without a finding"
    nodes = {resource.name for resource in shown.recording.resources}
    assert ("postgres" in nodes) is (database == "yes")
    assert ("host-server" in nodes) is (target == "cloud")


def test_a_wrong_answer_is_said_and_asked_again(folder: Path) -> None:
    lines = _lines(CLOUD).replace("mine.dev\n", "not a domain\nmine.dev\n", 1).replace(":1.4", "\nghcr.io/mine/api:1.4")
    done = _init(folder, lines)
    assert done.returncode == 0, done.stderr
    assert "write a host name in lower case, such as api.example.com" in done.stderr
    assert "pin the image" in done.stderr


def test_what_is_wrong_only_as_a_whole_is_said_and_nothing_is_written(folder: Path) -> None:
    done = _init(folder, _lines(CLOUD | {"host": "api.other.dev"}))
    assert done.returncode == 1
    assert "services.api.routes[0].host" in done.stderr
    assert "Nothing was written: the answers ended." in done.stderr
    assert not (folder / "Pulumi.mine.yaml").exists()


def test_after_that_enter_keeps_every_answer_but_the_one_to_mend(folder: Path) -> None:
    wrong = _lines(CLOUD | {"host": "api.other.dev", "database": "no"})
    done = _init(folder, wrong + _lines({"host": "api.mine.dev"}))
    assert done.returncode == 0, done.stderr
    text = (folder / "Pulumi.mine.yaml").read_text()
    assert "host: api.mine.dev" in text
    assert "203.0.113.7/32" in text
    assert "postgres" not in text


def test_an_optional_answer_can_be_taken_back(folder: Path) -> None:
    done = _init(folder, _lines(CLOUD | {"network": "0.0.0.0/0"}) + _lines({"network": "none"}))
    assert done.returncode == 0, done.stderr
    assert "0.0.0.0/0" not in (folder / "Pulumi.mine.yaml").read_text()


def test_each_type_that_is_asked_for_says_in_words_what_it_takes() -> None:
    for question in QUESTIONS:
        with pytest.raises(ValueError, match=r"\w") as refused:
            question.parse("~ ~")
        assert "has to match" not in str(refused.value), question.key


def test_answers_that_end_too_early_write_nothing(folder: Path) -> None:
    assert _init(folder, "mine.dev\n").returncode == 1
    assert not (folder / "Pulumi.mine.yaml").exists()


def test_it_overwrites_nothing(folder: Path) -> None:
    (folder / "Pulumi.mine.yaml").write_text("mine")
    done = _init(folder, _lines(CLOUD))
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert (folder / "Pulumi.mine.yaml").read_text() == "mine"


def test_a_name_that_leads_elsewhere_is_refused(folder: Path) -> None:
    assert _init(folder, _lines(CLOUD), stack="../other").returncode == 1
