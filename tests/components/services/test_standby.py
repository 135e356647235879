"""A database with a standby, as the program registers it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.services.standby import FOLDER
from ops.preview.record import Recording
from ops.preview.stackfile import stack_values
from policy.rules.engine import check_resource, check_stack
from settings.reference import STANDBY_PASSWORD
from tests.components.cluster.test_component import ROOT, named, reaches, swarm
from tests.programs import need

SERVICE, VOLUME, SECRET, NETWORK, PASSWORD = (
    "docker:index/service:Service",
    "docker:index/volume:Volume",
    "docker:index/secret:Secret",
    "docker:index/network:Network",
    "random:index/randomPassword:RandomPassword",
)
HOME, OTHER = "data-1", "manager-2"


def recorded(known: bool = True, **given: Any) -> Recording:
    services = json.loads(stack_values(ROOT, "swarm")["zero-exposure:services"])
    services["postgres"]["standby"] = {"node": OTHER, **given}
    return swarm(known, services=json.dumps(services))


def places(recording: Recording) -> dict[str, tuple[str, str]]:
    """Server → the machine and the data volume that it has."""
    found = {}
    for name in ("postgres", "postgres-standby"):
        task = named(recording, SERVICE, name).props["taskSpec"]
        (machine,) = task["placement"]["constraints"]
        (volume,) = (each["source"] for each in task["containerSpec"]["mounts"] if each["type"] == "volume")
        found[name] = machine.rpartition("==")[2], volume
    return found


def test_each_server_has_its_own_machine_and_volume() -> None:
    assert places(recorded()) == {
        "postgres": (HOME, "swarm-postgres-data"),
        "postgres-standby": (OTHER, "swarm-postgres-standby-data"),
    }


def test_a_promotion_moves_both_servers_and_no_volume() -> None:
    before, after = recorded(), recorded(leads=True)
    assert places(after) == {
        "postgres": (OTHER, "swarm-postgres-standby-data"),
        "postgres-standby": (HOME, "swarm-postgres-data"),
    }
    for recording in (before, after):
        made = {each.name: each for each in recording.of_type(VOLUME)}
        assert (made["postgres-data"].provider or "").endswith(f"::engine-{HOME}-docker")
        assert (made["postgres-standby-data"].provider or "").endswith(f"::engine-{OTHER}-docker")
        assert made["postgres-data"].protect
        assert made["postgres-standby-data"].protect
    volumes = [{each.urn: (each.props, each.provider) for each in found.of_type(VOLUME)} for found in (before, after)]
    assert volumes[0] == volumes[1]


def test_a_standby_added_later_leaves_the_database_on_its_volume() -> None:
    volumes = {each.urn: each.props for each in swarm().of_type(VOLUME)}
    assert volumes.items() <= {each.urn: each.props for each in recorded().of_type(VOLUME)}.items()


@pytest.mark.parametrize("leads", [False, True])
def test_the_one_that_leads_comes_after_the_one_that_follows(leads: bool) -> None:
    """Which leaves the volume that is to lead."""
    recording = recorded(leads=leads)
    lead, follow = (named(recording, SERVICE, name).urn for name in ("postgres", "postgres-standby"))
    assert reaches(recording, lead, follow)
    assert not reaches(recording, follow, lead)


def test_they_share_one_encrypted_link_and_the_standby_has_no_other() -> None:
    recording = recorded()
    link = named(recording, NETWORK, "networks-link-postgres-standby-postgres")
    assert link.props["options"]["encrypted"] == "true"
    assert link.props["internal"] is True
    networks = named(recording, SERVICE, "postgres-standby").props["taskSpec"]["networksAdvanceds"]
    assert [entry["aliases"] for entry in networks] == [["postgres-standby"]]


def test_the_password_is_made_kept_secret_and_in_no_argument() -> None:
    recording = recorded()
    assert [each.name for each in recording.of_type(PASSWORD) if STANDBY_PASSWORD in each.name] == [
        f"postgres-{STANDBY_PASSWORD}"
    ]
    assert not any(STANDBY_PASSWORD in each.name for each in swarm().of_type(PASSWORD))
    password = named(recording, SECRET, "postgres-standby-secret-run-secrets-leader")
    assert "data" in password.secrets
    for name in ("postgres", "postgres-standby"):
        container = named(recording, SERVICE, name).props["taskSpec"]["containerSpec"]
        assert "password" not in " ".join([*container["commands"], *container["args"]])
        assert "masked" not in str(container["env"])


def test_synchronous_is_an_argument_of_the_one_that_leads() -> None:
    said = {
        wait: named(recorded(synchronous=wait), SERVICE, "postgres").props["taskSpec"]["containerSpec"]["args"]
        for wait in (True, False)
    }
    assert "synchronous_standby_names=standby" in said[True]
    assert "synchronous_standby_names=standby" not in said[False]


@pytest.mark.parametrize("leads", [False, True])
def test_an_update_that_fails_undoes_no_promotion(leads: bool) -> None:
    services = {each.name: each.props for each in recorded(leads=leads).of_type(SERVICE)}
    actions = {name: props["updateConfig"]["failureAction"] for name, props in services.items()}
    assert {name for name, action in actions.items() if action != "rollback"} == {"postgres", "postgres-standby"}
    assert actions["postgres"] == actions["postgres-standby"] == "pause"


def test_an_update_waits_for_no_copy_and_a_copy_may_take_a_day() -> None:
    follow = named(recorded(), SERVICE, "postgres-standby").props
    assert "convergeConfig" not in follow or follow["convergeConfig"] is None
    assert follow["taskSpec"]["containerSpec"]["healthcheck"]["startPeriod"] == "24h"


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_have_no_finding(script: Path) -> None:
    need("shellcheck")
    done = subprocess.run(["shellcheck", "--shell=dash", script], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("leads", [False, True])
def test_every_rule_of_the_policy_holds(known: bool, leads: bool) -> None:
    stack = recorded(known, leads=leads, synchronous=True).resources
    assert [violation for each in stack for violation in check_resource(each)] + check_stack(stack) == []
