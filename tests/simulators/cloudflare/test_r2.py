"""The simulated Cloudflare's buckets, by Cloudflare's own client."""

from typing import Any

import cloudflare

from tests.simulators.cloud import Cloud
from tests.simulators.cloudflare.client import ACCOUNT, refused


def test_a_bucket_has_a_lifecycle(client: Any) -> None:
    buckets = client.r2.buckets
    made = buckets.create(account_id=ACCOUNT, name="backups", location_hint="weur", storage_class="Standard")
    assert (made.name, made.jurisdiction) == ("backups", "default")
    with refused(10004, cloudflare.ConflictError):
        buckets.create(account_id=ACCOUNT, name="backups")
    age = {"condition": {"type": "Age", "maxAge": 86400}}
    rule = {"id": "old", "enabled": True, "conditions": {"prefix": ""}, "deleteObjectsTransition": age}
    buckets.lifecycle.update("backups", account_id=ACCOUNT, rules=[rule])
    assert buckets.lifecycle.get("backups", account_id=ACCOUNT).rules[0].delete_objects_transition.condition.max_age
    buckets.delete("backups", account_id=ACCOUNT)
    with refused(10006, cloudflare.NotFoundError):
        buckets.get("backups", account_id=ACCOUNT)


def test_a_bucket_is_public_when_it_is_said_and_that_is_remembered(cloud: Cloud, client: Any) -> None:
    managed = client.r2.buckets.domains.managed
    client.r2.buckets.create(account_id=ACCOUNT, name="backups")
    assert managed.list("backups", account_id=ACCOUNT).enabled is False
    assert managed.update("backups", account_id=ACCOUNT, enabled=True).domain.endswith(".r2.dev")
    managed.update("backups", account_id=ACCOUNT, enabled=False)
    assert [state["state"]["public_buckets"] for state in cloud.history()["states"]] == [[], ["backups"], []]


def test_a_jurisdiction_has_buckets_of_its_own(client: Any) -> None:
    client.r2.buckets.create(account_id=ACCOUNT, name="backups")
    made = client.r2.buckets.create(account_id=ACCOUNT, name="backups", cf_r2_jurisdiction="eu")
    assert made.jurisdiction == "eu"
