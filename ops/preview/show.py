"""A preview for a person at a terminal."""

from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from ops.preview.run import Preview
from policy.rules.model import Exposure, Resource, Violation

OFFLINE = (
    "Offline preview: no Pulumi CLI or no credentials here. Left out: differences to what is deployed, "
    "and the providers' own checks."
)
STACK = "pulumi:pulumi:Stack"
DETAIL = {
    "docker:index/container:Container": lambda props: _addresses(props),
    "docker:index/network:Network": lambda props: _subnet(props),
    "docker:index/remoteImage:RemoteImage": lambda props: str(props.get("name", "")),
    "cloudflare:index/dnsRecord:DnsRecord": lambda props: str(props.get("name", "")),
    "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication": lambda props: str(
        props.get("domain", "")
    ),
    "cloudflare:index/zoneSetting:ZoneSetting": lambda props: _setting(props),
    "hcloud:index/server:Server": lambda props: f"{props.get('serverType')} in {props.get('location')}",
    "hcloud:index/firewall:Firewall": lambda props: _directions(props),
}


def show(preview: Preview, console: Console) -> None:
    """The tree, the counts, the exposure score with its evidence, the violations, the verdict."""
    console.print(Text(OFFLINE, style="yellow"))
    console.print(_tree(preview))
    console.print(_counts(preview))
    console.print(_score(preview.exposure))
    if preview.violations:
        console.print(_violations(preview.violations))
    console.print(_verdict(preview))


def _tree(preview: Preview) -> Tree:
    resources = sorted(preview.recording.resources, key=lambda resource: (resource.type, resource.name))
    children: dict[str, list[Resource]] = {}
    for resource in resources:
        children.setdefault(resource.parent or "", []).append(resource)
    root = next(resource for resource in resources if resource.type == STACK)
    tree = Tree(Text.assemble(("stack ", "dim"), (preview.stack, "bold"), (f"  target {preview.target}", "dim")))
    _grow(tree, root.urn, children)
    return tree


def _grow(tree: Tree, parent: str, children: dict[str, list[Resource]]) -> None:
    for resource in children.get(parent, []):
        _grow(tree.add(_line(resource)), resource.urn, children)


def _line(resource: Resource) -> Text:
    line = Text.assemble((resource.name, "bold"), "  ", (_kind(resource.type), "cyan"))
    detail = DETAIL[resource.type](resource.props) if resource.type in DETAIL else ""
    if detail:
        line.append(f"  {detail}", "dim")
    if resource.protect:
        line.append("  protected", "green")
    return line


def _kind(token: str) -> str:
    package, _, kind = token.split(":")
    return f"{package}:{kind}"


def _setting(props: dict[str, object]) -> str:
    value = props.get("value")
    return "= …" if isinstance(value, dict) else f"= {value}"


def _addresses(props: dict[str, object]) -> str:
    networks = props.get("networksAdvanced") or []
    assert isinstance(networks, list)  # noqa: S101 - the input's type was checked before
    return ", ".join(str(network.get("ipv4Address", "")) for network in networks)


def _subnet(props: dict[str, object]) -> str:
    configs = props.get("ipamConfigs") or [{}]
    assert isinstance(configs, list)  # noqa: S101 - the input's type was checked before
    return f"{configs[0].get('subnet', '')} {'internal' if props.get('internal') else 'leads out'}"


def _directions(props: dict[str, object]) -> str:
    rules = props.get("rules") or []
    assert isinstance(rules, list)  # noqa: S101 - the input's type was checked before
    inbound = sum(rule.get("direction") != "out" for rule in rules)
    return f"inbound {inbound}, outbound {len(rules) - inbound}"


def _counts(preview: Preview) -> Text:
    resources = [resource for resource in preview.recording.resources if resource.type != STACK]
    packages = Counter(_package(resource.type) for resource in resources)
    parts = ", ".join(f"{number} {package}" for package, number in packages.most_common())
    return Text(f"{len(resources)} resources: {parts}\n")


def _package(token: str) -> str:
    package, _, kind = token.split(":")
    if package == "pulumi":
        return f"provider {kind}"
    return "components" if package == "zero-exposure" else package


def _score(exposure: Exposure) -> Table:
    table = Table(title="Exposure score", title_justify="left", show_header=False, box=None, padding=(0, 1))
    table.add_row(_mark(exposure.open_inbound_ports == 0), "open inbound ports", str(exposure.open_inbound_ports))
    table.add_row(_mark(exposure.security_layers >= 5), "independent layers", f"{exposure.security_layers} (5 or more)")
    table.add_row(
        _mark(exposure.tls_termination_points <= 1), "TLS termination points", str(exposure.tls_termination_points)
    )
    ingress = exposure.centralized_ingress_percent
    table.add_row(_mark(ingress == 100), "centralised ingress", f"{ingress} %")
    for item in exposure.checklist:
        table.add_row(_mark(item.ok), f"{item.number}. {item.item}", Text(item.evidence, style="dim"))
    return table


def _mark(good: bool) -> Text:
    return Text("✔", style="green") if good else Text("✘", style="red")


def _violations(violations: list[Violation]) -> Table:
    table = Table(title="Policy", title_justify="left", box=None, padding=(0, 1), show_header=False)
    for violation in violations:
        style = "red" if violation.blocking else "yellow"
        where = violation.urn.rpartition("::")[2] or "stack"
        table.add_row(Text(violation.level, style), Text(violation.rule, "bold"), where, violation.message)
        if violation.blocking:
            table.add_row("", "", "", Text(violation.remediation, style="dim"))
    return table


def _verdict(preview: Preview) -> Text:
    blocking = sum(violation.blocking for violation in preview.violations)
    advisory = len(preview.violations) - blocking
    if blocking:
        return Text(f"{blocking} violations: this stack may not be deployed.", style="bold red")
    return Text(f"No violation ({advisory} advisory): this stack may be deployed.", style="bold green")
