"""What the two tunnels serve, and under which names. Pure."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass

from settings.load import SettingsError

NOT_FOUND = "http_status:404"
"""cloudflared answers by itself, so a name that nothing serves reaches nothing."""
SSHD = "ssh://127.0.0.1:22"
WILDCARD = "*"


@dataclass(frozen=True)
class Rule:
    """One line of a tunnel's ingress. Without a hostname it matches everything.

    ``guarded``: the connector itself refuses what carries no valid token of the host's Access application, so
    neither a deleted application nor a mistake in the zone opens the way in.
    """

    service: str
    hostname: str | None = None
    guarded: bool = False
    connect_timeout: int | None = None
    """Seconds that all addresses of the service together have to answer; None is cloudflared's own 30."""


def ssh_host(stack: str, domain: str, chosen: str | None, taken: tuple[str, ...], machine: str = "") -> str:
    """Host name of SSH: the chosen one, or ``ssh-STACK.DOMAIN``, of a Swarm's machine ``ssh-STACK-MACHINE.DOMAIN``.

    Raises ``SettingsError`` where a route has that name already.
    """
    words = "-".join(filter(None, ("ssh", stack.lower(), machine)))
    label = re.sub(r"[^a-z0-9-]+", "-", words)[:63].rstrip("-")
    host = chosen or f"{label}.{domain}"
    if host in taken:
        mend = "choose another host for the route" if machine else "choose another name"
        raise SettingsError(f"{'services' if machine else 'tunnel.ssh_host'}: {host} is a route's host already: {mend}")
    return host


def admin_rules(ssh: str) -> tuple[Rule, ...]:
    """Ingress of the admin tunnel: sshd on the server's loopback, and nothing else."""
    return Rule(SSHD, ssh, guarded=True), Rule(NOT_FOUND)


def app_rules(
    visitor_hosts: tuple[str, ...], admin_hosts: tuple[str, ...], gateway_url: str, connect_timeout: int | None = None
) -> tuple[Rule, ...]:
    """Ingress of the app tunnel: every declared host to the gateway, exactly by name, and nothing else.

    A wildcard in DNS is none here: a name that nobody declared ends at the connector.
    """
    visitors = [Rule(gateway_url, host, False, connect_timeout) for host in sorted(visitor_hosts)]
    admins = [Rule(gateway_url, host, True, connect_timeout) for host in sorted(admin_hosts)]
    return *visitors, *admins, Rule(NOT_FOUND)


def app_names(domain: str, visitor_hosts: tuple[str, ...], admin_hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the DNS records that lead to the app tunnel.

    Admin hosts share one wildcard, so that no listing of the zone has their names. A wildcard does not cover the
    domain itself, whose name is no secret anyway.
    """
    explicit = {*visitor_hosts, *(host for host in admin_hosts if host == domain)}
    hidden = any(host != domain for host in admin_hosts)
    return *sorted(explicit), *([f"{WILDCARD}.{domain}"] if hidden else [])


def target(tunnel_id: str) -> str:
    """What a CNAME of a tunnel points at. The name resolves for Cloudflare's proxy only."""
    return f"{tunnel_id}.cfargotunnel.com"


def secret(text: str) -> str:
    """A tunnel's secret in the form that Cloudflare takes: base64 of 32 bytes, here of a random text's digest."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def token(account_id: str, tunnel_id: str, secret: str) -> str:
    """A connector's token, as ``cloudflared tunnel run --token-file`` reads it. Secret.

    ``secret`` is the tunnel's secret in base64. Composing the token here needs no look-up at Cloudflare, which
    would put it into the state in plaintext.
    """
    fields = {"a": account_id, "t": tunnel_id, "s": secret}
    return base64.b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode()
