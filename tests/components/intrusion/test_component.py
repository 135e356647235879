"""CrowdSec and the worker for the edge, on mocks."""

import pulumi
import pytest

from components.intrusion.component import EdgeList, Intrusion, IntrusionArgs
from components.networks.component import Networks
from policy.rules.model import Resource
from settings.cloud import Operators
from settings.intrusion import Community
from settings.intrusion import Intrusion as IntrusionSettings
from tests.components.intrusion.planned import with_crowdsec
from tests.components.site import one_server
from tests.mocks import Recording, both_modes, run

CONTAINER = "docker:index/container:Container"
SECRETS = {"capi_login": "login-of-the-machine", "capi_password": "password-of-the-machine"}
TOKEN = "cloudflare-token-of-this-test"


def _deploy(edge: bool, community: bool) -> None:
    topology = with_crowdsec()
    networks = Networks("networks", {"stack": "dev", "topology": topology})
    taking_part = Community(login="capi_login", password="capi_password") if community else None
    args: IntrusionArgs = {
        "intrusion": IntrusionSettings(community=taking_part),
        "topology": topology,
        "operators": Operators(networks=("203.0.113.0/24",)),
        "site": one_server(topology, networks),
        "secrets": {name: pulumi.Output.secret(value) for name, value in SECRETS.items()},
        "edge": EdgeList("0" * 32, pulumi.Output.from_input("list-id"), pulumi.Output.secret(TOKEN)) if edge else None,
    }
    Intrusion("intrusion", args)


def ran(preview: bool, edge: bool = True, community: bool = True) -> Recording:
    return run(lambda: _deploy(edge, community), preview)


def container(recording: Recording, name: str) -> Resource:
    return next(resource for resource in recording.of_type(CONTAINER) if resource.name == name)


def names(recording: Recording) -> set[str]:
    return {resource.name for resource in recording.of_type(CONTAINER)}


@both_modes
def test_crowdsec_is_on_its_own_links_alone_and_runs_as_a_user_of_its_own(preview: bool) -> None:
    props = container(ran(preview), "crowdsec").props
    topology = with_crowdsec()
    assert {network["ipv4Address"] for network in props["networksAdvanced"]} == {
        str(topology.network(f"link-{name}").members["crowdsec"])
        for name in ("gateway-crowdsec", "edge-bans-crowdsec", "prometheus-crowdsec", "crowdsec-egress-proxy")
    }
    assert props["user"] == "65530:65530"
    assert props["readOnly"] is True
    proxy = topology.network("link-crowdsec-egress-proxy").members["egress-proxy"]
    assert props["envs"] == [f"HTTPS_PROXY=http://{proxy}:3128"]


@pytest.mark.parametrize(("edge", "expected"), [(True, {"edge-bans", "edge-bans-carrier"}), (False, set())])
@both_modes
def test_the_worker_is_there_only_where_bans_go_to_the_edge(preview: bool, edge: bool, expected: set[str]) -> None:
    assert names(ran(preview, edge)) == {"crowdsec", "crowdsec-carrier"} | expected


@both_modes
def test_secrets_are_in_files_of_those_who_need_them(preview: bool) -> None:
    recording = ran(preview)
    for secret, carrier in ((TOKEN, "edge-bans-carrier"), (SECRETS["capi_password"], "crowdsec-carrier")):
        found = [resource.name for resource in recording.resources if secret in repr(resource.props)]
        assert found == [carrier]
        assert container(recording, carrier).secrets


@both_modes
def test_control_without_the_shared_blocklists_there_are_no_credentials(preview: bool) -> None:
    recording = ran(preview, community=False)
    assert not [resource for resource in recording.resources if SECRETS["capi_password"] in repr(resource.props)]
