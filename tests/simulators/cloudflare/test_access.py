"""The simulated Cloudflare's Access, by Cloudflare's own client."""

import time
from typing import Any

import cloudflare

from tests.simulators.cloud import Cloud
from tests.simulators.cloudflare.client import ACCOUNT, new_application, new_policy, raw, refused


def test_an_application_shows_its_policies_and_keeps_its_audience(client: Any) -> None:
    applications, policy = client.zero_trust.access.applications, new_policy(client)
    made = new_application(client, policy)
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
    new_application(client)
    with refused(11010, cloudflare.ConflictError):
        new_application(client)


def test_a_used_policy_is_not_deleted(client: Any) -> None:
    policy = new_policy(client)
    application = new_application(client, policy)
    with refused(12130):
        client.zero_trust.access.policies.delete(policy.id, account_id=ACCOUNT)
    client.zero_trust.access.applications.delete(application.id, account_id=ACCOUNT)
    client.zero_trust.access.policies.delete(policy.id, account_id=ACCOUNT)
    assert list(client.zero_trust.access.policies.list(account_id=ACCOUNT)) == []


def test_an_application_and_a_policy_name_only_what_is_there(client: Any) -> None:
    with refused(12130):
        new_policy(client, include=[{"service_token": {"token_id": "none"}}])
    with refused(12130):
        client.zero_trust.access.applications.create(
            account_id=ACCOUNT, type="self_hosted", domain="x.example.org", policies=[{"id": "none"}]
        )
    with refused(1004):
        new_policy(client, include=[])


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
    policy = new_policy(client, decision="non_identity", include=[{"service_token": {"token_id": token.id}}])
    with refused(12130):
        client.zero_trust.access.service_tokens.delete(token.id, account_id=ACCOUNT)
    client.zero_trust.access.policies.delete(policy.id, account_id=ACCOUNT)
    assert client.zero_trust.access.service_tokens.delete(token.id, account_id=ACCOUNT).id == token.id


def test_the_organization_has_the_teams_domain(cloud: Cloud) -> None:
    found = raw(cloud, "GET", f"/accounts/{ACCOUNT}/access/organizations").json()["result"]
    assert found["auth_domain"] == "example.cloudflareaccess.com"
