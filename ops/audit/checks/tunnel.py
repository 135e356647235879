"""The tunnels, as Cloudflare has them now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.audit import cloud
from ops.audit.checks.front import ingress
from ops.audit.live import Live
from ops.audit.result import Check, Result, judged

CONFIG = "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig"
Rule = tuple[str, str, bool]
"""Host (empty: the rest), service, and whether the connector itself asks for Access' token."""


@dataclass(frozen=True)
class Tunnel:
    """``connectors`` are the number of connections of each connector; ``wanted`` is how many the program starts:
    the host's service, or the containers. Another one is somebody else with the token."""

    role: str
    status: str
    config_src: str
    connectors: tuple[int, ...]
    wanted: int = 1


def judge_tunnels(found: Sequence[Tunnel]) -> Result:
    """Each is healthy, is configured at Cloudflare, and has as many connectors as the program starts."""
    seen = "; ".join(
        f"{tunnel.role}: {tunnel.status}, {len(tunnel.connectors)} connectors, {sum(tunnel.connectors)} connections"
        for tunnel in found
    )
    return judged(seen, [problem for tunnel in found for problem in _tunnel(tunnel)])


def _tunnel(tunnel: Tunnel) -> Iterator[str]:
    if tunnel.status != "healthy":
        yield f"{tunnel.role} tunnel is {tunnel.status}"
    if tunnel.config_src != "cloudflare":
        yield f"{tunnel.role} tunnel is configured where its connector runs"
    if len(tunnel.connectors) != tunnel.wanted:
        yield f"{tunnel.role} tunnel has {len(tunnel.connectors)} connectors, not {tunnel.wanted}"


def _measure(live: Live, role: str, identity: str) -> Tunnel:
    path = f"/accounts/{live.zone.account_id}/cfd_tunnel/{identity}"
    found = cloud.read(live.cloudflare, path)["result"]
    if found.get("deleted_at"):
        return Tunnel(role, "deleted", str(found.get("config_src")), ())
    clients = cloud.read(live.cloudflare, f"{path}/connections").get("result") or []
    counts = tuple(len(client.get("conns") or []) for client in clients)
    cluster = live.topology.cluster
    wanted = cluster.gateways if cluster and role == "app" else 1
    return Tunnel(role, str(found.get("status")), str(found.get("config_src")), counts, wanted)


def _tunnels(live: Live) -> Result:
    return judge_tunnels([_measure(live, role, identity) for role, identity in live.tunnels.items()])


def judge_ingress(found: Mapping[str, Sequence[Rule]], planned: Mapping[str, Sequence[Rule]], gateway: str) -> Result:
    """Rules by tunnel, in order. Its value is the share of web entrances that lead to the gateway, in whole percent."""
    problems = [
        f"{role} tunnel: {_told(rule)} is not in the program"
        for role in found
        for rule in found[role]
        if rule not in planned[role]
    ]
    problems += [
        f"{role} tunnel: {_told(rule)} is missing"
        for role in found
        for rule in planned[role]
        if rule not in found[role]
    ]
    if not problems and any(list(found[role]) != list(planned[role]) for role in found):
        problems.append("the rules are in another order than in the program")
    web = [rule for rules in found.values() for rule in rules if rule[1].startswith(("http://", "https://"))]
    share = 100 * sum(rule[1] == gateway for rule in web) // len(web) if web else 0
    return judged(
        f"{sum(map(len, found.values()))} rules, {share} % of web entrances lead to the gateway", problems, share
    )


def _told(rule: Rule) -> str:
    host, service, guarded = rule
    return f"{host or 'any other host'} → {service}{' with' if guarded else ' without'} Access"


def rule(entry: Mapping[str, Any]) -> Rule:
    """One rule, as the API or the program has it."""
    access = (entry.get("originRequest") or {}).get("access") or {}
    return str(entry.get("hostname") or ""), str(entry["service"]), bool(access.get("required"))


def _ingress(live: Live) -> Result:
    live.cloud_only()
    configs = {found.name: found.props["config"]["ingresses"] for found in live.recording.of_type(CONFIG)}
    tunnels = live.tunnels
    planned = {role: [rule(each) for each in configs[f"tunnel-{role.replace(' ', '-')}-config"]] for role in tunnels}
    found = {role: [rule(entry) for entry in ingress(live, identity)] for role, identity in tunnels.items()}
    return judge_ingress(found, planned, live.topology.gateway_url)


def judge_notifications(policies: Sequence[Mapping[str, Any]], tunnels: Sequence[str]) -> Result:
    """Somebody is told when a tunnel goes down."""
    telling = [
        policy
        for policy in policies
        if policy.get("alert_type") == "tunnel_health_event"
        and policy.get("enabled")
        and any((policy.get("mechanisms") or {}).values())
    ]
    told = {each for policy in telling for each in (policy.get("filters") or {}).get("tunnel_id", [])}
    told |= {each for policy in telling for each in (policy.get("filters") or {}).get("tunnel_ids", [])}
    problems = [f"nobody is told when tunnel {each} goes down" for each in tunnels if each not in told]
    return judged(f"{len(telling)} of {len(policies)} notifications are about tunnels, and reach somebody", problems)


def _notifications(live: Live) -> Result:
    body = cloud.read(live.cloudflare, f"/accounts/{live.zone.account_id}/alerting/v3/policies")
    return judge_notifications(body.get("result") or [], list(live.tunnels.values()))


CHECKS = (
    Check(
        "tunnels",
        (1,),
        "Every tunnel is healthy, with exactly the connectors that the program starts.",
        "tunnel",
        "Down: docs/runbook.md. One connector too many: somebody has the token. Replace the tunnel's secret at once.",
        _tunnels,
    ),
    Check(
        "tunnel-ingress",
        (1, 9),
        "The tunnels serve what the program says, in its order, with Access where it says so, and nothing else.",
        "tunnel",
        "Run `pulumi up`, and find out who changed it in the dashboard.",
        _ingress,
    ),
    Check(
        "tunnel-alert",
        (10,),
        "Cloudflare tells somebody when a tunnel goes down.",
        "operations",
        "Run `pulumi up`; put somebody into operators.emails.",
        _notifications,
    ),
)
