"""Notifications: https://developers.cloudflare.com/api/resources/alerting/subresources/policies."""

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.cloudflare.collection import drop, get, keep, reading
from simulators.cloudflare.envelope import refusal, result
from simulators.cloudflare.requests import Alert
from simulators.store import Row

TABLE = "notification_policies"
PATH = "/accounts/{scope}/alerting/v3/policies"
TYPES = {
    "expiring_service_token_alert",
    "health_check_status_notification",
    "incident_alert",
    "tunnel_health_event",
    "tunnel_update_event",
    "universal_ssl_event_type",
}
"""A part of the API's types."""


def _values(call: Call) -> Row:
    asked = call.read(Alert)
    if asked.alert_type not in TYPES:
        raise refusal(400, 1004, f"alert_type: {asked.alert_type} is unknown, or not simulated")
    sent = asked.sent()
    return {**sent, "mechanisms": {key: value for key, value in sent["mechanisms"].items() if value}}


def _create(call: Call) -> Answer:
    """Answers the id alone, as the API does."""
    now = call.clock.stamp()
    row = keep(call, TABLE, {"id": ids.hexadecimal(call.store), **_values(call), "created": now, "modified": now})
    return result({"id": row["id"]})


def _update(call: Call) -> Answer:
    row = get(call, TABLE)
    row.update(_values(call), modified=call.clock.stamp())
    return result({"id": row["id"]})


def _delete(call: Call) -> Answer:
    drop(call, TABLE)
    return result(None)


ROUTES = [
    Route("POST", PATH, _create),
    *reading(PATH, TABLE),
    Route("PUT", f"{PATH}/{{id}}", _update),
    Route("DELETE", f"{PATH}/{{id}}", _delete),
]
