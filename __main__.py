"""One stack file in, one invisible backend out: settings → plan → components → exports."""

import os

import pulumi
import pulumi_random as random

from components.edge.component import Edge
from components.engine.component import Engine, Server
from components.gateway.component import Gateway
from components.host.component import Host
from components.networks.component import Networks
from components.services.component import Services
from components.site import Site
from components.tunnel.component import Tunnel
from settings.load import SettingsError, load
from settings.stack import Settings
from topology import GATEWAY, GATEWAY_PORT, RESOLVER, Topology, plan


def cloud(settings: Settings, topology: Topology, stack: str) -> tuple[Server, Tunnel]:
    """The server, its two tunnels and the zone's protection."""
    if settings.cloudflare is None or settings.host is None:
        raise SettingsError("target: cloud needs cloudflare and host")
    shared = {"stack": stack, "domain": settings.domain, "cloudflare": settings.cloudflare}
    hosts = {"visitor_hosts": topology.visitor_hosts, "admin_hosts": topology.admin_hosts}
    url = f"http://{topology.nodes[GATEWAY].addresses['ingress']}:{GATEWAY_PORT}"
    people = {"operators": settings.operators}
    tunnel = Tunnel("tunnel", {**shared, **hosts, **people, "tunnel": settings.tunnel, "gateway_url": url})
    Edge("edge", {**shared, **hosts, **people, "edge": settings.edge})
    host = Host(
        "host",
        {**people, "stack": stack, "host": settings.host, "pool": settings.network.pool, "token": tunnel.admin_token},
    )
    server: Server = {"ssh_host": tunnel.ssh_host, "host_key": host.host_key, "server_id": host.server_id}
    return server, tunnel
