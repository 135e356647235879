"""The whole program on mocks: every example, in a preview and in an update."""

import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest

from ops.preview.record import Recording, record
from ops.preview.simulated import outputs_of
from ops.preview.stackfile import stack_values
from policy.rules.engine import check_resource, check_stack
from policy.rules.model import PackConfig
from tests.mocks import both_modes, nothing_known

ROOT = Path(__file__).parents[1]
STACKS = pytest.mark.parametrize("stack", ["dev", "prod", "local"])
TOKENS = {"hcloud:token": "t" * 64, "cloudflare:apiToken": "t"}


def _run(stack: str, preview: bool, outputs: Any = outputs_of, **config: str) -> Recording:
    values = {**stack_values(ROOT, stack), **TOKENS, **config}

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return record(program, stack=stack, preview=preview, config=values, outputs=outputs)


def _blocking(recording: Recording) -> list[str]:
    config = PackConfig()
    found = [violation for resource in recording.resources for violation in check_resource(resource, config)]
    found += check_stack(recording.resources, config)
    return [f"{violation.rule} {violation.urn}: {violation.message}" for violation in found if violation.blocking]


@STACKS
@both_modes
def test_an_example_breaks_no_rule(stack: str, preview: bool) -> None:
    assert _blocking(_run(stack, preview)) == []


@STACKS
def test_a_first_preview_where_nothing_is_known_yet_breaks_no_rule(stack: str) -> None:
    assert _blocking(_run(stack, True, nothing_known)) == []


@STACKS
@both_modes
def test_every_custom_resource_has_a_component_for_parent(stack: str, preview: bool) -> None:
    recording = _run(stack, preview)
    orphans = [
        entry.resource.name
        for entry in recording.registrations
        if entry.custom and "zero-exposure:index:" not in (entry.resource.parent or "")
    ]
    assert set(orphans) <= {"digest-key", "volume-key"}


@both_modes
def test_what_cannot_be_made_again_is_protected_and_nothing_else(preview: bool) -> None:
    protected = {resource.name for resource in _run("dev", preview).resources if resource.protect}
    backups = {"backup-bucket", "backup-password", "backup-data"}
    assert backups | {"volume-key", "host-data", "postgres-data", "prometheus-data", "queue-data"} == protected


@both_modes
def test_docker_resources_use_the_explicit_provider(preview: bool) -> None:
    docker = [resource for resource in _run("dev", preview).resources if resource.type.startswith("docker:")]
    assert docker
    assert all((resource.provider or "").endswith("::engine-docker") for resource in docker)


def test_two_stacks_share_no_name_on_one_engine() -> None:
    def names(stack: str) -> set[str]:
        docker = [entry for entry in _run(stack, True).resources if entry.type.startswith("docker:")]
        return {str(entry.props["name"]) for entry in docker if "RemoteImage" not in entry.type}

    assert not names("dev") & names("prod")


@pytest.mark.parametrize("token", sorted(TOKENS))
def test_a_missing_token_stops_an_update_before_anything_is_made(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HCLOUD_TOKEN", "CLOUDFLARE_API_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(pulumi.RunError, match=f"{token}: needed: pulumi config set --secret"):
        _run("dev", False, **{token: ""})


def test_an_update_of_the_local_stack_needs_no_token() -> None:
    assert _run("local", False, **dict.fromkeys(TOKENS, "")).resources


@both_modes
def test_no_secret_is_shown_by_the_stack(preview: bool) -> None:
    exports = _run("dev", preview).exports
    assert exports["serviceTokenSecret"] == "[secret]"
    assert exports["urls"] == ["https://api.example.org"]


SWARM_TYPES = ("docker:index/service", "docker:index/secret", "hcloud:index/network", "hcloud:index/placementGroup",
               "hcloud:index/serverNetwork")  # fmt: skip


@STACKS
def test_one_server_is_no_swarm(stack: str) -> None:
    resources = _run(stack, False).resources
    assert not [each.urn for each in resources if each.type.startswith(SWARM_TYPES)]
    assert {each.props["driver"] for each in resources if "docker:index/network" in each.type} == {"bridge"}
    data = [str(each.props["userData"]) for each in resources if each.type == "hcloud:index/server:Server"]
    assert not any("swarm" in text.lower() for text in data)


def test_control_a_swarm_is_one() -> None:
    found = {
        each.type.partition(":")[0] for each in _run("swarm", False).resources if each.type.startswith(SWARM_TYPES)
    }
    assert found == {"docker", "hcloud"}
