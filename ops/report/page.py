"""What a report shows of a stack, beyond what the graph says word for word. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from ops.diagram.picture import Picture, pictures
from ops.preview.run import Preview
from ops.recorded import Node, Route, Stack, read
from ops.sbom.parts import split
from policy.rules.model import PackConfig, Rule, StackRule, Violation, Waiver
from policy.rules.table import ALL
from policy.rules.waivers import problem

MIN_LAYERS = 5


@dataclass(frozen=True)
class Metric:
    """One of the four numbers of the exposure score."""

    name: str
    value: str
    wanted: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class PublicName:
    """A route with who may use it, and whether Cloudflare Access asks first."""

    route: Route
    access: bool


@dataclass(frozen=True)
class Container:
    """A container with its image's parts and its links."""

    node: Node
    image: str
    version: str
    digest: str
    reaches: tuple[str, ...]
    reached_by: tuple[str, ...]


@dataclass(frozen=True)
class Matrix:
    """Who reaches whom. Rows open connections, columns take them; who does neither is in no row or column."""

    clients: tuple[str, ...]
    servers: tuple[str, ...]
    links: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class RuleRow:
    """A rule of the pack with the number of its findings here."""

    rule: Rule | StackRule
    findings: int


@dataclass(frozen=True)
class WaiverRow:
    """A waiver, and what is wrong with it (empty: it holds)."""

    waiver: Waiver
    problem: str


@dataclass(frozen=True)
class Page:
    """A whole report."""

    stack: Stack
    today: date
    blocked: bool
    metrics: tuple[Metric, ...]
    checklist: tuple[tuple[str, bool, str], ...]
    pictures: tuple[Picture, ...]
    names: tuple[PublicName, ...]
    matrix: Matrix
    containers: tuple[Container, ...]
    violations: tuple[Violation, ...]
    rules: tuple[RuleRow, ...]
    waivers: tuple[WaiverRow, ...]


def page(shown: Preview, config: PackConfig) -> Page:
    """The report of one preview. ``config`` holds the waivers that the preview was run with."""
    stack = read(shown.graph)
    return Page(
        stack=stack,
        today=config.today,
        blocked=shown.blocked,
        metrics=_metrics(shown),
        checklist=tuple((f"{item.number}. {item.item}", item.ok, item.evidence) for item in shown.exposure.checklist),
        pictures=pictures(stack),
        names=tuple(PublicName(route, route.host in stack.guarded) for route in stack.routes),
        matrix=matrix(stack),
        containers=tuple(_container(node, stack) for node in stack.nodes.values()),
        violations=tuple(sorted(shown.violations, key=lambda found: (not found.blocking, found.rule, found.urn))),
        rules=_rules(shown.violations),
        waivers=tuple(WaiverRow(waiver, problem(waiver, config.today)) for waiver in config.waivers),
    )


def _metrics(shown: Preview) -> tuple[Metric, ...]:
    score = shown.exposure
    ports, points, percent = (
        score.open_inbound_ports,
        score.tls_termination_points,
        score.centralized_ingress_percent,
    )
    return (
        Metric("open inbound ports", str(ports), "0", ports == 0),
        Metric(
            "independent security layers",
            str(score.security_layers),
            f"{MIN_LAYERS} or more",
            score.security_layers >= MIN_LAYERS,
            ", ".join(score.layers),
        ),
        Metric("TLS termination points", str(points), "at most 1", points <= 1),
        Metric("centralised ingress", f"{percent} %", "100 %", percent == 100),
    )


def matrix(stack: Stack) -> Matrix:
    """Every private network that joins a client and a server."""
    links = frozenset((network.client, network.server) for network in stack.networks if network.client)
    clients, servers = sorted({client for client, _ in links}), sorted({server for _, server in links})
    return Matrix(tuple(clients), tuple(servers), links)


def _container(node: Node, stack: Stack) -> Container:
    image, version, digest = split(node.image)
    links = [(network.client, network.server) for network in stack.networks]
    reaches = tuple(sorted(server for client, server in links if client == node.name))
    return Container(
        node, image, version, digest, reaches, tuple(sorted(client for client, server in links if server == node.name))
    )


def _rules(violations: Iterable[Violation]) -> tuple[RuleRow, ...]:
    found = [violation.rule for violation in violations]
    return tuple(RuleRow(rule, found.count(rule.id)) for rule in sorted(ALL, key=lambda rule: rule.id))
