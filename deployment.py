"""Wires the components together: the one place that passes values from one to another."""

from dataclasses import dataclass

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_random as random

from components.backup.component import Backup, BackupArgs
from components.edge.component import Edge, EdgeArgs
from components.egress import render as ways_out
from components.egress.component import Egress, EgressArgs
from components.engine.component import Engine, EngineArgs, Server
from components.gateway.component import Gateway, GatewayArgs
from components.host.component import Host, HostArgs
from components.intrusion.component import EdgeList, Intrusion, IntrusionArgs
from components.monitoring import render as watching
from components.monitoring.component import Monitoring, MonitoringArgs
from components.networks.component import Networks, NetworksArgs
from components.resolver import render as names
from components.resolver.component import Resolver, ResolverArgs
from components.services.component import Services, ServicesArgs
from components.site import Site
from components.tunnel.component import Tunnel, TunnelArgs
from settings.cloud import Cloudflare
from settings.cloud import Host as HostSettings
from settings.load import SettingsError
from settings.reference import WATCHER, Credential
from settings.stack import Settings
from topology import RESOLVER, Topology, measured

Exports = dict[str, pulumi.Input[object]]


@dataclass(frozen=True)
class Cloud:
    """What containers need of a server at Hetzner behind Cloudflare."""

    server: Server
    tunnel: Tunnel
    account_id: str
    bans: cloudflare.List | None


def deploy(settings: Settings, topology: Topology, stack: str) -> Exports:
    """Create everything that a stack file asks for; returns what the stack shows of itself."""
    if settings.target == "local":
        services = _containers(settings, topology, stack, None)
        return {"gateway": topology.gateway_url, **_subscription(settings, services)}
    cloud = _cloud(settings, topology, stack)
    services = _containers(settings, topology, stack, cloud)
    return {
        **_subscription(settings, services),
        "urls": list(cloud.tunnel.urls),
        "adminUrls": list(cloud.tunnel.admin_urls),
        "sshHost": cloud.tunnel.ssh_host,
        "hostKey": cloud.server["host_key"],
        "serverId": cloud.server["server_id"],
        "adminTunnelId": cloud.tunnel.admin_tunnel_id,
        "appTunnelId": cloud.tunnel.app_tunnel_id,
        "serviceTokenId": cloud.tunnel.service_token_id,
        "serviceTokenSecret": cloud.tunnel.service_token_secret,
    }


def _cloud(settings: Settings, topology: Topology, stack: str) -> Cloud:
    """Tunnels, the zone's protection and the server."""
    if settings.cloudflare is None or settings.host is None:
        raise SettingsError("cloudflare, host: needed with target: cloud")
    tunnel = _tunnel(settings, settings.cloudflare, topology, stack)
    edge = _edge(settings, settings.cloudflare, topology, tunnel, stack)
    server = _server(settings, settings.host, tunnel, stack)
    return Cloud(server, tunnel, settings.cloudflare.account_id, edge.bans)


def _tunnel(settings: Settings, zone: Cloudflare, topology: Topology, stack: str) -> Tunnel:
    args = TunnelArgs(
        stack=stack,
        domain=settings.domain,
        cloudflare=zone,
        tunnel=settings.tunnel,
        operators=settings.operators,
        visitor_hosts=topology.visitor_hosts,
        admin_hosts=topology.admin_hosts,
        gateway_url=topology.gateway_url,
    )
    return Tunnel("tunnel", args)


def _edge(settings: Settings, zone: Cloudflare, topology: Topology, tunnel: Tunnel, stack: str) -> Edge:
    args = EdgeArgs(
        stack=stack,
        domain=settings.domain,
        cloudflare=zone,
        edge=settings.edge,
        operators=settings.operators,
        visitor_hosts=topology.visitor_hosts,
        admin_hosts=topology.admin_hosts,
        ssh_host=tunnel.ssh_host,
        bans=settings.intrusion.edge_token is not None,
    )
    return Edge("edge", args)


def _server(settings: Settings, host: HostSettings, tunnel: Tunnel, stack: str) -> Server:
    """The rented server, and how it is reached."""
    args = HostArgs(
        stack=stack,
        host=host,
        operators=settings.operators,
        pool=settings.network.pool,
        admin_token=tunnel.admin_token,
    )
    if host.encrypted:
        args["volume_key"] = _volume_key()
    made = Host("host", args)
    return Server(ssh_host=tunnel.ssh_host, host_key=made.host_key, server_id=made.server_id, connected=[tunnel])


def _volume_key() -> pulumi.Output[str]:
    """Without this key the data is lost, so it is protected as the volume is."""
    key = random.RandomPassword(
        "volume-key", length=64, special=False, opts=pulumi.ResourceOptions(protect=True, retain_on_delete=True)
    )
    return pulumi.Output.secret(key.result)


def _subscription(settings: Settings, services: Services) -> Exports:
    """Where operators subscribe to push messages."""
    ntfy = settings.monitoring.ntfy
    if ntfy is None:
        return {}
    topic = services.secrets[ntfy.topic]
    url: pulumi.Output[str] = pulumi.Output.secret(pulumi.Output.concat("https://", ntfy.domain, "/", topic))
    return {"ntfyUrl": url}


def _containers(settings: Settings, topology: Topology, stack: str, cloud: Cloud | None) -> Services:
    """Networks and containers on the Engine of the server, or on this machine's."""
    engine = Engine("engine", EngineArgs(server=cloud.server if cloud else None))
    docker = pulumi.ResourceOptions(providers=[engine.provider])
    networks = Networks("networks", NetworksArgs(stack=stack, topology=topology), docker)
    key = random.RandomPassword("digest-key", length=40, special=False).result
    site = Site(stack, pulumi.Output.secret(key), topology.nodes[RESOLVER].addresses["egress"], networks.names)
    resolver = Resolver("resolver", ResolverArgs(values=names.values(settings, topology), site=site), docker)
    outward = ways_out.values(settings, topology)
    outside: list[pulumi.Resource] = []
    if outward.clients:
        args = EgressArgs(values=outward, topology=topology, site=site, after=[resolver.container])
        outside.append(Egress("egress", args, docker).container)
    services_args = ServicesArgs(
        services=settings.services,
        topology=topology,
        site=site,
        secrets={name: pulumi.Output.secret(value.get_secret_value()) for name, value in settings.secrets.items()},
        generated=settings.generated,
    )
    services = Services("services", services_args, docker)
    intrusion_args = IntrusionArgs(
        intrusion=settings.intrusion,
        topology=topology,
        operators=settings.operators,
        site=site,
        secrets=services.secrets,
        edge=_edge_list(settings, services, cloud),
    )
    intrusion = Intrusion("intrusion", intrusion_args, docker)
    gateway_args = GatewayArgs(
        gateway=settings.gateway,
        tunnel=settings.tunnel,
        topology=topology,
        operators=settings.operators,
        domain=settings.domain,
        target=settings.target,
        site=site,
        tunnel_token=cloud.tunnel.app_token if cloud else None,
        secrets=services.secrets,
        crowdsec_key=intrusion.key,
        connector_after=[resolver.container],
    )
    Gateway("gateway", gateway_args, docker)
    monitoring = _monitoring(settings, topology, site, services, docker)
    _backup(settings, topology, site, services, monitoring, [*outside, resolver.container], docker)
    return services


def _monitoring(
    settings: Settings, topology: Topology, site: Site, services: Services, opts: pulumi.ResourceOptions
) -> Monitoring:
    args = MonitoringArgs(
        values=watching.values(settings, site.stack),
        topology=topology,
        site=site,
        secrets=services.secrets,
        passwords={node: services.credentials[Credential(name, WATCHER)] for node, name in measured(settings).items()},
    )
    return Monitoring("monitoring", args, opts)


def _backup(
    settings: Settings,
    topology: Topology,
    site: Site,
    services: Services,
    monitoring: Monitoring,
    after: list[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> None:
    """``after``: what the keeper's way out leads through."""
    if settings.backup is None:
        return
    args = BackupArgs(
        settings=settings,
        backup=settings.backup,
        topology=topology,
        site=site,
        secrets=services.secrets,
        passwords=services.passwords,
        containers=services.containers,
        metrics=monitoring.metrics_volume,
        after=after,
    )
    Backup("backup", args, opts)


def _edge_list(settings: Settings, services: Services, cloud: Cloud | None) -> EdgeList | None:
    """Where bans go at the edge; None where they stay at the gateway."""
    token = settings.intrusion.edge_token
    if cloud is None or cloud.bans is None or token is None:
        return None
    return EdgeList(cloud.account_id, cloud.bans.id, services.secrets[token])
