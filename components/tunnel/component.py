"""The only ways in: two tunnels that dial out, their DNS names, and Access in front of what is not for everyone."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_random as random

from components.tunnel import access, render
from components.tunnel.connector import Connector, connector
from settings import cloud

CONNECT_SECONDS = 4
"""To reach a gateway of several: what is waited for the first one to answer is its share."""
ONE_SERVER = ""
"""Stands for the only server, where there are no machines with names."""


class TunnelArgs(TypedDict):
    """``visitor_hosts`` and ``admin_hosts`` are all public names; ``gateway_url`` is where the connector finds them.
    ``machines`` are the names of a Swarm's machines; none where there is one server."""

    stack: str
    domain: str
    cloudflare: cloud.Cloudflare
    tunnel: cloud.Tunnel
    operators: cloud.Operators
    visitor_hosts: tuple[str, ...]
    admin_hosts: tuple[str, ...]
    gateway_url: str
    machines: NotRequired[tuple[str, ...]]


class Tunnel(pulumi.ComponentResource):
    """The ``admin`` tunnel leads to sshd on the server, the ``app`` tunnel to the gateway.

    They are two, so that neither a flood nor a mistake on the public side takes the operators' way in. With several
    machines each has an admin tunnel of its own: connectors of one tunnel share its logins.
    """

    ssh_hosts: dict[str, str]
    """Machine → host name of its SSH behind Access. One server has no name: its key is empty."""
    admin_tokens: dict[str, pulumi.Output[str]]
    """Machine → secret: what its connector runs with."""
    app_token: pulumi.Output[str]
    """Secret: what the connector in the container network runs with."""
    admin_tunnel_ids: dict[str, pulumi.Output[str]]
    app_tunnel_id: pulumi.Output[str]
    service_token_id: pulumi.Output[str]
    """What a pipeline sends as ``CF-Access-Client-Id``."""
    service_token_secret: pulumi.Output[str]
    """Secret: what a pipeline sends as ``CF-Access-Client-Secret``."""
    urls: tuple[str, ...]
    """Where visitors find the stack."""
    admin_urls: tuple[str, ...]
    """Where operators find it, after a login."""

    def __init__(self, name: str, args: TunnelArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Tunnel", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self._name_hosts(args)
        site = access.Site(name, args["stack"], args["cloudflare"].account_id, args["tunnel"].session, child)
        guards = self._guard(site, args)
        admins, app = self._connect(name, args, {host: guard.aud for host, guard in guards.items()}, child)
        ssh = {self.ssh_hosts[machine]: admin for machine, admin in admins.items()}
        _records(name, args, ssh, app, guards, child)
        _alert(site, args["operators"].emails, [*admins.values(), app])
        self.admin_tokens = {machine: admin.token for machine, admin in admins.items()}
        self.admin_tunnel_ids = {machine: admin.tunnel.id for machine, admin in admins.items()}
        self.app_token, self.app_tunnel_id = app.token, app.tunnel.id
        self.register_outputs(
            {
                **self._of_machines(),
                "appTunnelId": self.app_tunnel_id,
                "urls": list(self.urls),
                "adminUrls": list(self.admin_urls),
            }
        )

    @property
    def ssh_host(self) -> str:
        """Host name of the only server's SSH behind Access."""
        return self.ssh_hosts[ONE_SERVER]

    @property
    def admin_token(self) -> pulumi.Output[str]:
        """Secret: what the only server's connector runs with."""
        return self.admin_tokens[ONE_SERVER]

    def _of_machines(self) -> dict[str, object]:
        if ONE_SERVER in self.ssh_hosts:
            return {"sshHost": self.ssh_host, "adminTunnelId": self.admin_tunnel_ids[ONE_SERVER]}
        return {"sshHosts": self.ssh_hosts, "adminTunnelIds": self.admin_tunnel_ids}

    def _name_hosts(self, args: TunnelArgs) -> None:
        visitors, admins = args["visitor_hosts"], args["admin_hosts"]
        taken = (*visitors, *admins)
        chosen = args["tunnel"].ssh_host
        self.ssh_hosts = {
            machine: render.ssh_host(args["stack"], args["domain"], chosen, taken, machine)
            for machine in args.get("machines") or (ONE_SERVER,)
        }
        self.urls = tuple(f"https://{host}" for host in sorted(visitors))
        self.admin_urls = tuple(f"https://{host}" for host in sorted(admins))

    def _guard(self, site: access.Site, args: TunnelArgs) -> dict[str, cloudflare.ZeroTrustAccessApplication]:
        """Host → its Access application, of every host that is not for visitors."""
        people = access.people(site, args["operators"].emails)
        token = access.service_token(site)
        self.service_token_id = token.client_id
        self.service_token_secret = pulumi.Output.secret(token.client_secret)
        pipeline = access.pipeline(site, token)
        hosts = self.ssh_hosts.values()
        ssh = {host: access.application(site, host, [people, pipeline], browser=False) for host in hosts}
        web = {host: access.application(site, host, [people], browser=True) for host in sorted(args["admin_hosts"])}
        return {**ssh, **web}

    def _connect(
        self,
        name: str,
        args: TunnelArgs,
        audiences: dict[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions,
    ) -> tuple[dict[str, Connector], Connector]:
        # A second tunnel of the same name is refused, even while the first one is being deleted.
        suffix = random.RandomString(f"{name}-suffix", length=6, special=False, upper=False, opts=opts).result

        def make(role: str, rules: tuple[render.Rule, ...]) -> Connector:
            title = pulumi.Output.concat(f"zero-exposure-{args['stack']}-{role}-", suffix)
            return connector(f"{name}-{role}", title, args["cloudflare"], rules, audiences, opts)

        admins = {
            machine: make("-".join(filter(None, ("admin", machine))), render.admin_rules(host))
            for machine, host in self.ssh_hosts.items()
        }
        # On a Swarm the gateway's name leads to several, and one of them may be gone.
        wait = CONNECT_SECONDS if args.get("machines") else None
        return admins, make(
            "app", render.app_rules(args["visitor_hosts"], args["admin_hosts"], args["gateway_url"], wait)
        )


def _records(
    name: str,
    args: TunnelArgs,
    ssh: Mapping[str, Connector],
    app: Connector,
    guards: Mapping[str, cloudflare.ZeroTrustAccessApplication],
    opts: pulumi.ResourceOptions,
) -> None:
    names = render.app_names(args["domain"], args["visitor_hosts"], args["admin_hosts"])
    for host, behind in [*ssh.items(), *((host, app) for host in names)]:
        # A name appears only when the tunnel knows what to do with it, and who may use it. It goes before its guard,
        # which a configuration that has changed no longer names.
        first = [behind.config, *([guards[host]] if host in guards else [])]
        ready = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=first))
        cloudflare.DnsRecord(
            f"{name}-dns-{host}",
            zone_id=args["cloudflare"].zone_id,
            name=host,
            type="CNAME",
            content=behind.tunnel.id.apply(render.target),
            proxied=True,
            ttl=1,  # automatic, the only one that a proxied record may have
            comment=f"zero-exposure {args['stack']}",
            opts=ready,
        )


def _alert(site: access.Site, emails: tuple[str, ...], connectors: list[Connector]) -> None:
    """Cloudflare tells when a tunnel goes down: nothing on the server could."""
    statuses = ["TUNNEL_STATUS_TYPE_DOWN", "TUNNEL_STATUS_TYPE_DEGRADED", "TUNNEL_STATUS_TYPE_HEALTHY"]
    cloudflare.NotificationPolicy(
        f"{site.name}-health",
        account_id=site.account_id,
        name=site.title("tunnel health"),
        # The API answers an empty one where none is given, which would be a difference after a refresh.
        description="A tunnel is down, degraded, or back",
        alert_type="tunnel_health_event",
        enabled=True,
        mechanisms=cloudflare.NotificationPolicyMechanismsArgs(
            emails=[cloudflare.NotificationPolicyMechanismsEmailArgs(id=email) for email in emails]
        ),
        filters=cloudflare.NotificationPolicyFiltersArgs(
            new_statuses=statuses, tunnel_ids=[each.tunnel.id for each in connectors]
        ),
        opts=site.opts,
    )
