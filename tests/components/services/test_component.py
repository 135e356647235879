"""The containers of the user's services, on mocks."""

import json
from typing import Any

import pulumi
import pytest

from components.networks.component import Networks
from components.services.component import Services
from policy.rules.model import Resource
from settings.stack import Settings
from tests.components.site import CARRIER_IMAGE, one_server
from tests.mocks import Recording, both_modes, run
from tests.samples import local_stack, service, settings
from topology.plan import plan

CONTAINER = "docker:index/container:Container"
PASSWORD = "masked-postgres-password"
STRIPE = "sk_live_1234"


def _deploy(stack: Settings) -> None:
    topology = plan(stack)
    networks = Networks("networks", {"stack": "dev", "topology": topology})
    secrets = {name: pulumi.Output.secret(value.get_secret_value()) for name, value in stack.secrets.items()}
    Services(
        "services",
        {
            "services": stack.services,
            "topology": topology,
            "site": one_server(topology, networks),
            "secrets": secrets,
            "generated": stack.generated,
        },
    )


def _recording(preview: bool, **changes: Any) -> Recording:
    raw = local_stack(secrets={"stripe": STRIPE}, generated=["token"])
    raw["services"]["api"]["secrets"]["stripe"] = "${secrets.stripe}"
    raw["services"]["api"]["secrets"]["token"] = "${secrets.token}"
    raw["services"]["api"] |= changes
    return run(lambda: _deploy(settings(raw)), preview)


def _container(recording: Recording, name: str) -> Resource:
    return next(resource for resource in recording.of_type(CONTAINER) if resource.name == name)


@both_modes
def test_every_container_is_closed(preview: bool) -> None:
    running = [entry for entry in _recording(preview).of_type(CONTAINER) if not entry.name.endswith("-carrier")]
    assert len(running) == 3
    for container in running:
        props = container.props
        assert props["readOnly"] is True
        assert props["capabilities"] == {"drops": ["ALL"]}
        assert props["securityOpts"] == ["no-new-privileges:true"]
        assert props["memory"] == props["memorySwap"] > 0
        assert {"name": "nproc", "soft": 200, "hard": 200} in props["ulimits"]
        assert not {"ports", "privileged", "publishAllPorts", "devices", "pidMode"} & set(props)


@both_modes
def test_a_container_has_its_fixed_address_on_each_of_its_links(preview: bool) -> None:
    api = _container(_recording(preview), "api")
    topology = plan(settings(local_stack()))
    placed = {entry["name"]: entry["ipv4Address"] for entry in api.props["networksAdvanced"]}
    assert placed == {f"dev-{name}": str(address) for name, address in topology.nodes["api"].addresses.items()}


@both_modes
def test_a_container_knows_the_addresses_of_what_it_uses_without_asking_docker(preview: bool) -> None:
    topology = plan(settings(local_stack()))
    known = {host["host"]: host["ip"] for host in _container(_recording(preview), "api").props["hosts"]}
    links = [network for network in topology.networks if network.client == "api"]
    assert known == {network.server: str(network.members[network.server]) for network in links}
    assert "postgres" in known


@both_modes
def test_a_service_with_replicas_is_found_by_dns_alone(preview: bool) -> None:
    raw = local_stack()
    raw["services"]["asker"] = service(uses=["api"])
    raw["services"]["api"]["replicas"] = 2
    asker = _container(run(lambda: _deploy(settings(raw)), preview), "asker")
    assert asker.props["hosts"] == []


@both_modes
def test_a_container_without_any_link_is_on_no_network(preview: bool) -> None:
    raw = local_stack(services={"lonely": service()})
    lonely = _container(run(lambda: _deploy(settings(raw)), preview), "lonely")
    assert (lonely.props["networkMode"], lonely.props["networksAdvanced"]) == ("none", [])


@both_modes
def test_secrets_travel_as_secrets_and_only_in_files(preview: bool) -> None:
    recording = _recording(preview)
    carrier = _container(recording, "api-carrier")
    contents = {upload["file"]: upload["content"] for upload in carrier.props["uploads"]}
    assert f"postgres://postgres:{PASSWORD}@postgres:5432/app?sslmode=disable" in contents.values()
    assert {f"uploads[{index}].content" for index in range(3)} <= carrier.secrets
    for resource in recording.resources:
        plain = _without_secrets(resource)
        assert PASSWORD not in plain
        assert STRIPE not in plain


def _without_secrets(resource: Resource) -> str:
    def walk(value: Any, path: str) -> Any:
        if path in resource.secrets:
            return None
        if isinstance(value, dict):
            return {key: walk(inner, f"{path}.{key}" if path else key) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
        return value

    return json.dumps(walk(dict(resource.props), ""), default=str)


def test_the_search_for_plain_secrets_finds_one_that_is_planted() -> None:
    recording = _recording(True, env={"TOKEN": STRIPE})
    assert STRIPE in _without_secrets(_container(recording, "api"))


@both_modes
def test_files_are_readable_by_the_containers_user_alone(preview: bool) -> None:
    carrier = _container(_recording(preview), "api-carrier")
    assert {(entry["owner"], entry["group"], entry["permissions"]) for entry in carrier.props["uploads"]} == {
        ("1000", "1000", "0400")
    }


@both_modes
def test_a_carrier_is_of_its_own_image_and_has_no_user(preview: bool) -> None:
    """With one, the Engine would look for it on the server, and give it the files."""
    for carrier in (each for each in _recording(preview).of_type(CONTAINER) if each.name.endswith("-carrier")):
        assert carrier.props["image"] == CARRIER_IMAGE
        assert "user" not in carrier.props


@both_modes
def test_a_carrier_never_runs_and_has_no_network(preview: bool) -> None:
    props = _container(_recording(preview), "api-carrier").props
    assert (props["start"], props["mustRun"], props["networkMode"]) == (False, False, "none")


@both_modes
def test_the_container_mounts_read_only_what_the_carrier_fills(preview: bool) -> None:
    recording = _recording(preview)
    filled = {mount["volumeName"] for mount in _container(recording, "api-carrier").props["volumes"]}
    mounted = {mount["volumeName"] for mount in _container(recording, "api").props["volumes"] if mount.get("readOnly")}
    assert filled == mounted


def _digest(recording: Recording) -> str:
    labels = {entry["label"]: entry["value"] for entry in _container(recording, "api").props["labels"]}
    return str(labels["zero-exposure.config"])


@both_modes
def test_a_changed_file_changes_the_containers_label_and_the_volumes_name(preview: bool) -> None:
    before = _recording(preview, files={"/etc/app/app.conf": "a"})
    after = _recording(preview, files={"/etc/app/app.conf": "b"})
    assert _digest(before) != _digest(after)
    names = [
        {volume.props["name"] for volume in recording.of_type("docker:index/volume:Volume") if "etc-app" in volume.name}
        for recording in (before, after)
    ]
    assert names[0] != names[1]


@both_modes
def test_only_data_volumes_are_protected_and_they_are_retained_at_the_stacks_end(preview: bool) -> None:
    recording = _recording(preview)
    assert [resource.name for resource in recording.resources if resource.protect] == ["postgres-data"]
    assert [made.resource.name for made in recording.registrations if made.retain_on_delete] == ["postgres-data"]


@both_modes
def test_what_the_provider_would_leave_as_it_is_replaces_the_container(preview: bool) -> None:
    made = {each.resource.name: each for each in _recording(preview).registrations if each.resource.type == CONTAINER}
    assert set(made["api"].replace_on_changes) == {"healthcheck", "tmpfs", "#initerror"}


@both_modes
def test_a_container_whose_creation_broke_off_is_replaced(preview: bool) -> None:
    """The provider's update would leave it without its networks, never started, and call it done."""
    made = [each for each in _recording(preview).registrations if each.resource.type == CONTAINER]
    assert [each.resource.name for each in made if "#initerror" not in each.replace_on_changes] == []


@pytest.mark.parametrize(
    ("written", "read_back"),
    [("5s", "5s"), ("59s", "59s"), ("60s", "1m0s"), ("90s", "1m30s"), ("3600s", "1h0m0s"), ("3661s", "1h1m1s")],
)
def test_times_are_written_as_the_engine_shows_them(written: str, read_back: str) -> None:
    """Written otherwise, each would be a change at every update."""
    check = {"command": ["true"], "interval": written, "timeout": written, "start_period": written}
    shown = _container(_recording(False, healthcheck=check), "api").props["healthcheck"]
    assert (shown["interval"], shown["timeout"], shown["startPeriod"]) == (read_back,) * 3


@both_modes
def test_a_service_starts_after_what_it_uses(preview: bool) -> None:
    recording = _recording(preview)
    assert _container(recording, "postgres").urn in _container(recording, "api").dependencies
