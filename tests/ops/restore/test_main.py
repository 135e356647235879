"""`python -m ops.restore`: what it refuses, and what it leaves when a step fails."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.restore.__main__ import ROOT, _plan, _restore
from ops.restore.reach import Local, ReachError, Remote, reach
from settings.load import SettingsError


def options(stack: str = "dev", **more: object) -> argparse.Namespace:
    given = {"stack": stack, "snapshot": "latest", "service": None, "root": ROOT, **more}
    return argparse.Namespace(**given)


class Engine:
    """Notes orders, and fails at one."""

    def __init__(self, *fails_at: str) -> None:
        self.orders: list[str] = []
        self._fails_at = fails_at

    def __call__(self, command: Sequence[str]) -> None:
        order = " ".join(command)
        self.orders.append(order)
        if any(word in order for word in self._fails_at):
            raise ReachError(order)

    def verbs(self) -> list[str]:
        """What was ordered, in a word each."""
        known = ("fetch", "stop", "postgres-restore", "files-restore", "start", "done", "abandon")
        return [next(verb for verb in known if verb in order) for order in self.orders]


def test_everything_is_fetched_before_anything_is_stopped() -> None:
    engine = Engine()
    _restore(_plan(options()), engine)
    assert engine.verbs() == [
        *("fetch", "fetch"),
        *("stop", "postgres-restore", "start"),
        *("stop", "files-restore", "start"),
        "done",
    ]


@pytest.mark.parametrize(
    ("step", "verbs"),
    [
        ("fetch", ["fetch", "abandon"]),
        ("postgres-restore", ["fetch", "fetch", "stop", "postgres-restore", "abandon", "start"]),
        ("stop --time", ["fetch", "fetch", "stop", "abandon", "start"]),
    ],
)
def test_whatever_fails_what_was_stopped_is_started_and_backups_go_on(step: str, verbs: list[str]) -> None:
    engine = Engine(step)
    with pytest.raises(ReachError):
        _restore(_plan(options()), engine)
    assert engine.verbs() == verbs


def test_clients_stay_stopped_where_it_is_not_known_that_everything_is_as_it_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine = Engine("postgres-restore", "abandon")
    with pytest.raises(ReachError, match="abandon"):
        _restore(_plan(options()), engine)
    assert engine.verbs() == ["fetch", "fetch", "stop", "postgres-restore", "abandon"]
    assert "Still stopped: api, " in capsys.readouterr().err


def test_with_no_snapshot_nothing_is_touched_but_the_keepers_note() -> None:
    engine = Engine()
    _restore(_plan(options(snapshot="none")), engine)
    assert engine.verbs() == ["done"]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"service": "api"}, "api: not backed up; there are: postgres, queue"),
        ({"snapshot": "3f2a9c1e"}, "a snapshot is of one service: say SERVICE"),
    ],
)
def test_what_cannot_be_restored_is_refused_with_what_can(more: dict[str, object], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        _plan(options("dev", **more))


def test_a_local_stack_is_reached_here_and_a_server_by_its_pinned_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local, cloud = _plan(options("local")), _plan(options())
    assert isinstance(reach("local", local.settings, local.topology), Local)
    (tmp_path / "pulumi").write_text("#!/bin/sh\necho ssh-ed25519 KEY\n", encoding="ascii")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = reach("dev", cloud.settings, cloud.topology)
    assert found == Remote("ssh-dev.example.org", "ssh-ed25519 KEY")


def test_without_the_cli_there_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = _plan(options())
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ReachError, match="the Pulumi CLI is needed"):
        reach("dev", cloud.settings, cloud.topology)


def test_an_order_that_fails_is_told_with_its_place_and_without_options_of_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReachError) as failed:
        Remote("ssh-dev.example.org", "ssh-ed25519 KEY")(("exec", "dev-backup", "true"))
    assert str(failed.value) == "on ssh-dev.example.org, this ended with 3: docker exec dev-backup true"
