"""The egress proxy's container, on mocks."""

from typing import Any

from components.egress.component import Egress
from components.egress.render import values
from components.networks.component import Networks
from components.services.component import Services
from policy.rules.model import Resource
from tests.components.site import one_server
from tests.mocks import Recording, both_modes, run
from tests.samples import cloud_stack, service, settings
from topology.plan import plan

CONTAINER = "docker:index/container:Container"


def stack(**own: Any) -> dict[str, Any]:
    raw = cloud_stack()
    raw["services"]["worker"] = service(egress=["api.example.net"], replicas=2, **own)
    raw["services"]["mailer"] = service(egress=["*.mail.example.net"])
    return raw


def _deploy(raw: dict[str, Any]) -> None:
    found = settings(raw)
    topology = plan(found)
    networks = Networks("networks", {"stack": "dev", "topology": topology})
    site = one_server(topology, networks)
    services = {"services": found.services, "topology": topology, "site": site, "secrets": {}, "generated": ()}
    Services("services", services)  # type: ignore[arg-type]
    Egress("egress", {"values": values(found, topology), "topology": topology, "site": site, "after": []})


def ran(preview: bool, **own: Any) -> Recording:
    return run(lambda: _deploy(stack(**own)), preview)


def container(recording: Recording, name: str) -> Resource:
    return next(resource for resource in recording.of_type(CONTAINER) if resource.name == name)


@both_modes
def test_it_is_on_the_egress_network_and_on_a_link_to_each_client(preview: bool) -> None:
    topology = plan(settings(stack()))
    clients = ("worker", "worker-2", "mailer", "alertmanager", "prober")
    names = ["egress", *(f"link-{client}-egress-proxy" for client in clients)]
    found = {entry["ipv4Address"] for entry in container(ran(preview), "egress-proxy").props["networksAdvanced"]}
    assert found == {str(topology.network(name).members["egress-proxy"]) for name in names}


@both_modes
def test_it_is_closed_and_runs_as_nobody(preview: bool) -> None:
    props = container(ran(preview), "egress-proxy").props
    assert props["user"] == "3128:3128"
    assert props["readOnly"] is True
    assert props["capabilities"] == {"drops": ["ALL"]}
    assert props["dns"] == ["10.128.0.2"]
    assert "ports" not in props
    assert {"label": "zero-exposure.role", "value": "egress-proxy"} in props["labels"]


@both_modes
def test_the_key_of_its_certificate_is_a_secret_file(preview: bool) -> None:
    recording = ran(preview)
    carrier = container(recording, "egress-proxy-carrier")
    assert carrier.secrets
    assert "refusal-key.pem" in repr(carrier.props["uploads"])
    assert "refusal-key" not in repr(container(recording, "egress-proxy").props["command"])


@both_modes
def test_a_service_that_may_call_out_is_told_of_the_proxy_unless_it_says_otherwise(preview: bool) -> None:
    told = "HTTPS_PROXY=http://egress-proxy:3128"
    recording = ran(preview)
    assert told in container(recording, "worker").props["envs"]
    assert told in container(recording, "worker-2").props["envs"]
    assert told not in container(recording, "api").props.get("envs", [])
    own = container(ran(preview, env={"HTTPS_PROXY": ""}), "worker").props["envs"]
    assert own == ["HTTPS_PROXY="]


@both_modes
def test_every_part_belongs_to_the_component(preview: bool) -> None:
    recording = ran(preview)
    (egress,) = recording.of_type("zero-exposure:index:Egress")
    parts = ("egress-proxy", "egress-proxy-carrier")
    assert {container(recording, name).parent for name in parts} == {egress.urn}
    certificates = recording.of_type("tls:index/selfSignedCert:SelfSignedCert")
    assert [certificate.parent for certificate in certificates] == [egress.urn]
