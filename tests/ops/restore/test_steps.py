"""The orders of a restore, as docker commands."""

from typing import Any

import pytest

from ops.restore.steps import Plan
from tests.samples import cloud_stack, service, settings
from topology.plan import plan


def planned(*services: str) -> Plan:
    raw: dict[str, Any] = cloud_stack(backup={})
    raw["services"]["notes"] = service(volumes={"data": "/data", "more": "/more"}, backup="files", user="4000:4000")
    raw["services"]["reader"] = service(uses=["notes", "postgres"], replicas=2)
    found = settings(raw)
    return Plan("dev", found, plan(found), services, "latest")


@pytest.mark.parametrize(
    ("name", "stopped"),
    [("postgres", ("api", "postgres-exporter", "reader", "reader-2")), ("notes", ("notes", "reader", "reader-2"))],
)
def test_clients_are_stopped_and_a_service_whose_files_change(name: str, stopped: tuple[str, ...]) -> None:
    found = planned(name)
    assert found.stopped(name) == stopped
    assert found.stop(name)[3:] == found.start(name)[1:] == tuple(f"dev-{node}" for node in stopped)


def test_the_copier_of_a_database_is_not_stopped_since_it_restores() -> None:
    found = planned("postgres")
    assert "postgres-backup" not in found.stopped("postgres")
    assert found.put("postgres")[:2] == ("exec", "dev-postgres-backup")


def test_files_are_written_by_a_container_as_closed_as_all_others() -> None:
    words = planned("notes").put("notes")
    for pair in (("--network", "none"), ("--cap-drop", "ALL"), ("--user", "4000:4000"), ("--memory", "256m")):
        assert words[words.index(pair[0]) + 1] == pair[1]
    assert {"--rm", "--read-only", "no-new-privileges:true"} <= set(words)
    assert words[words.index("--volumes-from") + 1] == "dev-notes-backup:ro"
    volumes = {words[index + 1] for index, word in enumerate(words) if word == "--volume"}
    assert volumes == {"dev-notes-data:/restored/volumes/data", "dev-notes-more:/restored/volumes/more"}


def test_the_keeper_is_told_of_every_service_when_all_is_done() -> None:
    assert planned("notes", "postgres").done()[-3:] == ("done", "notes", "postgres")
