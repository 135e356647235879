"""The whole API. Tokens and limits: https://developers.cloudflare.com/fundamentals/api, get-started and reference."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.api import Api, Words
from simulators.call import Answer, Call, RefusedError, Route
from simulators.clock import Clock
from simulators.cloudflare import access, alerting, dns, lists, r2, rulesets, tunnels, zones
from simulators.cloudflare.envelope import invalid_body, not_found, refusal, result
from simulators.limits import Limit
from simulators.store import Row, Store

PREFIX = "/client/v4"
TOKEN = re.compile(r"^[A-Za-z0-9_-]{40,}$")
READ_ONLY = "readonly"
"""A token that begins so may only read."""
CALLS, PERIOD = 1200, 300.0
"""Calls of a user in five minutes."""


@dataclass(frozen=True)
class Site:
    """A zone that is there from the start, and the account and Zero Trust team that it belongs to."""

    account: str
    zone: str
    domain: str
    team: str
    plan: str = "free"


def _admit(call: Call) -> None:
    """Refuses what is no token, what a token may not do, and accounts and zones that are not there."""
    if not TOKEN.match(call.token):
        raise refusal(400, 6003, "Invalid request headers")
    if call.method != "GET" and call.token.startswith(READ_ONLY):
        raise refusal(403, 10000, "Authentication error")
    kind, _, rest = call.path.lstrip("/").partition("/")
    scope = rest.split("/")[0]
    if kind in ("accounts", "zones") and scope and scope not in call.store.table(kind):
        raise not_found()


def _verify(_: Call) -> Answer:
    """Every token that is admitted is active."""
    return result({"id": "0" * 32, "status": "active", "expires_on": None, "not_before": None})


def _headers(limit: Limit) -> dict[str, str]:
    return {
        "Ratelimit": f'"default";r={limit.remaining};t={limit.wait}',
        "Ratelimit-Policy": f'"default";q={limit.size};w={round(limit.period)}',
    }


def _rate_limited(seconds: int) -> RefusedError:
    message = "Please wait and consider throttling your request speed"
    return refusal(429, 971, message, {"Retry-After": str(seconds)})


WORDS = Words(
    invalid=invalid_body,
    malformed=lambda: refusal(400, 9207, "Request body is invalid."),
    unknown_path=lambda: refusal(404, 7000, "No route for that URI, or it is not simulated"),
    server_error=lambda: refusal(500, 10013, "Internal server error"),
    rate_limited=_rate_limited,
    headers=_headers,
)


def _watched(store: Store) -> Row:
    """What decides who reaches what: names, what a tunnel does with them, who asks for a login, and public buckets."""
    records = {row["name"]: [row["type"], row.get("content"), row["proxied"]] for row in _living(store, dns.TABLE)}
    ingress = {row["name"]: (row["_config"] or {}).get("ingress", []) for row in _living(store, tunnels.TABLE)}
    guarded = {row["domain"]: [policy["id"] for policy in row["policies"]] for row in _living(store, access.APPS)}
    public = sorted(row["name"] for row in _living(store, r2.TABLE) if row["_public"])
    return {"records": records, "ingress": ingress, "guarded": guarded, "public_buckets": public}


def _living(store: Store, table: str) -> list[Row]:
    return [row for row in store.table(table).values() if row.get("deleted_at") is None]


def _seed(sites: Sequence[Site], store: Store) -> None:
    """Accounts and zones, which the program finds and does not make."""
    for site in sites:
        account = {"id": site.account, "name": site.team, "team": site.team}
        store.table("accounts").setdefault(site.account, account)
        store.table("zones").setdefault(site.zone, zones.new(account, site.zone, site.domain, site.plan))


def api(sites: Sequence[Site], file: Path | None = None, calls: int = CALLS) -> Api:
    """Accounts with nothing in their zones. With a ``file`` they survive the process."""
    clock = Clock()
    parts = (tunnels, dns, access, zones, rulesets, lists, alerting, r2)
    made = Api(
        prefix=PREFIX,
        routes=[Route("GET", "/user/tokens/verify", _verify), *(route for part in parts for route in part.ROUTES)],
        words=WORDS,
        admit=_admit,
        settle=lists.settle,
        watched=_watched,
        seed=lambda store: _seed(sites, store),
        limit=Limit(calls, PERIOD, clock),
        store=Store(file),
        clock=clock,
    )
    made.seed(made.store)
    return made
