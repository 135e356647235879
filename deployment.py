"""Wires the components together: the one place that passes values from one to another."""

from dataclasses import dataclass

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_random as random

from components.backup.component import Backup, BackupArgs
from components.cluster.component import Login, Member, MemberArgs, Mesh, Swarm, SwarmArgs
from components.edge.component import Edge, EdgeArgs
from components.egress import render as ways_out
from components.egress.component import Egress, EgressArgs
from components.engine.component import Engine, EngineArgs, Server
from components.gateway.component import Gateway, GatewayArgs
from components.host.component import Host, HostArgs, Place
from components.host.fleet import Fleet, FleetArgs
from components.intrusion.component import EdgeList, Intrusion, IntrusionArgs
from components.monitoring import render as watching
from components.monitoring.component import Monitoring, MonitoringArgs
from components.networks.component import Networks, NetworksArgs
from components.resolver import render as names
from components.resolver.component import Resolver, ResolverArgs
from components.services.component import Services, ServicesArgs
from components.site import Site, SwarmSite
from components.tunnel.component import ONE_SERVER, Tunnel, TunnelArgs
from settings.cloud import Cloudflare
from settings.cloud import Host as HostSettings
from settings.load import SettingsError
from settings.nodes import Machine
from settings.reference import WATCHER, Credential
from settings.stack import Settings
from topology.model import Cluster, Topology
from topology.nodes import measured

Exports = dict[str, pulumi.Input[object]]


@dataclass(frozen=True)
class Cloud:
    """What containers need of servers at Hetzner behind Cloudflare. ``shown``: what the stack tells of them.

    ``engine`` is what services are made by; ``engines`` are the machines' own, by name. One server's is empty.
    """

    engine: Engine | Swarm
    engines: dict[str, Engine]
    tunnel: Tunnel
    account_id: str
    bans: cloudflare.List | None
    shown: Exports


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
        **cloud.shown,
        "appTunnelId": cloud.tunnel.app_tunnel_id,
        "serviceTokenId": cloud.tunnel.service_token_id,
        "serviceTokenSecret": cloud.tunnel.service_token_secret,
    }


def _cloud(settings: Settings, topology: Topology, stack: str) -> Cloud:
    """Tunnels, the zone's protection and the servers."""
    if settings.cloudflare is None or settings.host is None:
        raise SettingsError("cloudflare, host: needed with target: cloud")
    tunnel = _tunnel(settings, settings.cloudflare, topology, stack)
    edge = _edge(settings, settings.cloudflare, topology, tunnel, stack)
    account = settings.cloudflare.account_id
    if topology.cluster:
        swarm, engines, shown = _machines(settings, settings.host, topology.cluster, tunnel, stack)
        return Cloud(swarm, engines, tunnel, account, edge.bans, shown)
    server = _server(settings, settings.host, tunnel, stack)
    engine = _engine("engine", server, settings)
    shown = {
        "sshHost": tunnel.ssh_host,
        "hostKey": server["host_key"],
        "serverId": server["server_id"],
        "adminTunnelId": tunnel.admin_tunnel_ids[ONE_SERVER],
    }
    return Cloud(engine, {ONE_SERVER: engine}, tunnel, account, edge.bans, shown)


def _engine(name: str, server: Server | None, settings: Settings) -> Engine:
    return Engine(name, EngineArgs(server=server, carrier_image=settings.carrier.image))


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
        machines=tuple(machine.name for machine in settings.machines),
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
        ssh_hosts=tuple(tunnel.ssh_hosts.values()),
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
        args["volume_key"] = _volume_key("volume-key")
    made = Host("host", args)
    return Server(ssh_host=tunnel.ssh_host, host_key=made.host_key, server_id=made.server_id, connected=[tunnel])


def _machines(
    settings: Settings, host: HostSettings, cluster: Cluster, tunnel: Tunnel, stack: str
) -> tuple[Swarm, dict[str, Engine], Exports]:
    """Every machine of the Swarm, one after another: no two are made or replaced at the same time."""
    fleet = Fleet(
        "fleet",
        FleetArgs(stack=stack, machines=cluster.machines, network=settings.swarm.network, operators=settings.operators),
    )
    made: dict[str, _Machine] = {}
    for machine in sorted(cluster.machines, key=lambda each: each.name != cluster.through):
        args = HostArgs(
            stack=stack,
            host=host,
            operators=settings.operators,
            pool=settings.network.pool,
            admin_token=tunnel.admin_tokens[machine.name],
            place=Place(
                machine=machine,
                turn=len(made),
                firewall=fleet.firewall,
                operators=fleet.operators,
                subnet=fleet.subnet,
                address=fleet.addresses.get(machine.name),
                network=settings.swarm.network,
                group=fleet.groups[machine.name],
                after=[other.member.joined for other in list(made.values())[-1:]],
            ),
        )
        if host.encrypted:
            args["volume_key"] = _volume_key(f"volume-key-{machine.name}")
        mesh = _mesh(fleet, cluster, made) if cluster.is_mesh else None
        made[machine.name] = _machine(
            settings, cluster, Host(f"host-{machine.name}", args), machine, tunnel, made, mesh
        )
    through = made[cluster.through]
    swarm_args = SwarmArgs(
        through=through.login,
        members=[each.member.joined for each in made.values()],
        server_ids=[each.host.server_id for each in made.values()],
    )
    swarm = Swarm("swarm", swarm_args)
    shown: Exports = {
        "sshHosts": tunnel.ssh_hosts,
        "hostKeys": {name: each.host.host_key for name, each in made.items()},
        "serverIds": {name: each.host.server_id for name, each in made.items()},
        "adminTunnelIds": tunnel.admin_tunnel_ids,
        "unlockKey": through.member.unlock_key,
    }
    return swarm, {name: each.engine for name, each in made.items()}, shown


@dataclass(frozen=True)
class _Machine:
    """One server of a Swarm with what was made for it."""

    host: Host
    engine: Engine
    member: Member
    login: Login


def _mesh(fleet: Fleet, cluster: Cluster, others: dict[str, _Machine]) -> Mesh:
    """How a machine meets those that were made before it."""
    return Mesh(
        endpoints={str(each.address): fleet.addresses[each.name].ip_address for each in cluster.machines},
        peers=[other.login for other in others.values()],
        server_ids=[other.host.server_id for other in others.values()],
    )


def _machine(
    settings: Settings,
    cluster: Cluster,
    host: Host,
    machine: Machine,
    tunnel: Tunnel,
    others: dict[str, _Machine],
    mesh: Mesh | None,
) -> _Machine:
    """Wait for a server, and make it a member. The first one founds the Swarm, and takes in all others."""
    ssh_host = tunnel.ssh_hosts[machine.name]
    login = Login(machine=machine, ssh_host=ssh_host, host_key=host.host_key)
    server = Server(
        ssh_host=ssh_host, host_key=host.host_key, server_id=host.server_id, connected=[tunnel, *host.joined]
    )
    engine = _engine(f"engine-{machine.name}", server, settings)
    args = MemberArgs(
        own=login,
        manager=others[cluster.through].login if others else None,
        server_id=host.server_id,
        members=[str(each.address) for each in cluster.machines],
        pool=settings.network.pool,
        autolock=settings.swarm.autolock,
        # Not the whole Engine: to join waits for no image.
        ready=[engine.provider],
    )
    if mesh:
        args["mesh"] = mesh
    return _Machine(host, engine, Member(f"member-{machine.name}", args), login)


def _volume_key(name: str) -> pulumi.Output[str]:
    """Without this key the data is lost, so it is protected as the volume is."""
    key = random.RandomPassword(
        name, length=64, special=False, opts=pulumi.ResourceOptions(protect=True, retain_on_delete=True)
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
    """Networks and containers on the Engine of the server, on this machine's, or on a Swarm."""
    engines = cloud.engines if cloud else {ONE_SERVER: _engine("engine", None, settings)}
    provider = cloud.engine.provider if cloud else engines[ONE_SERVER].provider
    on_engine = pulumi.ResourceOptions(providers=[provider])
    networks = Networks("networks", NetworksArgs(stack=stack, topology=topology), on_engine)
    site = _site(topology, stack, engines, networks)
    resolver = Resolver("resolver", ResolverArgs(values=names.values(settings, topology), site=site), on_engine)
    outward = ways_out.values(settings, topology)
    outside: list[pulumi.Resource] = []
    if outward.clients:
        args = EgressArgs(values=outward, topology=topology, site=site, after=resolver.containers)
        outside.append(Egress("egress", args, on_engine).container)
    services_args = ServicesArgs(
        services=settings.services,
        topology=topology,
        site=site,
        secrets={name: pulumi.Output.secret(value.get_secret_value()) for name, value in settings.secrets.items()},
        generated=settings.generated,
    )
    services = Services("services", services_args, on_engine)
    intrusion_args = IntrusionArgs(
        intrusion=settings.intrusion,
        topology=topology,
        operators=settings.operators,
        site=site,
        secrets=services.secrets,
        edge=_edge_list(settings, services, cloud),
    )
    intrusion = Intrusion("intrusion", intrusion_args, on_engine)
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
        connector_after=resolver.containers,
    )
    Gateway("gateway", gateway_args, on_engine)
    monitoring = _monitoring(settings, topology, site, services, on_engine)
    _backup(settings, topology, site, services, monitoring, [*outside, *resolver.containers], on_engine)
    return services


def _site(topology: Topology, stack: str, engines: dict[str, Engine], networks: Networks) -> Site:
    swarm = None
    if topology.cluster:
        own = {name: engine.provider for name, engine in engines.items()}
        swarm = SwarmSite(topology.cluster, topology.resolvers, own, networks.ids)
    return Site(
        stack=stack,
        digest_key=pulumi.Output.secret(random.RandomPassword("digest-key", length=40, special=False).result),
        carrier_images={name: engine.carrier_image for name, engine in engines.items()},
        resolver=topology.resolvers[0],
        networks=networks.names,
        swarm=swarm,
    )


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
