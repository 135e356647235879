"""`python -m ops.scale`: what a Swarm of so many machines is made of, by the plan, as the table in docs/scale.md."""

import sys
from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Final

from components.edge.plan import PLANS, spares_ssh
from components.edge.render import Hosts, custom_rules, expression
from components.host.fleet import GROUP_SIZE
from components.tunnel.render import ssh_host
from ops.generated import checks, keep
from settings.cloud import Edge
from settings.load import SettingsError
from settings.stack import Settings
from topology.model import Topology
from topology.names import GATEWAY
from topology.plan import plan
from topology.subnets import SubnetClashError, link_prefix

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "scale.md"
BEGIN, END = "<!-- python -m ops.scale -->\n", "<!-- end -->\n"
MACHINES: Final = (3, 20, 50, 100)
SERVICES: Final = 15
"""On each machine, on average."""
HOSTS: Final = 20
"""A large stack has many paths below few public names: of these, every fifth service has one."""
KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJnk0oK4T9D8n6yPp7oJ6X0f3gPbJx1n5b2dC9mV3aH someone"


@dataclass(frozen=True)
class Scale:
    """One column of the table."""

    machines: int
    services: int
    networks: int
    on_gateway: int
    of_pool: float
    clashes: int
    tunnels: int
    applications: int
    records: int
    rules: str
    expression: int | str
    groups: int


def simulated(machines: int) -> dict[str, Any]:
    """A stack file: every service uses the database, two of three another one as well, every fifth has a route."""
    services: dict[str, Any] = {"postgres": {"preset": "postgres", "node": "manager-1"}}
    for index in range(machines * SERVICES - 1):
        services[_name(index)] = {
            "image": "example/app:1.0",
            "user": f"{1000 + index}:1000",
            "port": 3000,
            "replicas": 2,
            "uses": ["postgres", *([_name(index - 1)] if index % 3 else [])],
            "routes": [] if index % 5 else [{"host": f"host-{index % HOSTS}.example.org", "path": f"/{_name(index)}"}],
        }
    workers = {"worker": {"role": "worker", "count": machines - 3}} if machines > 3 else {}
    return {
        "target": "cloud",
        "domain": "example.org",
        "cloudflare": {"account_id": "0" * 32, "zone_id": "1" * 32, "team": "example", "plan": "business"},
        "host": {},
        "operators": {"ssh_keys": {"someone": KEY}, "emails": ["someone@example.org"]},
        "monitoring": {"ntfy": {"topic": "alert_topic"}},
        "generated": ["alert_topic"],
        "nodes": {"manager": {"count": 3}, **workers},
        "services": services,
    }


def _name(index: int) -> str:
    return f"service-{index:04}"


def settled(raw: dict[str, Any]) -> tuple[Settings, Topology]:
    """Settings and plan, with the lines that settle clashes of subnets."""
    settings = Settings.model_validate(raw)
    pins: dict[str, str] = {}
    while True:
        network = settings.network.model_copy(update={"subnets": pins})
        found = settings.model_copy(update={"network": network})
        try:
            return found, plan(found)
        except SubnetClashError as clash:
            pins[clash.link] = str(clash.free)


def scale(machines: int) -> Scale:
    """What the simulated stack of so many machines is made of."""
    settings, topology = settled(simulated(machines))
    ssh = tuple(ssh_host("prod", settings.domain, None, (), each.name) for each in settings.machines)
    slots = 2 ** (link_prefix(settings) - IPv4Network(settings.network.pool).prefixlen)
    kinds = Counter((each.group, each.location) for each in settings.machines)
    return Scale(
        machines=machines,
        services=len(settings.services),
        networks=len(topology.networks),
        on_gateway=len(topology.nodes[GATEWAY].addresses),
        of_pool=100 * len(topology.networks) / slots,
        clashes=len(settings.network.subnets),
        tunnels=len(ssh) + 1,
        applications=len(ssh),
        records=len(ssh) + len(topology.visitor_hosts),
        rules=_rules(topology, ssh),
        expression=_expression(topology, ssh),
        groups=sum(-(-count // GROUP_SIZE) for count in kinds.values()),
    )


def _rules(topology: Topology, ssh: tuple[str, ...]) -> str:
    """Rules of the edge's firewall with bots challenged, and the plans that have room for them."""
    hosts = Hosts(topology.visitor_hosts, (), ssh, (), ())
    fitting = []
    for name, allowed in PLANS.items():
        try:
            custom_rules(hosts, spares_ssh(Edge(), allowed), allowed)
        except SettingsError:
            continue
        fitting.append(name)
    return ", ".join(fitting)


def _expression(topology: Topology, ssh: tuple[str, ...]) -> int | str:
    """Length of the longest expression, in characters."""
    served = sorted({*topology.visitor_hosts, *ssh})
    try:
        return len(expression("hosts", served=served, admin_hosts=["admin.example.org"], networks=("203.0.113.0/24",)))
    except SettingsError:
        return "too long"


ROWS: Final = (
    ("services", "services", "", ""),
    ("networks", "overlay networks", "Swarm knows no limit; a /26 each", ""),
    ("on_gateway", "networks that a gateway is on", "", ""),
    ("of_pool", "of the pool 10.128.0.0/9", "100 %", " %"),
    ("clashes", "lines in `network.subnets`", "", ""),
    ("tunnels", "tunnels", "1,000 an account", ""),
    ("applications", "Access applications for SSH", "500 an account", ""),
    ("records", "DNS records", "200 on free, 3,500 on paid plans", ""),
    ("rules", "plans with room for the firewall's rules", "5, 20, 100, 1,000 rules", ""),
    ("expression", "characters of the longest rule", "4,096", ""),
    ("groups", "placement groups", "50 a project, 10 servers each", ""),
)
"""Field, what it is, its limit, unit."""


def table() -> str:
    """The table as Markdown."""
    columns = [scale(machines) for machines in MACHINES]
    lines = [
        f"| | {' | '.join(f'{column.machines} machines' for column in columns)} | limit |",
        f"|---|{'---|' * (len(columns) + 1)}",
    ]
    for key, title, limit, unit in ROWS:
        lines.append(f"| {title} | {' | '.join(_shown(getattr(column, key), unit) for column in columns)} | {limit} |")
    return "\n".join(lines) + "\n"


def _shown(value: object, unit: str) -> str:
    return f"{value:.1f}{unit}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def main() -> int:
    """Put the table into docs/scale.md, or with ``--check`` say whether it is there."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    text = f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"
    stale = "docs/scale.md is not current: python -m ops.scale"
    return keep(DOCUMENT, text, check=checks("ops.scale", __doc__), stale=stale)


if __name__ == "__main__":
    sys.exit(main())
