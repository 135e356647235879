"""The simulated Cloudflare's answers have the fields that Cloudflare's own client knows."""

from typing import Any

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

from tests.simulators.cloud import Cloud
from tests.simulators.cloudflare.client import (
    ACCOUNT,
    ZONE,
    new_alert,
    new_application,
    new_list,
    new_policy,
    new_ruleset,
    new_tunnel,
    raw,
)


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
    tunnel, policy, alert, bans = new_tunnel(client), new_policy(client), new_alert(client), new_list(client)
    token = client.zero_trust.access.service_tokens.create(account_id=ACCOUNT, name="CI")
    client.r2.buckets.create(account_id=ACCOUNT, name="backups")
    application, ruleset = new_application(client, policy), new_ruleset(client)
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
    shown = {kind: raw(cloud, "GET", path).json()["result"] for kind, path in paths.items()}
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
