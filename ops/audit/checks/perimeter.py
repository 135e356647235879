"""What answers at the server's addresses, and what the provider lets through."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.audit import cloud
from ops.audit.cloud import Address
from ops.audit.live import Live
from ops.audit.result import Check, NotMeasuredError, Result, judged
from ops.audit.scan import TRIED, Protocol, Scan

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
    if not live.server.addresses:
        raise NotMeasuredError("the API names no public address of the server")
    blind = {str(address): why for address in live.server.addresses if (why := _blind(live, address, protocol))}
    seeing = [address for address in live.server.addresses if str(address) not in blind]
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


def judge_firewalls(attached: Mapping[int, str], firewalls: Sequence[Mapping[str, Any]]) -> Result:
    """``attached``: id → status on the server. ``firewalls``: each as the API has it."""
    problems = [f"firewall {identity} is {status} on the server" for identity, status in attached.items()
                if status != "applied"]  # fmt: skip
    if not attached:
        problems.append("no firewall is applied to the server")
    for firewall in firewalls:
        inbound = [rule for rule in firewall["rules"] if rule.get("direction") != "out"]
        problems += [
            f"firewall {firewall['id']} lets in {rule.get('protocol')} {rule.get('port') or 'all ports'}"
            for rule in inbound
        ]
    rules = sum(len(firewall["rules"]) for firewall in firewalls)
    return judged(f"{len(attached)} firewalls on the server, {rules} rules in force", problems)


def _firewalls(live: Live) -> Result:
    attached = live.server.firewalls
    return judge_firewalls(attached, [cloud.read(live.hetzner, f"/firewalls/{each}")["firewall"] for each in attached])


def _tcp(live: Live) -> Result:
    return _scan(live, "tcp")


def _udp(live: Live) -> Result:
    return _scan(live, "udp")


def _private(live: Live) -> Result:
    """The provider's firewall does not filter private networks (hcloud docs), so the server has none."""
    found = cloud.read(live.hetzner, f"/servers/{live.server.id}")["server"].get("private_net")
    if found is None:
        raise NotMeasuredError("the API does not say which private networks the server has")
    problems = [f"attached to private network {net.get('network')}, which no firewall filters" for net in found]
    return judged(f"{len(found)} private networks", problems)


_CLOSE = "Remove the rule or stop what listens; look for what opened it by hand, and run `pulumi up`."
CHECKS = (
    Check(
        "tcp-scan",
        (1,),
        f"No address of the server answers on any of {TRIED['tcp']} TCP ports.",
        "perimeter",
        _CLOSE,
        _tcp,
    ),
    Check(
        "udp-scan",
        (1,),
        f"No address of the server answers on the {TRIED['udp']} most used UDP ports.",
        "perimeter",
        _CLOSE,
        _udp,
    ),
    Check(
        "provider-firewall",
        (1,),
        "The provider's firewall is applied to the server and lets nothing in, as the provider has it now.",
        "perimeter",
        "Emptying a firewall's rules in place may leave them in force: delete that firewall whole, then `pulumi up`.",
        _firewalls,
    ),
    Check(
        "private-networks",
        (1,),
        "The server is on no private network of the provider's, which its firewall would not filter.",
        "perimeter",
        "Detach the server from the network.",
        _private,
    ),
)
