"""The Docker networks that are declared."""

from components.networks.component import Networks
from policy.rules.model import Resource
from tests.mocks import Recording, both_modes, run
from tests.samples import local_stack, settings
from topology.plan import plan

TOPOLOGY = plan(settings(local_stack()))


def _recording(preview: bool) -> Recording:
    def program() -> None:
        Networks("networks", {"stack": "dev", "topology": TOPOLOGY})

    return run(program, preview)


def _networks(preview: bool) -> dict[str, Resource]:
    found = _recording(preview).of_type("docker:index/network:Network")
    return {resource.props["name"]: resource for resource in found}


@both_modes
def test_there_is_one_docker_network_for_each_of_the_topology(preview: bool) -> None:
    assert set(_networks(preview)) == {f"dev-{network.name}" for network in TOPOLOGY.networks}


@both_modes
def test_only_egress_leads_out(preview: bool) -> None:
    leading_out = [name for name, resource in _networks(preview).items() if resource.props["internal"] is not True]
    assert leading_out == ["dev-egress"]


@both_modes
def test_subnets_are_the_topologys_own(preview: bool) -> None:
    subnets = {name: resource.props["ipamConfigs"][0]["subnet"] for name, resource in _networks(preview).items()}
    assert subnets == {f"dev-{network.name}": str(network.subnet) for network in TOPOLOGY.networks}


@both_modes
def test_a_link_is_labelled_with_its_client_and_server(preview: bool) -> None:
    labels = {entry["label"]: entry["value"] for entry in _networks(preview)["dev-link-api-postgres"].props["labels"]}
    assert labels == {
        "zero-exposure.network": "link",
        "zero-exposure.client": "api",
        "zero-exposure.server": "postgres",
    }


@both_modes
def test_networks_are_children_of_the_component(preview: bool) -> None:
    parents = {resource.parent for resource in _networks(preview).values()}
    assert {parent.rpartition("::")[2] for parent in parents if parent} == {"networks"}
