"""A stack's end: only the services' volumes are let go, and only when the stack's name was typed."""

import json
import sys
from pathlib import Path

import pytest

from ops.destroy.__main__ import main

RESOURCES = [
    {"urn": "urn:pulumi:dev::p::docker:index/volume:Volume::postgres-data", "type": "docker:index/volume:Volume"},
    {"urn": "urn:pulumi:dev::p::docker:index/volume:Volume::api-files", "type": "docker:index/volume:Volume"},
    {"urn": "urn:pulumi:dev::p::hcloud:index/volume:Volume::host-data", "type": "hcloud:index/volume:Volume"},
]
PROTECTED = ("postgres-data", "host-data")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in for the CLI was asked."""
    resources = [{**each, "protect": each["urn"].endswith(PROTECTED)} for each in RESOURCES]
    (tmp_path / "state.json").write_text(json.dumps({"deployment": {"resources": resources}}))
    program = tmp_path / "pulumi"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/log\n[ "$1" != stack ] || cat {tmp_path}/state.json\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "log"


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str, said: str = "") -> int:
    monkeypatch.setattr(sys, "argv", ["ops.destroy", *arguments])
    monkeypatch.setattr("builtins.input", lambda _="": said)
    return main()


def test_services_volumes_are_let_go_and_the_servers_stays_protected(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run(monkeypatch, "--yes") == 0
    assert log.read_text().splitlines() == [
        "stack export --stack dev",
        f"state unprotect {RESOURCES[0]['urn']} --stack dev --yes",
        "destroy --stack dev --yes --exclude-protected",
    ]


@pytest.mark.parametrize("said", ["", "y", "prod"])
def test_without_the_stacks_name_nothing_is_done(log: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    assert _run(monkeypatch, said=said) == 1
    assert not log.exists()
    assert _run(monkeypatch, said="dev") == 0
    assert log.exists()


def test_where_the_state_cannot_be_read_nothing_is_destroyed(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = log.parent / "pulumi"
    program.write_text(program.read_text() + '[ "$1" != stack ] || exit 1\n')
    assert _run(monkeypatch, "--yes") == 1
    assert log.read_text().splitlines() == ["stack export --stack dev"]
