"""Monitoring's files, from values. Pure: the same values give the same texts."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from components.template import templates
from settings.monitoring import Monitoring, Waiver, waivers
from settings.stack import Settings
from topology.names import (
    ALERTMANAGER,
    CLOUDFLARED,
    CROWDSEC,
    EGRESS_PORT,
    GATEWAY,
    MAIL_PORT,
    MAIL_RELAY,
    NODE_EXPORTER,
    PROBER,
    PROMETHEUS,
    PROXY,
    SYSLOG_PORT,
)
from topology.nodes import exporter, followed, measured, probed

FOLDER = Path(__file__).parent
CONFIG, SECRETS = "/etc/zero-exposure/monitoring", "/run/secrets"
PROMETHEUS_PORT, ALERTMANAGER_PORT, NODE_PORT, PROBER_PORT = 9090, 9093, 9100, 9115
EXPORTER_PORTS = {"postgres": 9187, "redis": 9121}
"""What each exporter's own documentation says; here they are said outright as well."""
PORTS = {GATEWAY: 9145, CROWDSEC: 6060, CLOUDFLARED: 20241, NODE_EXPORTER: NODE_PORT, ALERTMANAGER: ALERTMANAGER_PORT}
"""Node that Prometheus asks → the port where it tells."""
MANY = (GATEWAY, CLOUDFLARED, NODE_EXPORTER)
"""Nodes that are several tasks on a Swarm."""
STATUSES = list(range(200, 500))
"""Answers that show that a host works: "not found" and "who are you" are among them."""


@dataclass(frozen=True)
class Job:
    """Targets of one kind, each with the name that measurements carry. ``discovered``: the name stands for many."""

    name: str
    targets: tuple[tuple[str, str], ...]
    discovered: bool = False


@dataclass(frozen=True)
class Values:
    """Everything that the files are made of. ``databases``: node → preset, ``hosts``: what is asked from outside."""

    stack: str
    monitoring: Monitoring
    tunnelled: bool
    databases: dict[str, str]
    hosts: tuple[str, ...]
    waivers: tuple[Waiver, ...]
    machines: int = 0
    """How many there are on a Swarm; 0 where there is one server."""
    gateways: int = 0
    followed: tuple[str, ...] = ()
    """Databases that have a standby."""
    folder: str = CONFIG
    secrets: str = SECRETS

    @property
    def jobs(self) -> list[Job]:
        """What Prometheus asks, besides the prober."""
        asked = [node for node in PORTS if node != CLOUDFLARED or self.tunnelled]
        own = Job(PROMETHEUS, ((PROMETHEUS, f"127.0.0.1:{PROMETHEUS_PORT}"),))
        many = MANY if self.machines else ()
        jobs = (Job(node, ((node, f"{node}:{PORTS[node]}"),), node in many) for node in asked)
        return [own, *jobs, *self._exporters()]

    def _exporters(self) -> list[Job]:
        return [
            Job(exporter(node), ((node, f"{exporter(node)}:{EXPORTER_PORTS[preset]}"),))
            for node, preset in self.databases.items()
        ]

    @property
    def rules(self) -> list[str]:
        """Names of the files with rules: those of parts that this stack has."""
        needed = {
            "tunnel.yaml": self.tunnelled,
            "outside.yaml": bool(self.hosts),
            "database.yaml": bool(self.databases),
            "waiver.yaml": bool(self.waivers),
            "swarm.yaml": bool(self.machines),
            "standby.yaml": bool(self.followed),
        }
        found = sorted(path.name.removesuffix(".j2") for path in (FOLDER / "rules").iterdir())
        return [name for name in found if needed.get(name, True)]


def values(settings: Settings, stack: str) -> Values:
    """The values of a stack."""
    presets: dict[str, str] = {node: settings.services[name].preset or "" for node, name in measured(settings).items()}
    return Values(
        stack=stack,
        monitoring=settings.monitoring,
        tunnelled=settings.is_tunnelled,
        databases=presets,
        hosts=tuple(f"https://{host}/" for host in probed(settings)),
        waivers=waivers(),
        machines=len(settings.machines),
        gateways=settings.swarm.gateways if settings.is_swarm else 0,
        followed=followed(settings),
    )


def prometheus(given: Values) -> dict[str, str]:
    """Path in Prometheus's container → text."""
    shown = {"alertmanager": f"{ALERTMANAGER}:{ALERTMANAGER_PORT}", "prober": f"{PROBER}:{PROBER_PORT}"}
    own = {key: getattr(given, key) for key in ("stack", "folder", "rules", "jobs", "hosts")}
    found = {f"{given.folder}/prometheus.yaml": _text("prometheus.yaml.j2", {**own, **shown})}
    return found | {f"{given.folder}/{name}": _rules(name, given) for name in given.rules}


def _rules(name: str, given: Values) -> str:
    path = FOLDER / "rules" / name
    if path.is_file():
        return path.read_text(encoding="utf-8")
    ending = [
        {"rule": each.rule, "urn": each.urn, "expires": each.expires, "ends": _end(each)} for each in given.waivers
    ]
    counted = {"machines": given.machines, "gateways": given.gateways}
    return _text(f"rules/{name}.j2", {"waivers": ending, "followed": given.followed, **counted})


def _end(waiver: Waiver) -> int:
    """The last second of a waiver's last day."""
    return int(datetime.combine(waiver.expires, time(23, 59, 59), UTC).timestamp())


def alertmanager(given: Values) -> str:
    """Alertmanager's configuration."""
    receivers = {key: getattr(given.monitoring, key) for key in ("webhook", "ntfy", "mail", "heartbeat")}
    shown = {"secrets": given.secrets, "proxy": _proxy(), "mail_relay": f"{MAIL_RELAY}:{MAIL_PORT}"}
    return _text("alertmanager.yaml.j2", {**receivers, **shown})


def prober() -> str:
    """The prober's configuration."""
    return _text("prober.yaml.j2", {"proxy": _proxy(), "statuses": STATUSES})


def log_shipper(secrets: str = SECRETS) -> str:
    """syslog-ng's configuration, without the target's address."""
    return _text("log-shipper.conf.j2", {"secrets": secrets, "proxy": _proxy(), "port": SYSLOG_PORT})


def target(domain: str, path: str) -> str:
    """The file with the address that the gateway's log goes to."""
    return f'@define target "https://{domain}/{path}"\n'


def urls(monitoring: Monitoring) -> dict[str, tuple[str, str, str]]:
    """File → what comes before a secret, the secret's name, what comes after: the address of each receiver."""
    found = {}
    for key in ("webhook", "heartbeat"):
        target = getattr(monitoring, key)
        if target:
            found[f"{key}-url"] = (f"https://{target.domain}/", target.path, "")
    if monitoring.ntfy:
        found["ntfy-url"] = (f"https://{monitoring.ntfy.domain}/", monitoring.ntfy.topic, "?template=alertmanager")
        if monitoring.ntfy.token:
            found["ntfy-token"] = ("", monitoring.ntfy.token, "")
    if monitoring.mail:
        found["mail-password"] = ("", monitoring.mail.password, "")
    return found


def _proxy() -> str:
    return f"http://{PROXY}:{EGRESS_PORT}"


def _text(name: str, context: dict[str, Any]) -> str:
    environment = templates(FOLDER, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(name).render(context)
