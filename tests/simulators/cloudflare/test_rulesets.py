"""The simulated Cloudflare's rulesets, by Cloudflare's own client."""

from typing import Any

import cloudflare

from tests.simulators.cloudflare.client import RULE, ZONE, new_ruleset, refused


def test_a_ruleset_is_made_changed_and_deleted(client: Any) -> None:
    made = new_ruleset(client)
    assert (made.version, made.rules[0].ref) == ("1", "x")
    client.rulesets.update(
        made.id,
        zone_id=ZONE,
        kind="zone",
        phase=made.phase,
        name="mine",
        rules=[{**RULE, "ref": "y"}, {**RULE, "enabled": False}],
    )
    changed = client.rulesets.get(made.id, zone_id=ZONE)
    assert (changed.version, changed.rules[1].id, changed.rules[1].enabled) == ("2", made.rules[0].id, False)
    client.rulesets.delete(made.id, zone_id=ZONE)
    assert list(client.rulesets.list(zone_id=ZONE)) == []


def test_a_phase_has_one_ruleset(client: Any) -> None:
    made = new_ruleset(client)
    with refused(20217):
        new_ruleset(client)
    assert client.rulesets.phases.get("http_request_firewall_custom", zone_id=ZONE).id == made.id
    with refused(10003, cloudflare.NotFoundError):
        client.rulesets.phases.get("http_ratelimit", zone_id=ZONE)
    client.rulesets.phases.update("http_request_firewall_custom", zone_id=ZONE, rules=[])
    assert client.rulesets.phases.get("http_request_firewall_custom", zone_id=ZONE).rules == []


def test_a_rate_limit_belongs_to_its_phase(client: Any) -> None:
    limit = {"characteristics": ["cf.colo.id", "ip.src"], "period": 10, "requests_per_period": 200}
    rule = {**RULE, "ratelimit": {**limit, "mitigation_timeout": 10}}
    made = new_ruleset(client, phase="http_ratelimit", rules=[rule])
    assert made.rules[0].ratelimit.requests_per_period == 200
    with refused(0):
        new_ruleset(client, rules=[rule])


def test_a_plan_has_its_number_of_rules(client: Any) -> None:
    with refused(0):
        new_ruleset(client, rules=[{**RULE, "ref": str(number)} for number in range(6)])
