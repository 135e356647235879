"""Whether a stranger can tell an admin route from one that is not there."""

import ipaddress
import re
import secrets
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ops.audit import cloud
from ops.audit.live import Live
from ops.audit.result import Check, NotApplicableError, NotMeasuredError, Result, judged
from ops.audit.web import Answer

VOLATILE = frozenset(
    {"date", "cf-ray", "x-request-id", "report-to", "nel", "age", "set-cookie", "expires", "content-length"}
)
"""Headers whose values differ from one answer to the next, or follow from the body, which is compared without names.
That they are there still counts."""


@dataclass(frozen=True)
class Pair:
    """An admin route, and one like it that does not exist: each a place with the answer that a stranger gets."""

    admin: str
    admin_answer: Answer
    absent: str
    absent_answer: Answer


def judge_pairs(pairs: Sequence[Pair]) -> Result:
    """Each pair has to be alike in status, headers and body, but for its own names."""
    return judged(f"{len(pairs)} admin routes compared with absent ones", [p for pair in pairs for p in _differs(pair)])


def _differs(pair: Pair) -> Iterator[str]:
    one, other = pair.admin_answer, pair.absent_answer
    if one.status != other.status:
        yield f"{pair.admin}: HTTP {one.status}, an absent one {other.status}"
        return
    headers, others = _plain_headers(one, pair.admin), _plain_headers(other, pair.absent)
    telling = sorted(name for name in {*headers, *others} if headers.get(name) != others.get(name))
    if telling:
        yield f"{pair.admin}: differs from an absent one in {', '.join(telling)}"
    if _plain(one.body, one, pair.admin) != _plain(other.body, other, pair.absent):
        yield f"{pair.admin}: has another body than an absent one"


def _plain_headers(answer: Answer, place: str) -> dict[str, str]:
    return {name: "" if name in VOLATILE else _plain(value, answer, place) for name, value in answer.headers.items()}


def _plain(text: str, answer: Answer, place: str) -> str:
    """Without what repeats the request, and without the numbers that the edge and the gateway give each answer."""
    host, slash, path = place.partition("/")
    ray = answer.headers.get("cf-ray", "").partition("-")[0]
    own = [place, host, slash + path if path else "", ray, answer.headers.get("x-request-id", "")]
    for word in sorted(filter(None, own), key=len, reverse=True):
        text = text.replace(word, "*")
    return text


def places(live: Live) -> Iterator[tuple[str, str]]:
    """Each admin route with an absent one of the same length."""
    for host in live.topology.admin_hosts:
        label, _, rest = host.partition(".")
        yield f"{host}/", (f"{_random(len(label))}.{rest}/" if host != live.settings.domain else "")
    for upstream in live.topology.upstreams:
        route = upstream.route
        if route.admin and route.host in live.topology.visitor_hosts:
            yield f"{route.host}{route.path}", f"{route.host}/{_random(len(route.path) - 1)}"


def _random(length: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(max(length, 4)))


def _invisible(live: Live) -> Result:
    live.cloud_only()
    wanted = [(admin, absent) for admin, absent in places(live) if absent]
    if not wanted:
        raise NotApplicableError("no admin route in this stack")
    own = _own_address(live, (live.topology.visitor_hosts or live.topology.admin_hosts)[0])
    if any(own in ipaddress.ip_network(network) for network in live.settings.operators.networks):
        raise NotMeasuredError(f"{own} is within operators.networks: only a stranger can tell. Run it from elsewhere")
    return judge_pairs([Pair(admin, _get(live, admin), absent, _get(live, absent)) for admin, absent in wanted])


def _get(live: Live, place: str) -> Answer:
    host, slash, path = place.partition("/")
    return live.web.get(host, f"{slash}{path}")


def _own_address(live: Live, host: str) -> cloud.Address:
    """This machine's address as the edge sees it: every proxied name answers this path."""
    found = re.search(r"^ip=(\S+)$", live.web.get(host, "/cdn-cgi/trace").body, re.MULTILINE)
    if found is None:
        raise NotMeasuredError("the edge does not say from which address this comes")
    return ipaddress.ip_address(found[1])


def judge_access(hosts: Sequence[str], applications: Sequence[Mapping[str, object]]) -> Result:
    """Each host that is not for visitors has an Access application that asks everyone who they are."""
    guarded = {str(found.get("domain", "")).rstrip("/"): found for found in applications}
    problems = [f"{host}: no Access application" for host in hosts if host not in guarded]
    problems += [problem for host in hosts if host in guarded for problem in _policies(host, guarded[host])]
    return judged(f"{len(hosts)} hosts that are not for visitors, {len(applications)} applications", problems)


def _policies(host: str, application: Mapping[str, object]) -> Iterator[str]:
    policies = application.get("policies") or []
    assert isinstance(policies, list)  # noqa: S101 - Cloudflare's schema
    for policy in policies:
        if "decision" not in policy:
            yield f"{host}: a policy that does not say what it decides"
        elif policy["decision"] == "bypass":
            yield f"{host}: a policy lets everyone pass by"
        elif any("everyone" in rule for rule in policy.get("include") or []):
            yield f"{host}: a policy takes everyone"


def _access(live: Live) -> Result:
    applications = list(cloud.pages(live.cloudflare, f"/accounts/{live.zone.account_id}/access/apps"))
    return judge_access([*live.topology.admin_hosts, *live.ssh_hosts], applications)


CHECKS = (
    Check(
        "admin-invisible",
        (),
        "A stranger gets the same answer for an admin route as for one that does not exist.",
        "admin",
        "Look at the edge's first firewall rule, and at what the service answers (docs/adr/0030, docs/adr/0011).",
        _invisible,
    ),
    Check(
        "access",
        (),
        "SSH and admin hosts are behind Access, whose policies ask for an identity.",
        "admin",
        "Run `pulumi up`: it makes applications and policies as the stack file says.",
        _access,
    ),
)
