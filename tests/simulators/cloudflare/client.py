"""Cloudflare's own client of the simulated Cloudflare, and what tests make with it."""

import base64
from typing import Any

import cloudflare
import pytest
import requests

from simulators.cloudflare.app import Site
from tests.simulators.cloud import Cloud

ACCOUNT, ZONE, TOKEN = "a" * 32, "b" * 32, "x" * 40
SITE = Site(account=ACCOUNT, zone=ZONE, domain="example.org", team="example")
SECRET = base64.b64encode(b"s" * 32).decode()
RULE = {"action": "block", "expression": 'http.host eq "x"', "description": "x", "ref": "x"}


# The client's parameters are typed dictionaries for each kind of thing, so it is Any here.
def new_client(cloud: Cloud, token: str = TOKEN, **more: Any) -> Any:
    return cloudflare.Cloudflare(api_token=token, base_url=cloud.endpoint, **{"max_retries": 0, **more})


def refused(code: int, kind: type[cloudflare.APIStatusError] = cloudflare.APIStatusError) -> Any:
    return pytest.raises(kind, match=rf"'code': {code}\b")


def raw(cloud: Cloud, method: str, path: str, token: str = TOKEN, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, cloud.endpoint + path, headers=headers, timeout=30, **more)


def new_tunnel(client: Any, name: str = "app", **more: Any) -> Any:
    tunnels = client.zero_trust.tunnels.cloudflared
    return tunnels.create(account_id=ACCOUNT, name=name, config_src="cloudflare", tunnel_secret=SECRET, **more)


def new_record(client: Any, name: str = "api.example.org", **more: Any) -> Any:
    target = {"type": "CNAME", "content": "t.cfargotunnel.com", "ttl": 1, "proxied": True}
    return client.dns.records.create(zone_id=ZONE, name=name, **{**target, **more})


def new_policy(client: Any, **more: Any) -> Any:
    people = {"include": [{"email": {"email": "someone@example.org"}}], "decision": "allow", "name": "operators"}
    return client.zero_trust.access.policies.create(account_id=ACCOUNT, **{**people, **more})


def new_application(client: Any, *policies: Any, **more: Any) -> Any:
    chosen = [{"id": policy.id, "precedence": rank} for rank, policy in enumerate(policies, start=1)]
    kind = {"type": "self_hosted", "domain": "ssh.example.org", "name": "ssh", "session_duration": "8h"}
    return client.zero_trust.access.applications.create(account_id=ACCOUNT, policies=chosen, **{**kind, **more})


def new_list(client: Any) -> Any:
    return client.rules.lists.create(account_id=ACCOUNT, kind="ip", name="bans", description="banned")


def new_ruleset(client: Any, **more: Any) -> Any:
    custom = {"kind": "zone", "name": "mine", "phase": "http_request_firewall_custom", "rules": [RULE]}
    # The client's type of this answer is "a ruleset or any object", so it hands out a plain dictionary.
    made = client.rulesets.create(zone_id=ZONE, **{**custom, **more})
    return client.rulesets.get(made["id"], zone_id=ZONE)


def new_alert(client: Any, **more: Any) -> Any:
    health = {
        "alert_type": "tunnel_health_event",
        "enabled": True,
        "name": "health",
        "mechanisms": {"email": [{"id": "someone@example.org"}]},
        "filters": {"new_status": ["TUNNEL_STATUS_TYPE_DOWN"]},
    }
    return client.alerting.policies.create(account_id=ACCOUNT, **{**health, **more})
