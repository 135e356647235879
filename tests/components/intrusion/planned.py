"""A plan in which CrowdSec takes part in shared blocklists and brings its bans to the edge."""

from tests.samples import cloud_stack, settings
from topology.model import Topology
from topology.plan import plan

INTRUSION = {
    "community": {"login": "capi_login", "password": "capi_password"},
    "edge_token": "edge_token",
}


def with_crowdsec() -> Topology:
    """The sample stack's plan with all of CrowdSec's links."""
    secrets = dict.fromkeys(("capi_login", "capi_password", "edge_token"), "x")
    return plan(settings(cloud_stack(intrusion=INTRUSION, secrets=secrets)))
