"""What answers at the server's addresses, and what the provider lets through."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.audit import cloud
from ops.audit.cloud import Address
from ops.audit.live import Live
from ops.audit.result import Check, NotMeasuredError, Result, judged
from ops.audit.scan import TRIED, Protocol, Scan
from topology.model import Cluster

CONTROL_PORTS = (8443, 2053, 2087)
"""The edge takes connections on these for every proxied name. Where none gets through, packets to unusual ports do not
leave this network, and silence would prove nothing.
Source: https://developers.cloudflare.com/fundamentals/reference/network-ports/"""


def judge_scans(scans: Sequence[Scan], blind: Mapping[str, str]) -> Result:
    """``blind``: address → why silence there proves nothing from here. What was found counts all the same."""
    problems = [problem for scan in scans for problem in _answered(scan)]
    seen = "; ".join(
        f"{scan.address}: {scan.tried} {scan.protocol.upper()} ports tried, {len(scan.open)} open, "
        f"{scan.closed} closed, the rest silent"
        for scan in scans
    )
    count = sum(len(scan.open) for scan in scans)
    missing = [f"{scan.address}: only {scan.tried} ports were tried" for scan in scans if not scan.complete]
    missing += [f"{address}: {why}" for address, why in blind.items()]
    if missing and not problems:
        return Result("not measured", (*((seen,) if seen else ()), *missing), count or None)
    return judged(seen, [*problems, *missing], count)


def _answered(scan: Scan) -> Iterator[str]:
    if scan.open:
        yield f"{scan.address}: {scan.protocol} open: {', '.join(map(str, scan.open))}"
    if scan.closed:
        yield f"{scan.address}: {scan.closed} {scan.protocol} ports answer that they are closed: nothing drops that"


def _scan(live: Live, protocol: Protocol) -> Result:
    if any(not server.addresses for server in live.servers.values()):
        raise NotMeasuredError("the API names no public address of a server")
    blind = {str(address): why for address in live.addresses if (why := _blind(live, address, protocol))}
    seeing = [address for address in live.addresses if str(address) not in blind]
    return judge_scans([live.scanner.scan(protocol, address) for address in seeing], blind)


def _blind(live: Live, address: Address, protocol: Protocol) -> str:
    """Why a scan from here would see nothing, whatever is open; nothing where it would."""
    hosts = live.topology.visitor_hosts or live.topology.admin_hosts
    edges = [found for host in hosts[:1] for found in live.web.resolve(host) if found.version == address.version]
    if not edges:
        return f"no public name has an IPv{address.version} address to try the way out with"
    if protocol == "udp":
        passes = any(live.web.speaks_udp(edge) for edge in edges)
    else:
        passes = any(live.web.reaches(edge, CONTROL_PORTS) for edge in edges)
    return "" if passes else f"from here no {protocol.upper()} gets out by IPv{address.version} to unusual ports"


def judge_firewalls(attached: Mapping[str, Mapping[int, str]], firewalls: Sequence[Mapping[str, Any]]) -> Result:
    """``attached``: server, for a person → id → status there. ``firewalls``: each as the API has it."""
    problems = []
    for server, statuses in attached.items():
        problems += [f"firewall {each} is {status} on {server}" for each, status in statuses.items()
                     if status != "applied"]  # fmt: skip
        if not statuses:
            problems.append(f"no firewall is applied to {server}")
    for firewall in firewalls:
        inbound = [rule for rule in firewall["rules"] if rule.get("direction") != "out"]
        problems += [
            f"firewall {firewall['id']} lets in {rule.get('protocol')} {rule.get('port') or 'all ports'}"
            for rule in inbound
        ]
    rules = sum(len(firewall["rules"]) for firewall in firewalls)
    return judged(f"{len(firewalls)} firewalls on {len(attached)} servers, {rules} rules in force", problems)


def _firewalls(live: Live) -> Result:
    attached = {machine or "the server": server.firewalls for machine, server in live.servers.items()}
    used = sorted({each for statuses in attached.values() for each in statuses})
    return judge_firewalls(attached, [cloud.read(live.hetzner, f"/firewalls/{each}")["firewall"] for each in used])


def _tcp(live: Live) -> Result:
    return _scan(live, "tcp")


def _udp(live: Live) -> Result:
    return _scan(live, "udp")


def judge_private(found: Mapping[str, Sequence[Mapping[str, Any]]], planned: Mapping[str, str]) -> Result:
    """``found``: machine → its private networks. ``planned``: machine → its address on the Swarm's; none for a server
    alone, since the provider's firewall does not filter private networks (hcloud docs)."""
    problems = []
    joined: set[object] = set()
    for machine, nets in found.items():
        where = f"{machine}: " if machine else ""
        own = [net.get("network") for net in nets if machine in planned and net.get("ip") == planned[machine]]
        others = [net.get("network") for net in nets if net.get("network") not in own]
        problems += [f"{where}attached to private network {net}, which no firewall filters" for net in others]
        if machine in planned and not own:
            problems.append(f"{where}has not its address {planned[machine]} among the machines")
        joined.update(own)
    if len(joined) > 1:
        problems.append(f"the machines are on {len(joined)} networks, not on one")
    return judged(f"{sum(map(len, found.values()))} private networks", problems)


def _private(live: Live) -> Result:
    found = {
        machine: cloud.read(live.hetzner, f"/servers/{server.id}")["server"].get("private_net")
        for machine, server in live.servers.items()
    }
    if None in found.values():
        raise NotMeasuredError("the API does not say which private networks a server has")
    return judge_private(found, planned_private(live.topology.cluster))


def planned_private(cluster: Cluster | None) -> dict[str, str]:
    """Machine → its address on the provider's private network; none where WireGuard stands in its place."""
    if cluster is None or cluster.is_mesh:
        return {}
    return {each.name: str(each.address) for each in cluster.machines}


_CLOSE = "Remove the rule or stop what listens; look for what opened it by hand, and run `pulumi up`."
CHECKS = (
    Check(
        "tcp-scan",
        (1,),
        f"No address of a server answers on any of {TRIED['tcp']} TCP ports.",
        "perimeter",
        _CLOSE,
        _tcp,
    ),
    Check(
        "udp-scan",
        (1,),
        f"No address of a server answers on the {TRIED['udp']} most used UDP ports.",
        "perimeter",
        _CLOSE,
        _udp,
    ),
    Check(
        "provider-firewall",
        (1,),
        "The provider's firewall is applied to every server and lets nothing in, as the provider has it now.",
        "perimeter",
        "Emptying a firewall's rules in place may leave them in force: delete that firewall whole, then `pulumi up`.",
        _firewalls,
    ),
    Check(
        "private-networks",
        (1,),
        "A server is on no private network of the provider's, which its firewall would not filter, but a Swarm's own.",
        "perimeter",
        "Detach the server from the network.",
        _private,
    ),
)
