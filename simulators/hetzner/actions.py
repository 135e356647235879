"""Actions: what takes time. https://docs.hetzner.cloud/reference/cloud#actions

An action is "running" until its time is over; then its effect holds, and it is a "success".
"""

from collections.abc import Iterable
from typing import Any

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.clock import Clock
from simulators.hetzner import errors
from simulators.hetzner.collection import listed, shown
from simulators.store import Row, Store

SECONDS = 0.3
"""How long an action takes. Real ones take seconds to minutes; what matters is that no client may skip the waiting."""
Resource = tuple[str, int]
"""Kind and id, such as ``("server", 1)``."""


def start(call: Call, command: str, resources: Iterable[Resource], *effects: Row) -> Row:
    """Begin an action; ``effects`` (``put`` and ``remove``) hold when it ends."""
    action = {
        "id": ids.number(call.store),
        "command": command,
        "status": "running",
        "progress": 0,
        "started": call.clock.stamp(),
        "finished": None,
        "resources": [{"type": kind, "id": number} for kind, number in resources],
        "error": None,
        "_ends": call.clock.now() + SECONDS,
        "_effects": list(effects),
    }
    call.store.table("actions")[str(action["id"])] = action
    return shown(action)


def put(table: str, number: int, **values: Any) -> Row:  # noqa: ANN401 - any JSON
    """An effect: these values hold then."""
    return {"table": table, "id": str(number), "values": values}


def remove(table: str, number: int) -> Row:
    """An effect: it is gone then."""
    return {"table": table, "id": str(number), "values": None}


def settle(store: Store, clock: Clock) -> None:
    """End every action whose time is over."""
    for action in store.table("actions").values():
        if action["status"] == "running" and action["_ends"] <= clock.now():
            for effect in action["_effects"]:
                _apply(store, effect)
            action.update(status="success", progress=100, finished=clock.stamp())


def _apply(store: Store, effect: Row) -> None:
    table = store.table(effect["table"])
    if effect["values"] is None:
        table.pop(effect["id"], None)
    elif effect["id"] in table:
        table[effect["id"]].update(effect["values"])


def busy(store: Store, *resources: Resource) -> bool:
    """Whether an action is under way on one of these."""
    held = {
        (resource["type"], resource["id"])
        for action in store.table("actions").values()
        if action["status"] == "running"
        for resource in action["resources"]
    }
    return bool(held & set(resources))


def refuse_while_busy(store: Store, *resources: Resource) -> None:
    """Raises ``locked`` while an action is under way on one of these."""
    if busy(store, *resources):
        raise errors.locked()


def _list(call: Call) -> Answer:
    """GET /actions. The API takes it with ids only."""
    if "id" not in call.query:
        raise errors.error(400, "bad_request", "the query parameter id is needed")
    wanted = set(call.query["id"])
    return listed(call, "actions", [row for key, row in call.store.table("actions").items() if key in wanted])


def _get(call: Call) -> Answer:
    """GET /actions/{id}, and the same below each resource."""
    found = call.store.table("actions").get(call.match["action"])
    if found is None:
        raise errors.not_found("action", call.match["action"])
    return Answer(200, {"action": shown(found)})


def of(kind: str) -> list[Route]:
    """The list of a resource's actions."""

    def handler(call: Call) -> Answer:
        resource = {"type": kind, "id": int(call.match["id"])}
        rows = [row for row in call.store.table("actions").values() if resource in row["resources"]]
        return listed(call, "actions", rows)

    return [Route("GET", f"/{kind}s/{{id:[0-9]+}}/actions", handler)]


ROUTES = [Route("GET", "/actions", _list), Route("GET", "/actions/{action:[0-9]+}", _get)]
