"""The simulated Cloudflare, by Cloudflare's own client."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudflare
import pytest
import requests
from cloudflare.types.alerting.policy import Policy as Alert
from cloudflare.types.bot_management import BotFightModeConfiguration
from cloudflare.types.dns.dnssec.dnssec import DNSSEC
from cloudflare.types.r2 import Bucket
from cloudflare.types.rules import ListsList
from cloudflare.types.rulesets import BlockRule, RulesetGetResponse
from cloudflare.types.shared import CloudflareTunnel
from cloudflare.types.zero_trust.access import PolicyGetResponse, ServiceToken
from cloudflare.types.zero_trust.access.application_get_response import SelfHostedApplication
from cloudflare.types.zero_trust.tunnels.cloudflared import ConfigurationGetResponse
from cloudflare.types.zones import Zone

from simulators.cloudflare.app import Site, api
from tests.simulators.cloud import Cloud, running

ACCOUNT, ZONE, TOKEN = "a" * 32, "b" * 32, "x" * 40
SITE = Site(account=ACCOUNT, zone=ZONE, domain="example.org", team="example")
SECRET = base64.b64encode(b"s" * 32).decode()
SSH = {"hostname": "ssh.example.org", "service": "ssh://127.0.0.1:22"}
REST = {"service": "http_status:404"}
RULE = {"action": "block", "expression": 'http.host eq "x"', "description": "x", "ref": "x"}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with running(api([SITE])) as served:
        yield served


@pytest.fixture
def client(cloud: Cloud) -> Any:
    return _client(cloud)


# The client's parameters are typed dictionaries for each kind of thing, so it is Any here.
def _client(cloud: Cloud, token: str = TOKEN, **more: Any) -> Any:
    return cloudflare.Cloudflare(api_token=token, base_url=cloud.endpoint, **{"max_retries": 0, **more})


def _refused(code: int, kind: type[cloudflare.APIStatusError] = cloudflare.APIStatusError) -> Any:
    return pytest.raises(kind, match=rf"'code': {code}\b")


def _raw(cloud: Cloud, method: str, path: str, token: str = TOKEN, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, cloud.endpoint + path, headers=headers, timeout=30, **more)


def _tunnel(client: Any, name: str = "app", **more: Any) -> Any:
    tunnels = client.zero_trust.tunnels.cloudflared
    return tunnels.create(account_id=ACCOUNT, name=name, config_src="cloudflare", tunnel_secret=SECRET, **more)


def _record(client: Any, name: str = "api.example.org", **more: Any) -> Any:
    target = {"type": "CNAME", "content": "t.cfargotunnel.com", "ttl": 1, "proxied": True}
    return client.dns.records.create(zone_id=ZONE, name=name, **{**target, **more})


def _policy(client: Any, **more: Any) -> Any:
    people = {"include": [{"email": {"email": "someone@example.org"}}], "decision": "allow", "name": "operators"}
    return client.zero_trust.access.policies.create(account_id=ACCOUNT, **{**people, **more})


def _application(client: Any, *policies: Any, **more: Any) -> Any:
    chosen = [{"id": policy.id, "precedence": rank} for rank, policy in enumerate(policies, start=1)]
    kind = {"type": "self_hosted", "domain": "ssh.example.org", "name": "ssh", "session_duration": "8h"}
    return client.zero_trust.access.applications.create(account_id=ACCOUNT, policies=chosen, **{**kind, **more})


def _list(client: Any) -> Any:
    return client.rules.lists.create(account_id=ACCOUNT, kind="ip", name="bans", description="banned")


def _ruleset(client: Any, **more: Any) -> Any:
    custom = {"kind": "zone", "name": "mine", "phase": "http_request_firewall_custom", "rules": [RULE]}
    # The client's type of this answer is "a ruleset or any object", so it hands out a plain dictionary.
    made = client.rulesets.create(zone_id=ZONE, **{**custom, **more})
    return client.rulesets.get(made["id"], zone_id=ZONE)


def _alert(client: Any, **more: Any) -> Any:
    health = {
        "alert_type": "tunnel_health_event",
        "enabled": True,
        "name": "health",
        "mechanisms": {"email": [{"id": "someone@example.org"}]},
        "filters": {"new_status": ["TUNNEL_STATUS_TYPE_DOWN"]},
    }
    return client.alerting.policies.create(account_id=ACCOUNT, **{**health, **more})


# Tunnels


def test_a_tunnel_is_made_configured_and_deleted(client: Any) -> None:
    tunnels, tunnel = client.zero_trust.tunnels.cloudflared, _tunnel(client)
    assert (tunnel.status, tunnel.remote_config) == ("inactive", True)
    given = tunnels.configurations.update(tunnel.id, account_id=ACCOUNT, config={"ingress": [SSH, REST]})
    assert (given.version, given.config.ingress[0].service) == (1, "ssh://127.0.0.1:22")
    assert tunnels.configurations.get(tunnel.id, account_id=ACCOUNT).config.ingress[1].service == "http_status:404"
    assert tunnels.edit(tunnel.id, account_id=ACCOUNT, name="other").name == "other"
    assert tunnels.delete(tunnel.id, account_id=ACCOUNT).deleted_at
    assert list(tunnels.list(account_id=ACCOUNT, is_deleted=False)) == []


def test_a_connectors_token_is_made_of_account_tunnel_and_secret(client: Any) -> None:
    tunnel = _tunnel(client)
    token = client.zero_trust.tunnels.cloudflared.token.get(tunnel.id, account_id=ACCOUNT)
    assert json.loads(base64.b64decode(token)) == {"a": ACCOUNT, "t": tunnel.id, "s": SECRET}


def test_a_tunnels_secret_is_never_shown(cloud: Cloud, client: Any) -> None:
    tunnel = _tunnel(client)
    assert SECRET not in _raw(cloud, "GET", f"/accounts/{ACCOUNT}/cfd_tunnel/{tunnel.id}").text
    assert cloud.state()["tunnels"][tunnel.id]["_secret"] == SECRET


def test_names_of_tunnels_are_unique_until_they_are_deleted(client: Any) -> None:
    tunnel = _tunnel(client)
    with _refused(1013, cloudflare.ConflictError):
        _tunnel(client)
    client.zero_trust.tunnels.cloudflared.delete(tunnel.id, account_id=ACCOUNT)
    assert _tunnel(client).id != tunnel.id


def test_a_connected_tunnel_is_not_deleted(cloud: Cloud, client: Any) -> None:
    tunnels, tunnel = client.zero_trust.tunnels.cloudflared, _tunnel(client)
    cloud.change("tunnels", tunnel.id, status="healthy", connections=[{"id": "1", "client_id": "c", "colo_name": "X"}])
    assert tunnels.get(tunnel.id, account_id=ACCOUNT).connections[0].colo_name == "X"
    with _refused(1022):
        tunnels.delete(tunnel.id, account_id=ACCOUNT)
    tunnels.connections.delete(tunnel.id, account_id=ACCOUNT)
    assert tunnels.delete(tunnel.id, account_id=ACCOUNT).deleted_at


@pytest.mark.parametrize("ingress", [[SSH], [REST, SSH, REST]], ids=["no catch-all", "catch-all in the middle"])
def test_an_ingress_that_can_not_be_is_refused(client: Any, ingress: list[Any]) -> None:
    tunnel = _tunnel(client)
    with _refused(1056):
        client.zero_trust.tunnels.cloudflared.configurations.update(
            tunnel.id, account_id=ACCOUNT, config={"ingress": ingress}
        )


def test_a_short_tunnel_secret_is_refused(cloud: Cloud) -> None:
    done = _raw(cloud, "POST", f"/accounts/{ACCOUNT}/cfd_tunnel", json={"name": "app", "tunnel_secret": "c2hvcnQ="})
    assert done.status_code == 400
    assert "shorter than 32 bytes" in done.text


# Names


def test_a_record_is_made_changed_and_deleted(client: Any) -> None:
    record = _record(client, comment="mine")
    assert (record.name, record.proxied, record.ttl, record.comment) == ("api.example.org", True, 1, "mine")
    changed = client.dns.records.update(
        record.id, zone_id=ZONE, name="www.example.org", type="A", content="192.0.2.1", ttl=300
    )
    assert (changed.id, changed.name, changed.content, changed.ttl) == (record.id, "www.example.org", "192.0.2.1", 300)
    edited = client.dns.records.edit(
        record.id, zone_id=ZONE, name="www.example.org", type="A", content="192.0.2.2", ttl=60
    )
    assert edited.content == "192.0.2.2"
    assert client.dns.records.delete(record.id, zone_id=ZONE).id == record.id
    with pytest.raises(cloudflare.NotFoundError):
        client.dns.records.get(record.id, zone_id=ZONE)


def test_a_cname_stands_alone(client: Any) -> None:
    _record(client)
    with _refused(81058):
        _record(client)
    with _refused(81053):
        _record(client, content="other.cfargotunnel.com")
    with _refused(81053):
        _record(client, type="A", content="192.0.2.1")
    assert _record(client, name="*.example.org").name == "*.example.org"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "api.example.com"}, 9000),
        ({"type": "A", "content": "nowhere"}, 9005),
        ({"ttl": 5}, 1004),
        ({"type": "TXT"}, 1004),
    ],
)
def test_a_record_that_can_not_be_is_refused(client: Any, wrong: dict[str, Any], code: int) -> None:
    with _refused(code):
        _record(client, **wrong)


def test_records_have_pages(client: Any) -> None:
    for number in range(45):
        _record(client, name=f"n{number}.example.org")
    assert len(list(client.dns.records.list(zone_id=ZONE))) == 45
    page = client.dns.records.list(zone_id=ZONE, page=3, per_page=20)
    assert len(page.result) == 5
    assert [record.name for record in client.dns.records.list(zone_id=ZONE, name={"exact": "n7.example.org"})] == [
        "n7.example.org"
    ]


# Access


def test_an_application_shows_its_policies_and_keeps_its_audience(client: Any) -> None:
    applications, policy = client.zero_trust.access.applications, _policy(client)
    made = _application(client, policy)
    assert len(made.aud) == 64
    assert [(found.id, found.decision, found.precedence) for found in made.policies] == [(policy.id, "allow", 1)]
    changed = applications.update(
        made.id, account_id=ACCOUNT, type="self_hosted", domain="new.example.org", policies=[{"id": policy.id}]
    )
    assert (changed.aud, changed.domain, changed.self_hosted_domains) == (
        made.aud,
        "new.example.org",
        ["new.example.org"],
    )
    assert client.zero_trust.access.policies.get(policy.id, account_id=ACCOUNT).app_count == 1
    assert applications.delete(made.id, account_id=ACCOUNT).id == made.id


def test_a_domain_has_one_application(client: Any) -> None:
    _application(client)
    with _refused(11010, cloudflare.ConflictError):
        _application(client)


def test_a_used_policy_is_not_deleted(client: Any) -> None:
    policy = _policy(client)
    application = _application(client, policy)
    with _refused(12130):
        client.zero_trust.access.policies.delete(policy.id, account_id=ACCOUNT)
    client.zero_trust.access.applications.delete(application.id, account_id=ACCOUNT)
    client.zero_trust.access.policies.delete(policy.id, account_id=ACCOUNT)
    assert list(client.zero_trust.access.policies.list(account_id=ACCOUNT)) == []


def test_an_application_and_a_policy_name_only_what_is_there(client: Any) -> None:
    with _refused(12130):
        _policy(client, include=[{"service_token": {"token_id": "none"}}])
    with _refused(12130):
        client.zero_trust.access.applications.create(
            account_id=ACCOUNT, type="self_hosted", domain="x.example.org", policies=[{"id": "none"}]
        )
    with _refused(1004):
        _policy(client, include=[])


def test_a_service_tokens_secret_is_shown_once(client: Any) -> None:
    tokens = client.zero_trust.access.service_tokens
    made = tokens.create(account_id=ACCOUNT, name="CI", duration="8760h")
    assert made.client_id.endswith(".access")
    assert len(made.client_secret) == 64
    read = tokens.get(made.id, account_id=ACCOUNT)
    assert not hasattr(read, "client_secret")
    assert 364 < (read.expires_at.timestamp() - time.time()) / 86400 < 366
    assert tokens.update(made.id, account_id=ACCOUNT, name="other").name == "other"
    assert tokens.rotate(made.id, account_id=ACCOUNT).client_secret != made.client_secret


def test_a_used_service_token_is_not_deleted(client: Any) -> None:
    token = client.zero_trust.access.service_tokens.create(account_id=ACCOUNT, name="CI")
    policy = _policy(client, decision="non_identity", include=[{"service_token": {"token_id": token.id}}])
    with _refused(12130):
        client.zero_trust.access.service_tokens.delete(token.id, account_id=ACCOUNT)
    client.zero_trust.access.policies.delete(policy.id, account_id=ACCOUNT)
    assert client.zero_trust.access.service_tokens.delete(token.id, account_id=ACCOUNT).id == token.id


def test_the_organization_has_the_teams_domain(cloud: Cloud) -> None:
    found = _raw(cloud, "GET", f"/accounts/{ACCOUNT}/access/organizations").json()["result"]
    assert found["auth_domain"] == "example.cloudflareaccess.com"


# The zone


def test_a_zone_setting_is_read_and_changed(client: Any) -> None:
    assert client.zones.settings.get("ssl", zone_id=ZONE).value == "full"
    assert client.zones.settings.edit("ssl", zone_id=ZONE, value="strict").value == "strict"
    assert client.zones.settings.get("ssl", zone_id=ZONE).value == "strict"
    with _refused(1007):
        client.zones.settings.edit("min_tls_version", zone_id=ZONE, value="0.9")
    with _refused(1006):
        client.zones.settings.get("no_such_setting", zone_id=ZONE)


def test_hsts_of_another_spelling_is_ignored_without_a_word(client: Any) -> None:
    other = {"strict_transport_security": {"maxAge": 5, "enabled": True}}
    value = client.zones.settings.edit("security_header", zone_id=ZONE, value=other).value.strict_transport_security
    assert (value.enabled, value.max_age) == (True, 0)


def test_bots_are_what_the_plan_has(client: Any) -> None:
    update = client.bot_management.update
    assert update(zone_id=ZONE, crawler_protection="enabled").crawler_protection == "enabled"
    assert client.bot_management.get(zone_id=ZONE).fight_mode is False
    with _refused(0):
        update(zone_id=ZONE, sbfm_verified_bots="allow")
    with running(api([Site(ACCOUNT, ZONE, "example.org", "example", "pro")])) as paid:
        paid_update = _client(paid).bot_management.update
        assert paid_update(zone_id=ZONE, sbfm_verified_bots="block").sbfm_verified_bots == "block"
        with _refused(0):
            paid_update(zone_id=ZONE, fight_mode=True)


def test_signatures_stay_pending_until_the_registrar_has_the_key(client: Any) -> None:
    assert client.dns.dnssec.edit(zone_id=ZONE, status="active").status == "pending"
    assert client.dns.dnssec.get(zone_id=ZONE).ds.startswith("example.org. 3600 IN DS")
    client.dns.dnssec.delete(zone_id=ZONE)
    assert client.dns.dnssec.get(zone_id=ZONE).status == "disabled"


def test_the_zone_is_there_and_another_is_not(client: Any) -> None:
    assert client.zones.get(zone_id=ZONE).name == "example.org"
    with _refused(7003, cloudflare.NotFoundError):
        client.zones.get(zone_id="c" * 32)
    with _refused(7003, cloudflare.NotFoundError):
        _client_of_another_account(client)


def _client_of_another_account(client: Any) -> None:
    client.zero_trust.tunnels.cloudflared.create(account_id="c" * 32, name="app")


# Rulesets and lists


def test_a_ruleset_is_made_changed_and_deleted(client: Any) -> None:
    made = _ruleset(client)
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
    made = _ruleset(client)
    with _refused(20217):
        _ruleset(client)
    assert client.rulesets.phases.get("http_request_firewall_custom", zone_id=ZONE).id == made.id
    with _refused(10003, cloudflare.NotFoundError):
        client.rulesets.phases.get("http_ratelimit", zone_id=ZONE)
    client.rulesets.phases.update("http_request_firewall_custom", zone_id=ZONE, rules=[])
    assert client.rulesets.phases.get("http_request_firewall_custom", zone_id=ZONE).rules == []


def test_a_rate_limit_belongs_to_its_phase(client: Any) -> None:
    limit = {"characteristics": ["cf.colo.id", "ip.src"], "period": 10, "requests_per_period": 200}
    rule = {**RULE, "ratelimit": {**limit, "mitigation_timeout": 10}}
    made = _ruleset(client, phase="http_ratelimit", rules=[rule])
    assert made.rules[0].ratelimit.requests_per_period == 200
    with _refused(0):
        _ruleset(client, rules=[rule])


def test_a_plan_has_its_number_of_rules(client: Any) -> None:
    with _refused(0):
        _ruleset(client, rules=[{**RULE, "ref": str(number)} for number in range(6)])


def test_a_list_changes_by_an_operation_that_takes_a_while(cloud: Cloud, client: Any) -> None:
    bans = _list(client)
    begun = client.rules.lists.items.update(bans.id, account_id=ACCOUNT, body=[{"ip": "192.0.2.1", "comment": "x"}])
    operation = client.rules.lists.bulk_operations.get(begun.operation_id, account_id=ACCOUNT)
    assert operation.status == "pending"
    assert list(client.rules.lists.items.list(bans.id, account_id=ACCOUNT)) == []
    cloud.advance(60)
    assert client.rules.lists.bulk_operations.get(begun.operation_id, account_id=ACCOUNT).status == "completed"
    assert [item.ip for item in client.rules.lists.items.list(bans.id, account_id=ACCOUNT)] == ["192.0.2.1"]
    assert client.rules.lists.get(bans.id, account_id=ACCOUNT).num_items == 1


def test_items_are_added_listed_by_cursor_and_removed(cloud: Cloud, client: Any) -> None:
    bans, items = _list(client), client.rules.lists.items
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
    bans = _list(client)
    client.rules.lists.items.update(bans.id, account_id=ACCOUNT, body=[])
    with pytest.raises(cloudflare.ConflictError):
        client.rules.lists.items.update(bans.id, account_id=ACCOUNT, body=[])


def test_a_list_and_the_rules_that_name_it_hold_each_other(client: Any) -> None:
    named = {**RULE, "expression": "ip.src in $bans"}
    with _refused(0):
        _ruleset(client, rules=[named])
    bans = _list(client)
    ruleset = _ruleset(client, rules=[named])
    assert client.rules.lists.get(bans.id, account_id=ACCOUNT).num_referencing_filters == 1
    with _refused(0):
        client.rules.lists.delete(bans.id, account_id=ACCOUNT)
    client.rulesets.delete(ruleset.id, zone_id=ZONE)
    assert client.rules.lists.delete(bans.id, account_id=ACCOUNT).id == bans.id


# Notifications and buckets


def test_a_notification_is_made_changed_and_deleted(client: Any) -> None:
    policies, made = client.alerting.policies, _alert(client)
    assert policies.get(made.id, account_id=ACCOUNT).mechanisms.email[0].id == "someone@example.org"
    policies.update(made.id, account_id=ACCOUNT, name="other", **_alert_fields())
    assert policies.get(made.id, account_id=ACCOUNT).name == "other"
    policies.delete(made.id, account_id=ACCOUNT)
    assert list(policies.list(account_id=ACCOUNT)) == []


def _alert_fields() -> dict[str, Any]:
    return {"alert_type": "tunnel_health_event", "mechanisms": {"email": [{"id": "other@example.org"}]}}


def test_a_notification_that_goes_nowhere_is_refused(client: Any) -> None:
    with _refused(1004):
        _alert(client, mechanisms={})
    with _refused(1004):
        _alert(client, alert_type="no_such_event")


def test_a_bucket_has_a_lifecycle(client: Any) -> None:
    buckets = client.r2.buckets
    made = buckets.create(account_id=ACCOUNT, name="backups", location_hint="weur", storage_class="Standard")
    assert (made.name, made.jurisdiction) == ("backups", "default")
    with _refused(10004, cloudflare.ConflictError):
        buckets.create(account_id=ACCOUNT, name="backups")
    age = {"condition": {"type": "Age", "maxAge": 86400}}
    rule = {"id": "old", "enabled": True, "conditions": {"prefix": ""}, "deleteObjectsTransition": age}
    buckets.lifecycle.update("backups", account_id=ACCOUNT, rules=[rule])
    assert buckets.lifecycle.get("backups", account_id=ACCOUNT).rules[0].delete_objects_transition.condition.max_age
    buckets.delete("backups", account_id=ACCOUNT)
    with _refused(10006, cloudflare.NotFoundError):
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


# Tokens, limits and faults


def test_a_token_is_verified_and_may_be_for_reading_only(cloud: Cloud, client: Any) -> None:
    assert client.user.tokens.verify().status == "active"
    with _refused(6003):
        _client(cloud, "short").user.tokens.verify()
    reader = _client(cloud, "readonly".ljust(40, "x"))
    assert list(reader.dns.records.list(zone_id=ZONE)) == []
    with _refused(10000, cloudflare.PermissionDeniedError):
        _record(reader)


def test_every_answer_has_the_envelope(cloud: Cloud) -> None:
    good = _raw(cloud, "GET", f"/zones/{ZONE}/dns_records").json()
    assert set(good) == {"result", "success", "errors", "messages", "result_info"}
    assert set(good["result_info"]) == {"page", "per_page", "count", "total_count", "total_pages"}
    for bad in (_raw(cloud, "GET", "/nothing"), _raw(cloud, "POST", f"/zones/{ZONE}/dns_records", data="{")):
        assert bad.json()["success"] is False
        assert bad.json()["result"] is None
        assert set(bad.json()["errors"][0]) == {"code", "message"}


def test_a_field_that_is_not_simulated_is_refused_and_not_swallowed(cloud: Cloud) -> None:
    done = _raw(cloud, "POST", f"/accounts/{ACCOUNT}/cfd_tunnel", json={"name": "app", "colour": "red"})
    assert done.status_code == 400
    assert "colour" in done.text


def test_too_many_calls_are_refused_until_some_time_has_passed() -> None:
    with running(api([SITE], calls=2)) as cloud:
        assert _raw(cloud, "GET", "/zones").headers["Ratelimit"].startswith('"default";r=1;')
        _raw(cloud, "GET", "/zones")
        refused = _raw(cloud, "GET", "/zones")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "150")
        cloud.advance(200)
        assert _raw(cloud, "GET", "/zones").status_code == 200


def test_a_client_tries_again_after_a_rate_limit_and_a_server_error(cloud: Cloud) -> None:
    patient = _client(cloud, max_retries=2)
    cloud.fault(kind="rate_limit", method="POST")
    cloud.fault(kind="server_error", method="POST", nth=2)
    assert _record(patient).name == "api.example.org"
    assert [call["status"] for call in cloud.history()["calls"]] == [429, 500, 200]


def test_silence_changes_nothing_and_ends_without_an_answer(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="silence", method="POST", seconds=0.1)
    with pytest.raises(cloudflare.APIConnectionError):
        _record(client)
    assert list(client.dns.records.list(zone_id=ZONE)) == []


def test_a_lost_response_leaves_the_change_and_the_next_try_finds_it(cloud: Cloud) -> None:
    cloud.fault(kind="lost_response", method="POST")
    with _refused(81058):
        _record(_client(cloud, max_retries=1))


def test_the_history_tells_when_a_name_came_and_who_guarded_it(cloud: Cloud, client: Any) -> None:
    policy = _policy(client)
    _application(client, policy)
    _record(client, name="ssh.example.org")
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
    _record(client)
    client.zones.settings.edit("ssl", zone_id=ZONE, value="strict")
    cloud.reset()
    assert list(client.dns.records.list(zone_id=ZONE)) == []
    assert client.zones.settings.get("ssl", zone_id=ZONE).value == "full"


def test_a_file_survives_the_simulator(tmp_path: Path) -> None:
    file = tmp_path / "cloudflare.json"
    with running(api([SITE], file)) as first:
        record = _record(_client(first))
    with running(api([SITE], file)) as second:
        assert _client(second).dns.records.get(record.id, zone_id=ZONE).name == record.name


# Field names, as the client's own models have them


def _names(model: Any) -> set[str]:
    """A model's fields as they stand in the API's answers."""
    return {field.alias or name for name, field in model.model_fields.items()}


FULL: dict[str, tuple[Any, set[str]]] = {
    "tunnels": (CloudflareTunnel, set()),
    "configuration": (ConfigurationGetResponse, set()),
    "policy": (PolicyGetResponse, set()),
    "token": (ServiceToken, {"client_secret_version", "created_at", "updated_at"}),
    "application": (SelfHostedApplication, {"created_at", "updated_at"}),
    "zone": (Zone, set()),
    "dnssec": (DNSSEC, set()),
    "bots": (BotFightModeConfiguration, set()),
    "ruleset": (RulesetGetResponse, set()),
    "rule": (BlockRule, set()),
    "list": (ListsList, set()),
    "alert": (Alert, set()),
    "bucket": (Bucket, set()),
}
"""What is shown → the client's model, and fields that the API has and the model lacks."""


def _shown(cloud: Cloud, client: Any) -> dict[str, Any]:
    """One answer of each kind."""
    account, zone = f"/accounts/{ACCOUNT}", f"/zones/{ZONE}"
    tunnel, policy, alert, bans = _tunnel(client), _policy(client), _alert(client), _list(client)
    token = client.zero_trust.access.service_tokens.create(account_id=ACCOUNT, name="CI")
    client.r2.buckets.create(account_id=ACCOUNT, name="backups")
    application, ruleset = _application(client, policy), _ruleset(client)
    paths = {
        "tunnels": f"{account}/cfd_tunnel/{tunnel.id}",
        "configuration": f"{account}/cfd_tunnel/{tunnel.id}/configurations",
        "policy": f"{account}/access/policies/{policy.id}",
        "token": f"{account}/access/service_tokens/{token.id}",
        "application": f"{account}/access/apps/{application.id}",
        "zone": zone,
        "dnssec": f"{zone}/dnssec",
        "bots": f"{zone}/bot_management",
        "ruleset": f"{zone}/rulesets/{ruleset.id}",
        "list": f"{account}/rules/lists/{bans.id}",
        "alert": f"{account}/alerting/v3/policies/{alert.id}",
        "bucket": f"{account}/r2/buckets/backups",
    }
    shown = {kind: _raw(cloud, "GET", path).json()["result"] for kind, path in paths.items()}
    return {**shown, "rule": shown["ruleset"]["rules"][0]}


def test_answers_have_only_fields_that_the_client_knows(cloud: Cloud, client: Any) -> None:
    shown = _shown(cloud, client)
    assert set(shown) == set(FULL)
    unknown = {kind: set(shown[kind]) - _names(model) - more for kind, (model, more) in FULL.items()}
    assert {kind: names for kind, names in unknown.items() if names} == {}


def test_answers_have_every_field_that_the_client_demands(cloud: Cloud, client: Any) -> None:
    shown = _shown(cloud, client)
    for kind, (model, _) in FULL.items():
        needed = {field.alias or name for name, field in model.model_fields.items() if field.is_required()}
        assert needed <= set(shown[kind]), kind
