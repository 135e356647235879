"""The resolver's container, on mocks."""

from typing import Any

from components.networks.component import Networks
from components.resolver.component import Resolver
from components.resolver.render import values
from policy.rules.model import Resource
from tests.components.site import one_server
from tests.mocks import Recording, both_modes, run
from tests.samples import cloud_stack, local_stack, settings
from topology.plan import plan

CONTAINER = "docker:index/container:Container"


def _deploy(raw: dict[str, Any]) -> None:
    stack = settings(raw)
    topology = plan(stack)
    networks = Networks("networks", {"stack": "dev", "topology": topology})
    site = one_server(topology, networks)
    Resolver("resolver", {"values": values(stack, topology), "site": site})


def ran(raw: dict[str, Any], preview: bool) -> Recording:
    return run(lambda: _deploy(raw), preview)


def container(recording: Recording, name: str) -> Resource:
    return next(resource for resource in recording.of_type(CONTAINER) if resource.name == name)


@both_modes
def test_it_is_on_the_egress_network_alone_at_the_address_that_containers_ask(preview: bool) -> None:
    for raw in (cloud_stack(), local_stack()):
        (network,) = container(ran(raw, preview), "resolver").props["networksAdvanced"]
        assert network["ipv4Address"] == "10.128.0.2"


@both_modes
def test_it_is_closed_and_runs_as_nobody(preview: bool) -> None:
    props = container(ran(cloud_stack(), preview), "resolver").props
    assert props["user"] == "101:102"
    assert props["readOnly"] is True
    assert props["capabilities"] == {"drops": ["ALL"]}
    assert "ports" not in props
    assert {"label": "zero-exposure.role", "value": "resolver"} in props["labels"]


@both_modes
def test_it_does_not_ask_itself_over_the_network(preview: bool) -> None:
    assert container(ran(cloud_stack(), preview), "resolver").props["dns"] == ["127.0.0.1"]


@both_modes
def test_its_files_come_by_a_carrier_and_the_command_names_one_of_them(preview: bool) -> None:
    recording = ran(cloud_stack(), preview)
    uploads = container(recording, "resolver-carrier").props["uploads"]
    names = {upload["file"].rpartition("/")[2] for upload in uploads}
    (volume,) = container(recording, "resolver").props["volumes"]
    folder, _, name = container(recording, "resolver").props["command"][-1].rpartition("/")
    assert (volume["containerPath"], volume["readOnly"]) == (folder, True)
    assert name in names


@both_modes
def test_every_part_belongs_to_the_component(preview: bool) -> None:
    recording = ran(cloud_stack(), preview)
    (resolver,) = recording.of_type("zero-exposure:index:Resolver")
    assert {container(recording, name).parent for name in ("resolver", "resolver-carrier")} == {resolver.urn}
