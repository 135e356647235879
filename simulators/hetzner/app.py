"""The whole API. Tokens and limits: https://docs.hetzner.cloud/reference/cloud#getting-started, #rate-limiting"""

from pathlib import Path

from simulators.api import Api, Words
from simulators.call import Call
from simulators.clock import Clock
from simulators.hetzner import (
    actions,
    attachments,
    errors,
    firewalls,
    lookups,
    networks,
    placement_groups,
    primary_ips,
    servers,
    ssh_keys,
    volumes,
)
from simulators.limits import Limit
from simulators.store import Row, Store

PREFIX = "/v1"
TOKEN_LENGTH = 64
READ_ONLY = "readonly"
"""A token that begins so may only read."""
CALLS, PERIOD = 3600, 3600.0
"""Calls of a project in an hour; they come back evenly."""


def _admit(call: Call) -> None:
    if len(call.token) != TOKEN_LENGTH:
        raise errors.error(401, "unauthorized", "unable to authenticate")
    if call.method != "GET" and call.token.startswith(READ_ONLY):
        raise errors.error(403, "token_readonly", "token is only allowed to perform GET requests")


def _headers(limit: Limit) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(limit.size),
        "RateLimit-Remaining": str(limit.remaining),
        "RateLimit-Reset": str(round(limit.full_at)),
    }


def _watched(store: Store) -> Row:
    """What decides who reaches a server: its addresses, its firewalls, and their rules."""
    walls = {key: {"name": row["name"], "rules": row["rules"]} for key, row in store.table("firewalls").items()}
    machines = {
        key: {"name": row["name"], "status": row["status"], "firewalls": list(row["_firewalls"])}
        for key, row in store.table("servers").items()
    }
    return {"firewalls": walls, "servers": machines}


WORDS = Words(
    invalid=errors.invalid_body,
    malformed=lambda: errors.error(400, "json_error", "Invalid JSON input in your request"),
    unknown_path=lambda: errors.error(404, "not_found", "not a path of the API, or not simulated"),
    server_error=lambda: errors.error(500, "server_error", "Error within the API backend"),
    rate_limited=errors.rate_limited,
    headers=_headers,
)


def api(file: Path | None = None, calls: int = CALLS) -> Api:
    """A project in which nothing is. With a ``file`` it survives the process."""
    clock = Clock()
    parts = (
        actions,
        lookups,
        ssh_keys,
        placement_groups,
        primary_ips,
        firewalls,
        networks,
        volumes,
        servers,
        attachments,
    )
    return Api(
        prefix=PREFIX,
        routes=[route for part in parts for route in part.ROUTES],
        words=WORDS,
        admit=_admit,
        settle=actions.settle,
        watched=_watched,
        seed=lambda _: None,
        limit=Limit(calls, PERIOD, clock),
        store=Store(file),
        clock=clock,
    )
