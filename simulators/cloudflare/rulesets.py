"""Rulesets of a zone: https://developers.cloudflare.com/api/resources/rulesets.

A zone has one ruleset of each phase, its entry point.
"""

import re

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.cloudflare.collection import drop, get, keep, rows, shown
from simulators.cloudflare.envelope import UNKNOWN, not_found, refusal, result
from simulators.cloudflare.requests import ChangedRuleset, NewRuleset, Rule
from simulators.cloudflare.zones import zone
from simulators.store import Row

TABLE = "rulesets"
PATH = "/zones/{scope}/rulesets"
PHASES = {
    "http_request_firewall_custom": {"free": 5, "pro": 20, "business": 100, "enterprise": 1000},
    "http_ratelimit": {"free": 1, "pro": 2, "business": 5, "enterprise": 5},
    "http_response_headers_transform": {"free": 10, "pro": 25, "business": 50, "enterprise": 300},
    "http_request_dynamic_redirect": {"free": 10, "pro": 25, "business": 50, "enterprise": 300},
}
"""Phases that are simulated, and how many rules a plan has in them."""
PHASE_TAKEN, UNKNOWN_RULESET = 20217, 10003
LIST = re.compile(r"(?<![\w.])\$([a-z0-9_]+)")


def _create(call: Call) -> Answer:
    zone(call)
    asked = call.read(NewRuleset)
    if any(row["phase"] == asked.phase for row in rows(call, TABLE)):
        raise refusal(400, PHASE_TAKEN, "A similar configuration with rules already exists in this phase")
    return result(shown(_new(call, asked, asked.phase)))


def _new(call: Call, asked: ChangedRuleset, phase: str) -> Row:
    rules = _rules(call, asked.rules, phase, {})
    row = {
        "id": ids.hexadecimal(call.store),
        "name": asked.name or "default",
        "description": asked.description,
        "kind": asked.kind or "zone",
        "phase": phase,
        "rules": rules,
        "version": "1",
        "last_updated": call.clock.stamp(),
    }
    return keep(call, TABLE, row)


def _rules(call: Call, asked: list[Rule], phase: str, old: dict[str, Row]) -> list[Row]:
    """The rules with ids; one of the same ``ref`` or id keeps its own."""
    most = PHASES.get(phase, {}).get(zone(call)["plan"]["legacy_id"])
    if most is None:
        raise refusal(400, UNKNOWN, f"unknown phase {phase}, or it is not simulated")
    if len(asked) > most:
        raise refusal(400, UNKNOWN, f"exceeded the maximum number of rules in the phase {phase}: {most}")
    return [_rule(call, rule, phase, old) for rule in asked]


def _rule(call: Call, rule: Rule, phase: str, old: dict[str, Row]) -> Row:
    _check(call, rule, phase)
    sent = rule.sent()
    before = old.get(str(rule.ref)) or old.get(str(sent.get("id"))) or {}
    number = before.get("id") or ids.hexadecimal(call.store)
    logging = {"logging": {"enabled": True}} if rule.action == "skip" else {}
    return {
        **logging,
        **sent,
        "id": number,
        "ref": rule.ref or number,
        "version": str(int(before.get("version", 0)) + 1),
        "last_updated": call.clock.stamp(),
    }


def _check(call: Call, rule: Rule, phase: str) -> None:
    """What a rule names has to be there."""
    account = zone(call)["account"]["id"]
    lists = {row["name"] for row in call.store.table("lists").values() if row["_scope"] == account}
    for name in LIST.findall(rule.expression):
        if name not in lists:
            raise refusal(400, UNKNOWN, f"the list ${name} is not there")
    if (rule.ratelimit is None) == (phase == "http_ratelimit"):
        raise refusal(400, UNKNOWN, "ratelimit belongs to the phase http_ratelimit, and to it only")


def _list(call: Call) -> Answer:
    """Without the rules, as the API does."""
    zone(call)
    return result([{key: value for key, value in shown(row).items() if key != "rules"} for row in rows(call, TABLE)])


def _get(call: Call) -> Answer:
    return result(shown(get(call, TABLE)))


def _update(call: Call) -> Answer:
    return result(shown(_changed(call, get(call, TABLE))))


def _changed(call: Call, row: Row) -> Row:
    asked = call.read(ChangedRuleset)
    old = {rule[key]: rule for rule in row["rules"] for key in ("ref", "id")}
    rules = _rules(call, asked.rules, row["phase"], old)
    row.update(rules=rules, description=asked.description, name=asked.name or row["name"])
    row.update(version=str(int(row["version"]) + 1), last_updated=call.clock.stamp())
    return row


def _delete(call: Call) -> Answer:
    drop(call, TABLE)
    return Answer(204)


def _entrypoint(call: Call) -> Row | None:
    return next((row for row in rows(call, TABLE) if row["phase"] == call.match["phase"]), None)


def _get_entrypoint(call: Call) -> Answer:
    row = _entrypoint(call)
    if row is None:
        raise not_found(UNKNOWN_RULESET)
    return result(shown(row))


def _update_entrypoint(call: Call) -> Answer:
    row = _entrypoint(call)
    if row is None:
        return result(shown(_new(call, call.read(ChangedRuleset), call.match["phase"])))
    return result(shown(_changed(call, row)))


ROUTES = [
    Route("POST", PATH, _create),
    Route("GET", PATH, _list),
    Route("GET", f"{PATH}/phases/{{phase}}/entrypoint", _get_entrypoint),
    Route("PUT", f"{PATH}/phases/{{phase}}/entrypoint", _update_entrypoint),
    Route("GET", f"{PATH}/{{id}}", _get),
    Route("PUT", f"{PATH}/{{id}}", _update),
    Route("DELETE", f"{PATH}/{{id}}", _delete),
]
