"""A service of a Swarm, as the program registers it."""

import base64
import json
from typing import Any

import pytest

from ops.preview.stackfile import stack_values
from tests.components.cluster.test_component import ROOT, named, swarm

SERVICE, CONFIG, SECRET = (
    f"docker:index/{kind}" for kind in ("service:Service", "serviceConfig:ServiceConfig", "secret:Secret")
)
NUMBER = "com.docker.network.driver.overlay.vxlanid_list"
VOLUME, NETWORK = "docker:index/volume:Volume", "docker:index/network:Network"


def task(name: str, **changed: str) -> Any:
    return named(swarm(**changed), SERVICE, name).props["taskSpec"]


def service(name: str) -> Any:
    return named(swarm(), SERVICE, name).props


def test_nothing_is_published_and_only_what_nginx_looks_up_once_has_a_virtual_address() -> None:
    modes = {each.name: each.props["endpointSpec"] for each in swarm().of_type(SERVICE)}
    assert not any("ports" in mode for mode in modes.values())
    assert {name for name, mode in modes.items() if mode["mode"] == "vip"} == {"crowdsec"}


def test_what_keeps_no_data_is_replaced_before_it_is_stopped_and_what_does_after() -> None:
    orders = {each.name: each.props["updateConfig"]["order"] for each in swarm().of_type(SERVICE)}
    assert {orders[name] for name in ("api", "gateway", "cloudflared", "crowdsec", "egress-proxy")} == {"start-first"}
    assert {orders[name] for name in ("postgres", "prometheus", "backup", "postgres-backup")} == {"stop-first"}


def test_every_update_that_fails_is_taken_back() -> None:
    for each in swarm().of_type(SERVICE):
        update = each.props["updateConfig"]
        assert (update["failureAction"], update["parallelism"], update["maxFailureRatio"]) == ("rollback", 1, "0")


def test_gateways_and_connectors_are_each_on_a_machine_of_its_own() -> None:
    for name in ("gateway", "cloudflared"):
        assert service(name)["mode"]["replicated"]["replicas"] == 2
        assert task(name)["placement"]["maxReplicas"] == 1


def test_where_every_machine_has_a_gateway_one_has_to_go_first() -> None:
    found = named(swarm(swarm='{"gateways": 4}'), SERVICE, "gateway").props
    assert found["updateConfig"]["order"] == "stop-first"


def test_what_has_a_volume_is_where_its_volume_is() -> None:
    recording = swarm()
    providers = {each.name: each.provider or "" for each in recording.of_type(VOLUME)}
    for node, volume in (("postgres", "postgres-data"), ("backup", "backup-data"), ("prometheus", "prometheus-data")):
        assert task(node)["placement"]["constraints"] == ["node.labels.zero-exposure.machine==data-1"]
        assert providers[volume].endswith("::engine-data-1-docker")
    assert {each.protect for each in recording.of_type(VOLUME) if each.name == "postgres-data"} == {True}


def test_every_machine_is_measured() -> None:
    assert service("node-exporter")["mode"] == {"global": True}


def test_an_update_waits_for_every_service_but_those_that_the_provider_refuses_to_count() -> None:
    found = {each.name: each.props for each in swarm().of_type(SERVICE)}
    uncounted = {name for name, props in found.items() if not props.get("convergeConfig")}
    assert uncounted == {name for name, props in found.items() if props["mode"].get("global")} == {"node-exporter"}


def test_a_file_is_a_config_named_by_what_is_in_it() -> None:
    configs = {each.name: each.props for each in swarm().of_type(CONFIG)}
    found = configs["gateway-config-etc-zero-exposure-gateway-gate-json"]
    assert b'"peer": "127.0.0.1"' in base64.b64decode(found["data"])
    other = {each.name: each.props for each in swarm(operators=OTHERS).of_type(CONFIG)}
    changed = {name for name, props in configs.items() if other[name]["name"] != props["name"]}
    assert "gateway-config-etc-zero-exposure-gateway-visitor-conf" in changed
    assert "gateway-config-etc-zero-exposure-gateway-gate-json" not in changed


OTHERS = (
    '{"ssh_keys": {"alice": "ssh-ed25519 '
    'AAAAC3NzaC1lZDI1NTE5AAAAIGJnk0oK4T9D8n6yPp7oJ6X0f3gPbJx1n5b2dC9mV3aH alice@example.net"},'
    ' "networks": ["198.51.100.0/24"], "emails": ["alice@example.net"]}'
)


def test_a_secret_is_secret_and_its_name_tells_nothing_of_it() -> None:
    secrets = swarm().of_type(SECRET)
    assert secrets
    for each in secrets:
        assert "data" in each.secrets
        assert "name" not in each.secrets
        assert len(each.props["name"]) <= 64
    assert not any(each.secrets for each in swarm().of_type(CONFIG))


def test_a_changed_file_is_there_before_the_old_one_goes_which_a_service_still_has() -> None:
    files = [each for each in swarm().registrations if each.resource.type in (CONFIG, SECRET)]
    assert len(files) > 20
    assert {each.delete_before_replace for each in files} == {False}


def test_the_names_of_files_are_never_longer_than_swarm_takes() -> None:
    assert max(len(each.props["name"]) for each in swarm().of_type(CONFIG)) <= 64


def test_files_are_their_users_alone_and_hide_the_images_own() -> None:
    for each in swarm().of_type(SERVICE):
        container = each.props["taskSpec"]["containerSpec"]
        owner = container["user"].partition(":")[0]
        files = [*container["configs"], *container["secrets"]]
        assert {(file["fileUid"], file["fileMode"]) for file in files} <= {(owner, 0o400)}
        hidden = {mount["target"] for mount in container["mounts"] if mount["type"] == "tmpfs"}
        assert {file["fileName"].rpartition("/")[0] for file in files} <= hidden


def test_links_are_encrypted_overlays_and_only_egress_can_be_attached_to() -> None:
    networks = {each.name: each.props for each in swarm().of_type(NETWORK)}
    assert {props["driver"] for props in networks.values()} == {"overlay"}
    assert {props["options"]["encrypted"] for props in networks.values()} == {"true"}
    assert {name for name, props in networks.items() if props["attachable"]} == {"networks-egress"}
    assert {name for name, props in networks.items() if not props["internal"]} == {"networks-egress"}


def test_each_network_has_a_number_of_its_own_which_is_none_that_swarm_gives_by_itself() -> None:
    numbers = [int(each.props["options"][NUMBER]) for each in swarm().of_type(NETWORK)]
    assert len(set(numbers)) == len(numbers) > 10
    assert all(2**16 < number < 2**24 for number in numbers)


def test_carriers_are_of_their_own_machines_image() -> None:
    made = {
        each.name: [urn.rpartition("::")[2] for urn in each.property_dependencies["image"]]
        for each in swarm().of_type("docker:index/container:Container")
        if each.name.endswith("-carrier")
    }
    assert made == {
        "resolver-carrier": ["engine-manager-1-carriers"],
        "resolver-2-carrier": ["engine-manager-2-carriers"],
        "resolver-3-carrier": ["engine-manager-3-carriers"],
    }


def test_resolvers_are_containers_on_three_machines_at_addresses_where_no_task_is_put() -> None:
    recording = swarm()
    found = {
        each.name: (each.provider or "").rpartition("::")[2]
        for each in recording.of_type("docker:index/container:Container")
        if each.name.startswith("resolver") and not each.name.endswith("-carrier")
    }
    assert found == {
        "resolver": "engine-manager-1-docker",
        "resolver-2": "engine-manager-2-docker",
        "resolver-3": "engine-manager-3-docker",
    }
    assert task("cloudflared")["containerSpec"]["dnsConfig"]["nameservers"] == [
        "10.128.0.2",
        "10.128.0.3",
        "10.128.0.4",
    ]


def test_labels_of_the_stack_file_decide_where_a_service_may_be() -> None:
    services = json.loads(stack_values(ROOT, "swarm")["zero-exposure:services"])
    services["api"]["placement"] = {"disk": "fast"}
    found = task("api", services=json.dumps(services))
    assert found["placement"]["constraints"] == ["node.labels.zero-exposure.label.disk==fast"]


def test_what_the_provider_reads_back_is_what_it_was_told() -> None:
    """Anything else would be a change at every `up`: tests/engine/test_real_swarm.py shows it by the provider."""
    for each in swarm().of_type(SERVICE):
        container = each.props["taskSpec"]["containerSpec"]
        assert each.props["taskSpec"]["restartPolicy"]["window"] == "0s"
        assert container.get("env") != {}
        modes = {mount["tmpfsOptions"]["mode"] for mount in container["mounts"] if "tmpfsOptions" in mount}
        assert modes <= {0o555, 0o777}


def test_times_are_told_as_they_are_read_back() -> None:
    services = json.loads(stack_values(ROOT, "swarm")["zero-exposure:services"])
    services["api"]["healthcheck"] |= {"interval": "60s", "timeout": "90s", "start_period": "3600s"}
    told = task("api", services=json.dumps(services))["containerSpec"]["healthcheck"]
    assert (told["interval"], told["timeout"], told["startPeriod"]) == ("1m", "1m30s", "1h")


def test_tasks_are_spread_by_the_label_itself() -> None:
    assert task("api")["placement"]["prefs"] == ["node.labels.zero-exposure.location"]


@pytest.mark.parametrize("known", [True, False])
def test_limits_and_what_is_set_aside_of_them(known: bool) -> None:
    for each in swarm(known=known).of_type(SERVICE):
        resources = each.props["taskSpec"]["resources"]
        assert resources["limits"]["memoryBytes"] == 4 * resources["reservation"]["memoryBytes"]
        assert resources["limits"]["nanoCpus"] > resources["reservation"]["nanoCpus"] > 0
