"""The simulated Cloudflare as a whole, by Cloudflare's own client: tokens, limits, faults, history and file."""

from pathlib import Path
from typing import Any

import cloudflare
import pytest

from simulators.cloudflare.app import api
from tests.simulators.cloud import Cloud, running
from tests.simulators.cloudflare.client import (
    SITE,
    ZONE,
    new_application,
    new_client,
    new_policy,
    new_record,
    raw,
    refused,
)


def test_a_token_is_verified_and_may_be_for_reading_only(cloud: Cloud, client: Any) -> None:
    assert client.user.tokens.verify().status == "active"
    with refused(6003):
        new_client(cloud, "short").user.tokens.verify()
    reader = new_client(cloud, "readonly".ljust(40, "x"))
    assert list(reader.dns.records.list(zone_id=ZONE)) == []
    with refused(10000, cloudflare.PermissionDeniedError):
        new_record(reader)


def test_too_many_calls_are_refused_until_some_time_has_passed() -> None:
    with running(api([SITE], calls=2)) as cloud:
        assert raw(cloud, "GET", "/zones").headers["Ratelimit"].startswith('"default";r=1;')
        raw(cloud, "GET", "/zones")
        done = raw(cloud, "GET", "/zones")
        assert (done.status_code, done.headers["Retry-After"]) == (429, "150")
        cloud.advance(200)
        assert raw(cloud, "GET", "/zones").status_code == 200


def test_a_client_tries_again_after_a_rate_limit_and_a_server_error(cloud: Cloud) -> None:
    patient = new_client(cloud, max_retries=2)
    cloud.fault(kind="rate_limit", method="POST")
    cloud.fault(kind="server_error", method="POST", nth=2)
    assert new_record(patient).name == "api.example.org"
    assert [call["status"] for call in cloud.history()["calls"]] == [429, 500, 200]


def test_silence_changes_nothing_and_ends_without_an_answer(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="silence", method="POST", seconds=0.1)
    with pytest.raises(cloudflare.APIConnectionError):
        new_record(client)
    assert list(client.dns.records.list(zone_id=ZONE)) == []


def test_a_lost_response_leaves_the_change_and_the_next_try_finds_it(cloud: Cloud) -> None:
    cloud.fault(kind="lost_response", method="POST")
    with refused(81058):
        new_record(new_client(cloud, max_retries=1))


def test_the_history_tells_when_a_name_came_and_who_guarded_it(cloud: Cloud, client: Any) -> None:
    policy = new_policy(client)
    new_application(client, policy)
    new_record(client, name="ssh.example.org")
    last = cloud.history()["states"][-1]["state"]
    assert last["guarded"] == {"ssh.example.org": [policy.id]}
    assert last["records"] == {"ssh.example.org": ["CNAME", "t.cfargotunnel.com", True]}
    assert cloud.history()["states"][0]["state"] == {
        "records": {},
        "ingress": {},
        "guarded": {},
        "public_buckets": [],
    }


def test_a_reset_leaves_accounts_and_zones(cloud: Cloud, client: Any) -> None:
    new_record(client)
    client.zones.settings.edit("ssl", zone_id=ZONE, value="strict")
    cloud.reset()
    assert list(client.dns.records.list(zone_id=ZONE)) == []
    assert client.zones.settings.get("ssl", zone_id=ZONE).value == "full"


def test_a_file_survives_the_simulator(tmp_path: Path) -> None:
    file = tmp_path / "cloudflare.json"
    with running(api([SITE], file)) as first:
        record = new_record(new_client(first))
    with running(api([SITE], file)) as second:
        assert new_client(second).dns.records.get(record.id, zone_id=ZONE).name == record.name
