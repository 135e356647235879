"""Who may call whom: the program's own links, and those that services declare."""

from collections.abc import Iterator

from settings.intrusion import Intrusion
from settings.stack import Settings
from topology.names import (
    ALERTMANAGER,
    BACKUP,
    CLOUDFLARED,
    CROWDSEC,
    EDGE_BANS,
    GATEWAY,
    LOG_SHIPPER,
    MAIL_RELAY,
    NODE_EXPORTER,
    PROBER,
    PROMETHEUS,
    PROXY,
)
from topology.nodes import copied, copier, dashboards, exporter, followed, measured, nodes_of, probed, standby_of


def links(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every link between two nodes, as (client, server): the program's own, then those that services declare."""
    yield from _intrusion_links(settings.intrusion)
    yield from _backup_links(settings)
    yield from _monitoring_links(settings)
    yield from ((standby_of(name), name) for name in followed(settings))
    for name, service in sorted(settings.services.items()):
        for node in nodes_of(settings, name):
            if service.routes:
                yield GATEWAY, node
            if service.egress:
                yield node, PROXY
            for used in sorted(set(service.uses)):
                yield from ((node, server) for server in nodes_of(settings, used))


def _intrusion_links(intrusion: Intrusion) -> Iterator[tuple[str, str]]:
    """The gateway sends its log to CrowdSec and asks it whom to refuse."""
    yield GATEWAY, CROWDSEC
    if intrusion.community:
        yield CROWDSEC, PROXY
    if intrusion.edge_token:
        yield EDGE_BANS, CROWDSEC
        yield EDGE_BANS, PROXY


def _backup_links(settings: Settings) -> Iterator[tuple[str, str]]:
    """Databases are dumped over the network; what is kept leaves through the egress proxy."""
    if settings.backup is None:
        return
    if settings.backup.store != "volume":
        yield BACKUP, PROXY
    for name in copied(settings):
        if settings.services[name].backup == "postgres":
            yield copier(name), name


def _monitoring_links(settings: Settings) -> Iterator[tuple[str, str]]:
    """Prometheus asks everyone, and nobody but dashboards asks Prometheus."""
    monitoring = settings.monitoring
    yield from ((PROMETHEUS, node) for node in (GATEWAY, CROWDSEC, NODE_EXPORTER, ALERTMANAGER))
    if settings.is_tunnelled:
        yield PROMETHEUS, CLOUDFLARED
    for node in measured(settings):
        yield PROMETHEUS, exporter(node)
        yield exporter(node), node
    yield from ((node, PROMETHEUS) for node in dashboards(settings))
    if probed(settings):
        yield PROMETHEUS, PROBER
        yield PROBER, PROXY
    if monitoring.domains:
        yield ALERTMANAGER, PROXY
    if monitoring.mail:
        yield ALERTMANAGER, MAIL_RELAY
        yield MAIL_RELAY, PROXY
    if monitoring.logs:
        yield GATEWAY, LOG_SHIPPER
        yield LOG_SHIPPER, PROXY
