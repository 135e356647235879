"""Applications, reusable policies, service tokens and the organization of Access.

https://developers.cloudflare.com/api/resources/zero_trust/subresources/access
"""

import re
import secrets
from datetime import UTC, datetime, timedelta

from simulators import ids
from simulators.call import Answer, Call, Route
from simulators.cloudflare.collection import drop, get, keep, reading, rows, shown
from simulators.cloudflare.envelope import refusal, result
from simulators.cloudflare.requests import Application, Policy, PolicyReference, ServiceToken
from simulators.store import Row, Store

APPS, POLICIES, TOKENS = "access_apps", "access_policies", "access_service_tokens"
ACCESS = "/accounts/{scope}/access"
INVALID, APP_EXISTS = 12130, 11010
YEAR = "8760h"


# Applications


def _create_app(call: Call) -> Answer:
    asked = call.read(Application)
    _refuse_taken(call, asked.domain, None)
    identity = {"id": ids.universal(call.store), "aud": secrets.token_hex(32), "created_at": call.clock.stamp()}
    return result(_app(call.store, keep(call, APPS, {**identity, **_app_values(call, asked)})), 201)


def _refuse_taken(call: Call, domain: str, own: str | None) -> None:
    if any(row["domain"] == domain and row["id"] != own for row in rows(call, APPS)):
        raise refusal(409, APP_EXISTS, "access.api.error.application_already_exists")


def _app_values(call: Call, asked: Application) -> Row:
    """Everything that the application's fields decide."""
    return {
        "self_hosted_domains": [asked.domain],
        "destinations": [{"type": "public", "uri": asked.domain}],
        "auto_redirect_to_identity": False,
        "allowed_idps": [],
        "tags": [],
        **asked.sent(),
        "name": asked.name or asked.domain,
        "policies": _references(call, asked.policies),
        "updated_at": call.clock.stamp(),
    }


def _references(call: Call, policies: list[PolicyReference | str]) -> list[Row]:
    chosen = []
    for rank, policy in enumerate(policies, start=1):
        number = policy if isinstance(policy, str) else policy.id
        if number not in [row["id"] for row in rows(call, POLICIES)]:
            raise refusal(400, INVALID, "access.api.error.invalid_request: a policy is not there")
        precedence = None if isinstance(policy, str) else policy.precedence
        chosen.append({"id": number, "precedence": precedence or rank})
    return chosen


def _app(store: Store, row: Row) -> Row:
    """An application as the API shows it, with its policies in full."""
    table = store.table(POLICIES)
    policies = [{**_policy(store, table[found["id"]]), **found} for found in row["policies"]]
    return {**shown(row), "policies": sorted(policies, key=lambda policy: int(policy["precedence"]))}


def _list_apps(call: Call) -> Answer:
    found = [row for row in rows(call, APPS) if call.one("domain") in (None, row["domain"])]
    return result([_app(call.store, row) for row in found])


def _get_app(call: Call) -> Answer:
    return result(_app(call.store, get(call, APPS)))


def _update_app(call: Call) -> Answer:
    row, asked = get(call, APPS), call.read(Application)
    _refuse_taken(call, asked.domain, row["id"])
    kept = {key: row[key] for key in ("id", "aud", "created_at", "_scope")}
    values = _app_values(call, asked)
    row.clear()
    row.update(kept, **values)
    return result(_app(call.store, row))


def _delete_app(call: Call) -> Answer:
    return result({"id": drop(call, APPS)["id"]}, 202)


# Reusable policies


def _create_policy(call: Call) -> Answer:
    row = {"id": ids.universal(call.store), "created_at": call.clock.stamp(), **_policy_values(call)}
    return result(_policy(call.store, keep(call, POLICIES, row)), 201)


def _policy_values(call: Call) -> Row:
    asked = call.read(Policy)
    tokens = [rule["service_token"]["token_id"] for rule in asked.include if "service_token" in rule]
    if not set(tokens) <= {row["id"] for row in rows(call, TOKENS)}:
        raise refusal(400, INVALID, "access.api.error.invalid_request: a service token is not there")
    return {**asked.sent(), "reusable": True, "updated_at": call.clock.stamp()}


def _policy(store: Store, row: Row) -> Row:
    """A policy as the API shows it, with the number of its applications."""
    using = [app for app in store.table(APPS).values() if row["id"] in [found["id"] for found in app["policies"]]]
    return {**shown(row), "app_count": len(using)}


def _list_policies(call: Call) -> Answer:
    return result([_policy(call.store, row) for row in rows(call, POLICIES)])


def _get_policy(call: Call) -> Answer:
    return result(_policy(call.store, get(call, POLICIES)))


def _update_policy(call: Call) -> Answer:
    row, values = get(call, POLICIES), _policy_values(call)
    kept = {key: row[key] for key in ("id", "created_at", "_scope")}
    row.clear()
    row.update(kept, **values)
    return result(_policy(call.store, row))


def _delete_policy(call: Call) -> Answer:
    if _policy(call.store, get(call, POLICIES))["app_count"]:
        raise refusal(400, INVALID, "access.api.error.invalid_request: the policy is used by applications")
    return result({"id": drop(call, POLICIES)["id"]}, 202)


# Service tokens. The secret is shown once.


def _create_token(call: Call) -> Answer:
    asked = call.read(ServiceToken)
    if not asked.name:
        raise refusal(400, INVALID, "access.api.error.invalid_request: name is needed")
    duration, secret = asked.duration or YEAR, secrets.token_hex(32)
    row = {
        "id": ids.universal(call.store),
        "name": asked.name,
        "client_id": f"{secrets.token_hex(16)}.access",
        "duration": duration,
        "enabled": True if asked.enabled is None else asked.enabled,
        "expires_at": _expiry(call, duration),
        "client_secret_version": asked.client_secret_version or 1,
        "created_at": call.clock.stamp(),
        "updated_at": call.clock.stamp(),
        "_secret": secret,
    }
    return result({**shown(keep(call, TOKENS, row)), "client_secret": secret}, 201)


def _expiry(call: Call, duration: str) -> str:
    hours = sum(int(number) for number in re.findall(r"(\d+)h", duration))
    begin = datetime.fromtimestamp(call.clock.now(), UTC)
    return (begin + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _update_token(call: Call) -> Answer:
    """A higher version of the secret makes a new one, which is shown in this answer alone."""
    row, asked = get(call, TOKENS), call.read(ServiceToken)
    renewed = (asked.client_secret_version or 0) > row["client_secret_version"]
    row.update(asked.sent(), updated_at=call.clock.stamp())
    if asked.duration:
        row["expires_at"] = _expiry(call, asked.duration)
    return _renewed(row) if renewed else result(shown(row))


def _renewed(row: Row) -> Answer:
    row["_secret"] = secrets.token_hex(32)
    return result({**shown(row), "client_secret": row["_secret"]})


def _rotate_token(call: Call) -> Answer:
    row = get(call, TOKENS)
    row["client_secret_version"] += 1
    return _renewed(row)


def _delete_token(call: Call) -> Answer:
    row = get(call, TOKENS)
    rules = [rule for policy in rows(call, POLICIES) for rule in policy["include"]]
    if any(rule.get("service_token", {}).get("token_id") == row["id"] for rule in rules):
        raise refusal(400, INVALID, "access.api.error.invalid_request: the service token is used by policies")
    return result(shown(drop(call, TOKENS)))


# The organization


def _organization(call: Call) -> Answer:
    account = call.store.table("accounts")[call.match["scope"]]
    return result({"name": account["name"], "auth_domain": f"{account['team']}.cloudflareaccess.com"})


def _identity_providers(_: Call) -> Answer:
    return result([{"id": "00000000-0000-5000-8000-000000000001", "name": "", "type": "onetimepin", "config": {}}])


ROUTES = [
    Route("POST", f"{ACCESS}/apps", _create_app),
    Route("GET", f"{ACCESS}/apps", _list_apps),
    Route("GET", f"{ACCESS}/apps/{{id}}", _get_app),
    Route("PUT", f"{ACCESS}/apps/{{id}}", _update_app),
    Route("DELETE", f"{ACCESS}/apps/{{id}}", _delete_app),
    Route("POST", f"{ACCESS}/policies", _create_policy),
    Route("GET", f"{ACCESS}/policies", _list_policies),
    Route("GET", f"{ACCESS}/policies/{{id}}", _get_policy),
    Route("PUT", f"{ACCESS}/policies/{{id}}", _update_policy),
    Route("DELETE", f"{ACCESS}/policies/{{id}}", _delete_policy),
    Route("POST", f"{ACCESS}/service_tokens", _create_token),
    *reading(f"{ACCESS}/service_tokens", TOKENS),
    Route("PUT", f"{ACCESS}/service_tokens/{{id}}", _update_token),
    Route("POST", f"{ACCESS}/service_tokens/{{id}}/rotate", _rotate_token),
    Route("DELETE", f"{ACCESS}/service_tokens/{{id}}", _delete_token),
    Route("GET", f"{ACCESS}/organizations", _organization),
    Route("GET", f"{ACCESS}/identity_providers", _identity_providers),
]
