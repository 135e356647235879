"""Who may call what outside, through the egress proxy."""

from collections.abc import Iterator

from settings.backup import R2_HOST
from settings.stack import Settings
from topology.names import ALERTMANAGER, BACKUP, CROWDSEC, EDGE_BANS, LOG_SHIPPER, MAIL_PORT, MAIL_RELAY, PROBER
from topology.nodes import nodes_of, probed

COMMUNITY_DOMAINS = ("api.crowdsec.net", "hub-data.crowdsec.net")
"""Where CrowdSec's shared blocklists come from."""


def egress(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Node → domains that it may call through the egress proxy, on port 443 unless a domain says another one."""
    found: dict[str, tuple[str, ...]] = dict(_monitoring_egress(settings))
    if settings.intrusion.community:
        found[CROWDSEC] = COMMUNITY_DOMAINS
    if settings.intrusion.edge_token:
        found[EDGE_BANS] = ("api.cloudflare.com",)
    if settings.backup and settings.backup.store == "s3" and settings.backup.s3:
        found[BACKUP] = (settings.backup.s3.endpoint,)
    elif settings.backup and settings.backup.store == "r2" and settings.cloudflare:
        found[BACKUP] = (f"{settings.cloudflare.account_id}.{R2_HOST}",)
    for name, service in sorted(settings.services.items()):
        if service.egress:
            found |= dict.fromkeys(nodes_of(settings, name), service.egress)
    return found


def _monitoring_egress(settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    monitoring = settings.monitoring
    if monitoring.domains:
        yield ALERTMANAGER, monitoring.domains
    if monitoring.mail:
        yield MAIL_RELAY, (f"{monitoring.mail.server}:{MAIL_PORT}",)
    if monitoring.logs:
        yield LOG_SHIPPER, (monitoring.logs.domain,)
    if probed(settings):
        yield PROBER, probed(settings)
