"""CrowdSec: alive, reading the gateway's log, and heard by the gateway."""

import re
import secrets
import time

from components.gateway.render import METRICS_PORT
from components.intrusion.render import values
from ops.audit.live import Live, name_of
from ops.audit.result import Check, NotMeasuredError, Result, judged
from topology.names import CROWDSEC, GATEWAY, GATEWAY_PORT

LINES, PARSED, ASKED = "cs_syslogsource_hits_total", "cs_parser_hits_ok_total", "cs_lapi_bouncer_requests_total"
UP = "gateway_crowdsec_up"
WITHIN = 15
"""Seconds for a line to get from the gateway into CrowdSec's count."""


def judge_intrusion(before: str, after: str, *gateways: str) -> Result:
    """Measurements in Prometheus' format: CrowdSec's before and after a request to the gateway, and each gateway's."""
    lines, parsed = (total(after, name) - total(before, name) for name in (LINES, PARSED))
    problems = []
    if lines < 1:
        problems.append("CrowdSec did not read the line of a request that was just made")
    elif parsed < 1:
        problems.append("CrowdSec did not understand the line of a request that was just made")
    deaf = sum(not total(gateway, UP) for gateway in gateways)
    if deaf:
        which = "the gateway does" if len(gateways) == 1 else f"{deaf} of {len(gateways)} gateways do"
        problems.append(f"{which} not get CrowdSec's decisions")
    seen = f"{total(after, LINES)} lines of the gateway's log read, the gateway asked {total(after, ASKED)} times"
    return judged(seen, problems)


def total(text: str, name: str) -> int:
    """The sum of a measurement over all its labels."""
    found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", text, re.MULTILINE)
    return int(sum(float(number) for number in found))


def _intrusion(live: Live) -> Result:
    where = values(live.topology, live.settings.intrusion, ()).metrics
    if not where:
        raise NotMeasuredError("CrowdSec tells no measurements in this stack")
    (before,) = (after,) = _metrics(live, CROWDSEC, where)
    _leave_a_line(live)
    deadline = time.monotonic() + WITHIN
    while total(after, PARSED) == total(before, PARSED) and time.monotonic() < deadline:
        time.sleep(0.5)
        (after,) = _metrics(live, CROWDSEC, where)
    return judge_intrusion(before, after, *_metrics(live, GATEWAY, f"127.0.0.1:{METRICS_PORT}"))


def _leave_a_line(live: Live) -> None:
    """One request from a gateway's own container, for a host that nobody has: it is refused, and logged as any other.
    One of them bans nobody. By its address on the ingress network: on a Swarm its name leads to all its networks, and
    the door is open to that one alone."""
    engine, container = live.running(GATEWAY)[0]
    address = container["NetworkSettings"]["Networks"][f"{live.stack}-ingress"]["IPAddress"]
    url = f"http://{address}:{GATEWAY_PORT}/{secrets.token_hex(4)}"
    engine.attempt(name_of(container), "wget", "-q", "-O", "/dev/null", url)


def _metrics(live: Live, node: str, where: str) -> list[str]:
    """Of each of its containers."""
    return [
        engine.execute(name_of(container), "wget", "-q", "-O", "-", f"http://{where}/metrics")
        for engine, container in live.running(node)
    ]


CHECKS = (
    Check(
        "intrusion",
        (7,),
        "CrowdSec runs, reads and understands the gateway's real log, and the gateway has its decisions.",
        "gateway",
        "`docker logs STACK-crowdsec`, and docs/gateway.md.",
        _intrusion,
    ),
)
