"""Where containers are put in tests on mocks: one server."""

import pulumi

from components.networks.component import Networks
from components.site import Site
from topology.model import Topology
from topology.names import RESOLVER

CARRIER_IMAGE = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


def one_server(topology: Topology, networks: Networks) -> Site:
    return Site(
        stack="dev",
        digest_key=pulumi.Output.secret("key"),
        carrier_images={"": pulumi.Output.from_input(CARRIER_IMAGE)},
        resolver=topology.nodes[RESOLVER].addresses["egress"],
        networks=networks.names,
    )
