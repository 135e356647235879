"""The simulated Cloudflare's lists, by Cloudflare's own client."""

from typing import Any

import cloudflare
import pytest

from tests.simulators.cloud import Cloud
from tests.simulators.cloudflare.client import ACCOUNT, RULE, ZONE, new_list, new_ruleset, refused


def test_a_list_changes_by_an_operation_that_takes_a_while(cloud: Cloud, client: Any) -> None:
    bans = new_list(client)
    begun = client.rules.lists.items.update(bans.id, account_id=ACCOUNT, body=[{"ip": "192.0.2.1", "comment": "x"}])
    operation = client.rules.lists.bulk_operations.get(begun.operation_id, account_id=ACCOUNT)
    assert operation.status == "pending"
    assert list(client.rules.lists.items.list(bans.id, account_id=ACCOUNT)) == []
    cloud.advance(60)
    assert client.rules.lists.bulk_operations.get(begun.operation_id, account_id=ACCOUNT).status == "completed"
    assert [item.ip for item in client.rules.lists.items.list(bans.id, account_id=ACCOUNT)] == ["192.0.2.1"]
    assert client.rules.lists.get(bans.id, account_id=ACCOUNT).num_items == 1


def test_items_are_added_listed_by_cursor_and_removed(cloud: Cloud, client: Any) -> None:
    bans, items = new_list(client), client.rules.lists.items
    items.create(bans.id, account_id=ACCOUNT, body=[{"ip": f"192.0.2.{number}"} for number in range(30)])
    cloud.advance(60)
    items.create(bans.id, account_id=ACCOUNT, body=[{"ip": "192.0.2.0"}, {"ip": "2001:db8::/32"}])
    cloud.advance(60)
    found = list(items.list(bans.id, account_id=ACCOUNT, per_page=10))
    assert len(found) == 31
    items.delete(bans.id, account_id=ACCOUNT, items=[{"id": item.id} for item in found[1:]])
    cloud.advance(60)
    assert len(list(items.list(bans.id, account_id=ACCOUNT))) == 1


def test_one_operation_at_a_time(client: Any) -> None:
    bans = new_list(client)
    client.rules.lists.items.update(bans.id, account_id=ACCOUNT, body=[])
    with pytest.raises(cloudflare.ConflictError):
        client.rules.lists.items.update(bans.id, account_id=ACCOUNT, body=[])


def test_a_list_and_the_rules_that_name_it_hold_each_other(client: Any) -> None:
    named = {**RULE, "expression": "ip.src in $bans"}
    with refused(0):
        new_ruleset(client, rules=[named])
    bans = new_list(client)
    ruleset = new_ruleset(client, rules=[named])
    assert client.rules.lists.get(bans.id, account_id=ACCOUNT).num_referencing_filters == 1
    with refused(0):
        client.rules.lists.delete(bans.id, account_id=ACCOUNT)
    client.rulesets.delete(ruleset.id, zone_id=ZONE)
    assert client.rules.lists.delete(bans.id, account_id=ACCOUNT).id == bans.id
