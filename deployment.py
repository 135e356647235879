"""Wires the components together: the one place that passes values from one to another."""

import pulumi
import pulumi_random as random

from components.edge.component import Edge, EdgeArgs
from components.engine.component import Engine, EngineArgs, Server
from components.gateway.component import Gateway, GatewayArgs
from components.host.component import Host, HostArgs
from components.networks.component import Networks, NetworksArgs
from components.resolver import render as names
from components.resolver.component import Resolver, ResolverArgs
from components.services.component import Services, ServicesArgs
from components.site import Site
from components.tunnel.component import Tunnel, TunnelArgs
from settings.load import SettingsError
from settings.stack import Settings
from topology import RESOLVER, Topology

Exports = dict[str, pulumi.Input[object]]


def deploy(settings: Settings, topology: Topology, stack: str) -> Exports:
    """Create everything that a stack file asks for; returns what the stack shows of itself."""
    if settings.target == "local":
        _containers(settings, topology, stack, None, None)
        return {"gateway": topology.gateway_url}
    tunnel = _tunnel(settings, topology, stack)
    server = _server(settings, tunnel, stack)
    _containers(settings, topology, stack, server, tunnel.app_token)
    return {
        "urls": list(tunnel.urls),
        "adminUrls": list(tunnel.admin_urls),
        "sshHost": tunnel.ssh_host,
        "hostKey": server["host_key"],
        "serviceTokenId": tunnel.service_token_id,
        "serviceTokenSecret": tunnel.service_token_secret,
    }


def _tunnel(settings: Settings, topology: Topology, stack: str) -> Tunnel:
    """Tunnels and the zone's protection."""
    if settings.cloudflare is None:
        raise SettingsError("cloudflare: needed with target: cloud")
    tunnel_args = TunnelArgs(
        stack=stack,
        domain=settings.domain,
        cloudflare=settings.cloudflare,
        tunnel=settings.tunnel,
        operators=settings.operators,
        visitor_hosts=topology.visitor_hosts,
        admin_hosts=topology.admin_hosts,
        gateway_url=topology.gateway_url,
    )
    tunnel = Tunnel("tunnel", tunnel_args)
    edge_args = EdgeArgs(
        stack=stack,
        domain=settings.domain,
        cloudflare=settings.cloudflare,
        edge=settings.edge,
        operators=settings.operators,
        visitor_hosts=topology.visitor_hosts,
        admin_hosts=topology.admin_hosts,
        ssh_host=tunnel.ssh_host,
    )
    Edge("edge", edge_args)
    return tunnel


def _server(settings: Settings, tunnel: Tunnel, stack: str) -> Server:
    """The rented server, and how it is reached."""
    if settings.host is None:
        raise SettingsError("host: needed with target: cloud")
    args = HostArgs(
        stack=stack,
        host=settings.host,
        operators=settings.operators,
        pool=settings.network.pool,
        admin_token=tunnel.admin_token,
    )
    host = Host("host", args)
    return Server(ssh_host=tunnel.ssh_host, host_key=host.host_key, server_id=host.server_id, connected=[tunnel])


def _containers(
    settings: Settings,
    topology: Topology,
    stack: str,
    server: Server | None,
    tunnel_token: pulumi.Output[str] | None,
) -> None:
    """Networks and containers on the Engine of the server, or on this machine's."""
    engine = Engine("engine", EngineArgs(server=server))
    docker = pulumi.ResourceOptions(providers=[engine.provider])
    networks = Networks("networks", NetworksArgs(stack=stack, topology=topology), docker)
    key = random.RandomPassword("digest-key", length=40, special=False).result
    resolver = topology.nodes[RESOLVER].addresses["egress"]
    site = Site(stack, pulumi.Output.secret(key), resolver, networks.names)
    asked = Resolver("resolver", ResolverArgs(values=names.values(settings, topology), site=site), docker)
    services_args = ServicesArgs(
        services=settings.services,
        topology=topology,
        site=site,
        secrets={name: pulumi.Output.secret(value.get_secret_value()) for name, value in settings.secrets.items()},
        generated=settings.generated,
    )
    services = Services("services", services_args, docker)
    gateway_args = GatewayArgs(
        gateway=settings.gateway,
        tunnel=settings.tunnel,
        topology=topology,
        operators=settings.operators,
        domain=settings.domain,
        target=settings.target,
        site=site,
        tunnel_token=tunnel_token,
        secrets=services.secrets,
        connector_after=[asked.container],
    )
    Gateway("gateway", gateway_args, docker)
