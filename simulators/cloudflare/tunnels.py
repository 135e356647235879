"""Tunnels, their configuration, token and connections.

https://developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels/subresources/cloudflared
"""

import base64
import json
import secrets

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.cloudflare.collection import get, keep, rows, shown
from simulators.cloudflare.envelope import page, refusal, result
from simulators.cloudflare.requests import ChangedTunnel, NewTunnel, TunnelConfiguration
from simulators.store import Row

TABLE = "tunnels"
PATH = "/accounts/{scope}/cfd_tunnel"
NAME_TAKEN, ACTIVE_CONNECTIONS, BAD_CONFIGURATION = 1013, 1022, 1056


def _create(call: Call) -> Answer:
    asked = call.read(NewTunnel)
    _refuse_taken(call, asked.name)
    remote = asked.config_src == "cloudflare"
    row = {
        "id": ids.universal(call.store),
        "account_tag": call.match["scope"],
        "name": asked.name,
        "config_src": asked.config_src,
        "remote_config": remote,
        "tun_type": "cfd_tunnel",
        "status": "inactive",
        "connections": [],
        "conns_active_at": None,
        "conns_inactive_at": None,
        "created_at": call.clock.stamp(),
        "deleted_at": None,
        "metadata": {},
        "_secret": asked.tunnel_secret or base64.b64encode(secrets.token_bytes(32)).decode(),
        "_config": None,
        "_version": 0,
    }
    return result(shown(keep(call, TABLE, row)))


def _refuse_taken(call: Call, name: str) -> None:
    if any(row["name"] == name for row in rows(call, TABLE) if row["deleted_at"] is None):
        raise refusal(409, NAME_TAKEN, "You already have a tunnel with this name")


def _list(call: Call) -> Answer:
    named, deleted = call.one("name"), call.one("is_deleted")
    found = [
        row
        for row in rows(call, TABLE)
        if (named is None or row["name"] == named)
        and (deleted is None or (row["deleted_at"] is not None) == (deleted == "true"))
    ]
    return page(call, found, shown)


def _get(call: Call) -> Answer:
    """A deleted tunnel is still answered, with the time of its end."""
    return result(shown(get(call, TABLE)))


def _edit(call: Call) -> Answer:
    row, asked = _living(call), call.read(ChangedTunnel)
    if asked.name and asked.name != row["name"]:
        _refuse_taken(call, asked.name)
        row["name"] = asked.name
    if asked.tunnel_secret:
        row["_secret"] = asked.tunnel_secret
    return result(shown(row))


def _living(call: Call) -> Row:
    row = get(call, TABLE)
    if row["deleted_at"] is not None:
        raise refusal(404, 1003, "Tunnel not found")
    return row


def _delete(call: Call) -> Answer:
    row = _living(call)
    if row["connections"] and call.one("cascade") != "true":
        raise refusal(400, ACTIVE_CONNECTIONS, "Cannot delete tunnel because it has active connections")
    row.update(deleted_at=call.clock.stamp(), connections=[], status="down")
    return result(shown(row))


def _configure(call: Call) -> Answer:
    row, asked = _living(call), call.read(TunnelConfiguration)
    ingress = asked.config.ingress
    if ingress and (ingress[-1].hostname or ingress[-1].path):
        raise refusal(400, BAD_CONFIGURATION, "Bad Configuration: The last ingress rule must match all URLs")
    if any(not (rule.hostname or rule.path) for rule in ingress[:-1]):
        raise refusal(400, BAD_CONFIGURATION, "Bad Configuration: only the last ingress rule may match all URLs")
    row.update(_config=asked.config.sent(), _version=row["_version"] + 1)
    return result(_configuration(row))


def _configuration(row: Row) -> Row:
    return {
        "account_id": row["account_tag"],
        "tunnel_id": row["id"],
        "version": row["_version"],
        "config": row["_config"],
        "source": row["config_src"],
        "created_at": row["created_at"],
    }


def _read_configuration(call: Call) -> Answer:
    return result(_configuration(_living(call)))


def _token(call: Call) -> Answer:
    """What a connector runs with, in the form that it reads."""
    row = _living(call)
    parts = {"a": row["account_tag"], "t": row["id"], "s": row["_secret"]}
    return result(base64.b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode())


def _connections(call: Call) -> Answer:
    """Each connector with its connections."""
    row = _living(call)
    clients = {found["client_id"] for found in row["connections"]}
    return result(
        [{"id": client, "conns": [c for c in row["connections"] if c["client_id"] == client]} for client in clients]
    )


def _disconnect(call: Call) -> Answer:
    row, client = _living(call), call.one("client_id")
    row["connections"] = [found for found in row["connections"] if client not in (None, found["client_id"])]
    return result({})


ROUTES = [
    Route("POST", PATH, _create),
    Route("GET", PATH, _list),
    Route("GET", f"{PATH}/{{id}}", _get),
    Route("PATCH", f"{PATH}/{{id}}", _edit),
    Route("DELETE", f"{PATH}/{{id}}", _delete),
    Route("PUT", f"{PATH}/{{id}}/configurations", _configure),
    Route("GET", f"{PATH}/{{id}}/configurations", _read_configuration),
    Route("GET", f"{PATH}/{{id}}/token", _token),
    Route("GET", f"{PATH}/{{id}}/connections", _connections),
    Route("DELETE", f"{PATH}/{{id}}/connections", _disconnect),
]
