"""The scripts as a shell reads them, and when a backup is due."""

import subprocess
from pathlib import Path

import pytest

from components.backup.render import bucket, scripts
from tests.programs import need

PARTS = Path(__file__).parents[3] / "components/backup"
SCRIPTS = sorted([*PARTS.glob("keeper/*.sh"), *PARTS.glob("copier/*.sh")])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_shells_checker_has_nothing_to_say(script: Path) -> None:
    need("shellcheck")
    # SC1091, SC2153: what common.sh and the environment bring. SC2317: functions that are called by name.
    command = ["shellcheck", "--shell=sh", "--exclude=SC1091,SC2153,SC2317", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_control_the_checker_does_speak(tmp_path: Path) -> None:
    need("shellcheck")
    (tmp_path / "bad.sh").write_text("rm -rf $1\n", encoding="ascii")
    done = subprocess.run(["shellcheck", "--shell=sh", str(tmp_path / "bad.sh")], capture_output=True, check=False)
    assert done.returncode == 1


def test_keeper_and_copier_have_their_own_scripts_only() -> None:
    keeper, copier = scripts("keeper"), scripts("copier")
    assert not set(keeper) & set(copier)
    assert len(keeper) + len(copier) == len([path for path in PARTS.rglob("*/*.*") if path.suffix in (".sh", ".sql")])


@pytest.mark.parametrize(
    ("at", "now", "planned"),
    [
        ("02:30", "2026-11-24T02:29:59", "2026-11-23T02:30:00"),
        ("02:30", "2026-11-24T02:30:00", "2026-11-24T02:30:00"),
        ("00:00", "2026-11-24T00:00:00", "2026-11-24T00:00:00"),
        ("08:09", "2026-11-24T23:59:59", "2026-11-24T08:09:00"),
        ("23:59", "2026-01-01T12:00:00", "2025-12-31T23:59:00"),
    ],
)
def test_the_last_planned_time(at: str, now: str, planned: str) -> None:
    need("date")
    found = subprocess.run(
        ["sh", str(PARTS / "keeper/schedule.sh"), "planned", _seconds(now)],
        env={"BACKUP_AT": at, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert found.strip() == _seconds(planned)


def _seconds(text: str) -> str:
    done = subprocess.run(["date", "-u", "-d", text, "+%s"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("stack", "domain", "name"),
    [
        ("dev", "example.org", "dev-example-org-backup"),
        ("Prod", "example.co.uk", "prod-example-co-uk-backup"),
        ("dev", f"{'a' * 50}.example.org", f"dev-{'a' * 50}-example"),
    ],
)
def test_the_buckets_name_is_one_that_is_allowed(stack: str, domain: str, name: str) -> None:
    assert bucket(stack, domain) == name
