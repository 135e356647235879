"""/firewalls: https://docs.hetzner.cloud/reference/cloud#firewalls

The API obeys: ``set_rules`` with an empty list leaves no rule. That a firewall keeps its rules when a program takes the
last one away is the provider's doing, which then does not call ``set_rules``.
"""

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.hetzner import actions, errors
from simulators.hetzner.collection import get, listed, refuse_taken, shown, update
from simulators.hetzner.requests import Apply, NewFirewall, Remove, Rule, Rules, Target
from simulators.store import Row, Store

TABLE = "firewalls"


def described(store: Store, row: Row) -> Row:
    """A firewall as the API shows it, with the servers that it stands before."""
    servers = [{"type": "server", "server": {"id": server["id"]}} for server in _servers(store, row["id"])]
    return {**shown(row), "applied_to": servers}


def _servers(store: Store, firewall: int) -> list[Row]:
    return [row for row in store.table("servers").values() if firewall in row["_firewalls"]]


def _create(call: Call) -> Answer:
    asked = call.read(NewFirewall)
    refuse_taken(call.store, TABLE, "name", asked.name)
    row: Row = {
        "id": ids.number(call.store),
        "name": asked.name,
        "labels": asked.labels,
        "created": call.clock.stamp(),
        "rules": [_rule(rule) for rule in asked.rules],
    }
    servers = _targets(call.store, asked.apply_to)
    call.store.table(TABLE)[str(row["id"])] = row
    done = [_apply(call, row, server) for server in servers]
    return Answer(201, {"firewall": described(call.store, row), "actions": done})


def _rule(rule: Rule) -> Row:
    return rule.model_dump()


def _targets(store: Store, targets: list[Target]) -> list[Row]:
    found = [store.table("servers").get(str(target.server.id)) for target in targets]
    if None in found:
        raise errors.error(404, "firewall_resource_not_found", "a server to apply to or to remove from is not there")
    return [row for row in found if row is not None]


def _apply(call: Call, firewall: Row, server: Row) -> Row:
    server["_firewalls"] = [*server["_firewalls"], firewall["id"]]
    return actions.start(call, "apply_firewall", [("firewall", firewall["id"]), ("server", server["id"])])


def _list(call: Call) -> Answer:
    return listed(call, TABLE, [described(call.store, row) for row in call.store.table(TABLE).values()])


def _get(call: Call) -> Answer:
    return Answer(200, {"firewall": described(call.store, get(call.store, TABLE, call.match["id"]))})


def _update(call: Call) -> Answer:
    return Answer(200, {"firewall": described(call.store, update(call, TABLE))})


def _delete(call: Call) -> Answer:
    row = get(call.store, TABLE, call.match["id"])
    if _servers(call.store, row["id"]):
        raise errors.error(409, "resource_in_use", f"firewall with ID '{row['id']}' is still in use")
    del call.store.table(TABLE)[call.match["id"]]
    return Answer(204)


def _set_rules(call: Call) -> Answer:
    row, asked = get(call.store, TABLE, call.match["id"]), call.read(Rules)
    row["rules"] = [_rule(rule) for rule in asked.rules]
    of = [("firewall", row["id"])]
    begun = [actions.start(call, "set_firewall_rules", of)]
    for server in _servers(call.store, row["id"]):
        begun.append(actions.start(call, "apply_firewall", [*of, ("server", server["id"])]))
    return Answer(201, {"actions": begun})


def _apply_to(call: Call) -> Answer:
    row, asked = get(call.store, TABLE, call.match["id"]), call.read(Apply)
    servers = _targets(call.store, asked.apply_to)
    if any(row["id"] in server["_firewalls"] for server in servers):
        raise errors.error(422, "firewall_already_applied", "the firewall is already applied to that server")
    return Answer(201, {"actions": [_apply(call, row, server) for server in servers]})


def _remove_from(call: Call) -> Answer:
    row, asked = get(call.store, TABLE, call.match["id"]), call.read(Remove)
    servers = _targets(call.store, asked.remove_from)
    begun = []
    for server in servers:
        server["_firewalls"] = [number for number in server["_firewalls"] if number != row["id"]]
        begun.append(actions.start(call, "remove_firewall", [("firewall", row["id"]), ("server", server["id"])]))
    return Answer(201, {"actions": begun})


ROUTES = [
    Route("POST", "/firewalls", _create),
    Route("GET", "/firewalls", _list),
    Route("GET", "/firewalls/{id:[0-9]+}", _get),
    Route("PUT", "/firewalls/{id:[0-9]+}", _update),
    Route("DELETE", "/firewalls/{id:[0-9]+}", _delete),
    Route("POST", "/firewalls/{id:[0-9]+}/actions/set_rules", _set_rules),
    Route("POST", "/firewalls/{id:[0-9]+}/actions/apply_to_resources", _apply_to),
    Route("POST", "/firewalls/{id:[0-9]+}/actions/remove_from_resources", _remove_from),
    *actions.of("firewall"),
]
