"""A plan with CrowdSec in it."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from tests.samples import cloud_stack, settings
from topology import Network, Node, Topology, plan

LINKS = (
    ("gateway", "crowdsec"),
    ("edge-bans", "crowdsec"),
    ("edge-bans", "egress-proxy"),
    ("crowdsec", "egress-proxy"),
)


def with_crowdsec(links: tuple[tuple[str, str], ...] = LINKS) -> Topology:
    """The sample stack's plan, plus these links."""
    topology = plan(settings(cloud_stack()))
    networks, nodes = list(topology.networks), dict(topology.nodes)
    for index, (client, server) in enumerate(links):
        subnet = IPv4Network(f"10.250.0.{8 * index}/29")
        members = {server: IPv4Address(int(subnet[2])), client: IPv4Address(int(subnet[3]))}
        network = Network(f"link-{client}-{server}", "link", subnet, members, client, server)
        networks.append(network)
        for member, address in members.items():
            node = nodes.get(member, Node(member, member))
            nodes[member] = replace(node, addresses={**node.addresses, network.name: address})
    return replace(topology, networks=tuple(networks), nodes=nodes)
