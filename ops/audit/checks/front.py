"""What a visitor's browser meets: TLS, redirects, headers."""

import re
import secrets
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from components.gateway.render import FINGERPRINTS
from ops.audit import cloud
from ops.audit.cloud import Address
from ops.audit.live import Live
from ops.audit.result import Check, NotApplicableError, NotMeasuredError, Result, judged
from ops.audit.web import Answer
from policy.rules.checklist import HEADERS

VERSIONS: Final = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
OLDEST: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
DAYS_LEFT = 14
"""The edge renews its certificates 30 days before they end: with fewer left, renewal fails."""
HALF_A_YEAR = 15_552_000
DAY = 86_400


@dataclass(frozen=True)
class Tls:
    """What one host speaks. ``problem`` is why its certificate is not to be trusted; ``days`` is None then."""

    host: str
    accepted: tuple[ssl.TLSVersion, ...]
    days: int | None
    problem: str = ""


def judge_tls(found: Sequence[Tls], oldest: ssl.TLSVersion) -> Result:
    """``oldest``: the stack's own setting."""
    seen = "; ".join(
        f"{tls.host}: {', '.join(version.name for version in tls.accepted) or 'no version'}, "
        f"certificate {'good for ' + str(tls.days) + ' days' if tls.days is not None else 'not good'}"
        for tls in found
    )
    return judged(seen, [problem for tls in found for problem in _tls(tls, oldest)])


def _tls(tls: Tls, oldest: ssl.TLSVersion) -> Iterator[str]:
    for version in tls.accepted:
        if version < oldest:
            yield f"{tls.host} accepts {version.name}"
    if not any(version >= oldest for version in tls.accepted):
        yield f"{tls.host} accepts no version from {oldest.name} on"
    if tls.problem:
        yield f"{tls.host}: {tls.problem}"
    if tls.days is not None and tls.days < DAYS_LEFT:
        yield f"{tls.host}: the certificate ends in {tls.days} days"


def _measure_tls(live: Live) -> Result:
    live.cloud_only()
    found = [_look(live, host) for host in (*live.topology.hosts, *live.ssh_hosts)]
    return judge_tls(found, OLDEST[live.settings.edge.min_tls])


def _look(live: Live, host: str) -> Tls:
    accepted = tuple(version for version in VERSIONS if live.web.accepts(host, version))
    try:
        ends = str(live.web.certificate(host).get("notAfter", ""))
    except ssl.SSLCertVerificationError as error:
        return Tls(host, accepted, None, f"the certificate is not good: {error.verify_message}")
    except ssl.SSLError as error:
        return Tls(host, accepted, None, f"no browser gets through: {error.reason}")
    return Tls(host, accepted, int((ssl.cert_time_to_seconds(ends) - time.time()) // DAY))


def judge_termination(
    found: Mapping[str, tuple[Sequence[Address], Answer]], edge: Sequence[str], encrypted: Sequence[str]
) -> Result:
    """``found``: host → where it leads and what it answers. ``edge``: the edge's networks. ``encrypted``: services
    behind the tunnels that speak TLS themselves."""
    networks = [ip_network(text) for text in edge]
    elsewhere = {
        host: address
        for host, (addresses, _) in found.items()
        for address in addresses
        if not any(address in network for network in networks if network.version == address.version)
    }
    direct = [host for host, (_, answer) in found.items() if "cf-ray" not in answer.headers and host not in elsewhere]
    problems = [f"{host} leads to {address}, which is not the edge's" for host, address in elsewhere.items()]
    problems += [f"{host}: the answer has not passed the edge" for host in direct]
    problems += [f"{service}: speaks TLS behind the tunnel" for service in encrypted]
    points = 1 + len(elsewhere) + len(direct) + len(encrypted)
    return judged(f"{points} places where TLS ends; {len(found)} hosts looked at", problems, points)


def _termination(live: Live) -> Result:
    ranges = cloud.read(live.cloudflare, "/ips")["result"]
    found = {host: (live.web.resolve(host), live.web.get(host)) for host in live.topology.hosts}
    services = [rule.get("service", "") for tunnel in live.tunnels.values() for rule in ingress(live, tunnel)]
    encrypted = [service for service in services if urlsplit(service).scheme == "https"]
    return judge_termination(found, [*ranges["ipv4_cidrs"], *ranges["ipv6_cidrs"]], encrypted)


def ingress(live: Live, tunnel: str) -> list[dict[str, str]]:
    """What a tunnel serves, as Cloudflare has it now. ``tunnel``: its id."""
    path = f"/accounts/{live.zone.account_id}/cfd_tunnel/{tunnel}/configurations"
    return list((cloud.read(live.cloudflare, path)["result"].get("config") or {}).get("ingress") or [])


def judge_redirects(found: Mapping[str, Answer]) -> Result:
    """``found``: host → its answer to plain HTTP."""
    problems = [
        f"{host}: HTTP {answer.status}, not a redirect to https://{host}/"
        for host, answer in found.items()
        if answer.status not in (301, 308) or not answer.headers.get("location", "").startswith(f"https://{host}/")
    ]
    return judged(f"{len(found)} hosts asked by plain HTTP", problems)


def _redirects(live: Live) -> Result:
    return judge_redirects({host: live.web.get(host, plain=True) for host in visitor_hosts(live)})


def judge_headers(found: Mapping[str, Answer]) -> Result:
    """``found``: what was asked for → the answer."""
    problems = [f"{place}: {problem}" for place, answer in found.items() for problem in _headers(answer.headers)]
    return judged(f"{len(found)} answers looked at, errors among them", problems)


def _headers(headers: Mapping[str, str]) -> Iterator[str]:
    missing = [name for name in HEADERS if not headers.get(name)]
    if missing:
        yield f"without {', '.join(missing)}"
    lasts = re.search(r"max-age=(\d+)", headers.get("strict-transport-security", "max-age=0"))
    if "strict-transport-security" not in missing and (lasts is None or int(lasts[1]) < HALF_A_YEAR):
        yield "strict-transport-security for less than half a year"
    if headers.get("x-frame-options", "DENY").upper() not in ("DENY", "SAMEORIGIN"):
        yield f"x-frame-options: {headers['x-frame-options']}"
    if headers.get("referrer-policy") == "unsafe-url":
        yield "referrer-policy: unsafe-url"
    told = [name for name in FINGERPRINTS if name.lower() in headers]
    if headers.get("server", "cloudflare") != "cloudflare":
        told.append("Server")
    if told:
        yield f"names its software: {', '.join(told)}"


def _measure_headers(live: Live) -> Result:
    hosts = live.topology.visitor_hosts
    if not hosts:
        raise NotApplicableError("no host for visitors in this stack")
    absent = f"/{secrets.token_hex(8)}"
    found = {f"{host}{path}": _asked(live, host, path) for host in hosts for path in ("/", absent)}
    return judge_headers({place.replace(absent, "/(no such path)"): answer for place, answer in found.items()})


def _asked(live: Live, host: str, path: str) -> Answer:
    if live.settings.target == "local":
        where = urlsplit(str(live.output("gateway")))
        if live.settings.tunnel.local != "none":
            raise NotMeasuredError("behind a quick tunnel the gateway answers the connector alone")
        return live.web.get(host, path, plain=True, address=ip_address(str(where.hostname)), port=where.port)
    answer = live.web.get(host, path)
    if answer.headers.get("cf-mitigated"):
        raise NotMeasuredError(f"the edge answers {host} with a challenge: this address looks like a robot's to it")
    return answer


def visitor_hosts(live: Live) -> tuple[str, ...]:
    """Public hosts for everyone. Raises ``NotApplicableError`` where there are none."""
    live.cloud_only()
    if not live.topology.visitor_hosts:
        raise NotApplicableError("no host for visitors in this stack")
    return live.topology.visitor_hosts


CHECKS = (
    Check(
        "tls",
        (5,),
        "Every public host speaks the TLS versions that the stack file asks for and no older one, with a certificate "
        "in its own name that is good for two more weeks.",
        "edge",
        "Set min_tls_version in the zone by `pulumi up`; look at the zone's edge certificates at Cloudflare.",
        _measure_tls,
    ),
    Check(
        "tls-termination",
        (5,),
        "Visitors' TLS ends in one place: every public host leads to the edge, and nothing behind it speaks TLS.",
        "edge",
        "Let the name lead to the tunnel, proxied; let the tunnel lead to the gateway by HTTP.",
        _termination,
    ),
    Check(
        "https-redirect",
        (5,),
        "Plain HTTP is answered with a redirect to HTTPS on the same host.",
        "edge",
        "Set always_use_https in the zone by `pulumi up`.",
        _redirects,
    ),
    Check(
        "security-headers",
        (6,),
        "Every answer to visitors carries the security headers, errors too, and names no software.",
        "gateway",
        "Look for what answers in the gateway's place, or at Cloudflare for a rule that changes headers.",
        _measure_headers,
    ),
)
