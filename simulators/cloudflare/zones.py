"""A zone: its settings, bots and signatures. They belong to the zone and are never deleted.

https://developers.cloudflare.com/api/resources/zones with settings, …/bot_management, …/dns/subresources/dnssec
"""

from simulators.call import Answer, Call, Route
from simulators.cloudflare.collection import shown
from simulators.cloudflare.envelope import not_found, refusal, result
from simulators.cloudflare.requests import Dnssec, Setting
from simulators.store import Row

ON_OFF = ("on", "off")
CHOICES: dict[str, tuple[str, ...]] = {
    "0rtt": ON_OFF,
    "always_use_https": ON_OFF,
    "automatic_https_rewrites": ON_OFF,
    "browser_check": ON_OFF,
    "hotlink_protection": ON_OFF,
    "http3": ON_OFF,
    "ipv6": ON_OFF,
    "min_tls_version": ("1.0", "1.1", "1.2", "1.3"),
    "opportunistic_encryption": ON_OFF,
    "security_level": ("off", "essentially_off", "low", "medium", "high", "under_attack"),
    "ssl": ("off", "flexible", "full", "strict"),
    "tls_1_3": ("on", "off", "zrt"),
    "websockets": ON_OFF,
}
HSTS = "security_header"
DEFAULTS: Row = {
    **{name: "off" for name, choices in CHOICES.items() if choices == ON_OFF},
    "browser_check": "on",
    "min_tls_version": "1.0",
    "security_level": "medium",
    "ssl": "full",
    "tls_1_3": "on",
    HSTS: {
        "strict_transport_security": {
            "enabled": False,
            "max_age": 0,
            "include_subdomains": False,
            "nosniff": False,
            "preload": False,
        }
    },
}
FREE_BOTS: Row = {
    "ai_bots_protection": "disabled",
    "cf_robots_variant": "off",
    "crawler_protection": "disabled",
    "enable_js": True,
    "fight_mode": False,
    "is_robots_txt_managed": False,
    "using_latest_model": True,
}
PAID_BOTS: Row = {
    **{key: value for key, value in FREE_BOTS.items() if key != "fight_mode"},
    "optimize_wordpress": False,
    "sbfm_definitely_automated": "allow",
    "sbfm_static_resource_protection": False,
    "sbfm_verified_bots": "allow",
}
MORE_BOTS = {"business": {"sbfm_likely_automated": "allow"}, "enterprise": {"sbfm_likely_automated": "allow"}}
NO_SIGNATURE: Row = {
    "status": "disabled",
    "algorithm": None,
    "digest": None,
    "digest_algorithm": None,
    "digest_type": None,
    "ds": None,
    "flags": None,
    "key_tag": None,
    "key_type": None,
    "public_key": None,
    "modified_on": None,
}


def new(account: Row, number: str, name: str, plan: str) -> Row:
    """A zone that is active, as the plan's defaults have it."""
    bots = FREE_BOTS if plan == "free" else {**PAID_BOTS, **MORE_BOTS.get(plan, {})}
    return {
        "id": number,
        "name": name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "account": {"id": account["id"], "name": account["name"]},
        "owner": {"id": None, "type": "user", "email": None},
        "plan": {"id": plan, "name": plan, "legacy_id": plan},
        "meta": {"cdn_only": False, "dns_only": False, "page_rule_quota": 3, "step": 4},
        "name_servers": ["one.ns.invalid", "two.ns.invalid"],
        "permissions": ["#zone:read", "#zone:edit"],
        "created_on": "2025-01-01T00:00:00Z",
        "modified_on": "2025-01-01T00:00:00Z",
        "activated_on": "2025-01-01T00:00:00Z",
        "_settings": dict(DEFAULTS),
        "_bots": dict(bots),
        "_dnssec": dict(NO_SIGNATURE),
    }


def zone(call: Call) -> Row:
    """The zone of the path."""
    row = call.store.table("zones").get(call.match["scope"])
    if row is None:
        raise not_found()
    return row


def _get(call: Call) -> Answer:
    return result(shown(zone(call)))


def _list(call: Call) -> Answer:
    found = [row for row in call.store.table("zones").values() if call.one("name") in (None, row["name"])]
    return result([shown(row) for row in found])


def _settings(call: Call) -> Answer:
    return result([_setting(call, zone(call), name) for name in zone(call)["_settings"]])


def _get_setting(call: Call) -> Answer:
    return result(_setting(call, zone(call), call.match["id"]))


def _setting(call: Call, row: Row, name: str) -> Row:
    if name not in row["_settings"]:
        raise refusal(400, 1006, f"Unrecognized zone setting name: {name}, or it is not simulated")
    return {"id": name, "value": row["_settings"][name], "editable": True, "modified_on": call.clock.stamp()}


def _edit_setting(call: Call) -> Answer:
    row, name, asked = zone(call), call.match["id"], call.read(Setting)
    _setting(call, row, name)
    if name in CHOICES and asked.value not in CHOICES[name]:
        raise refusal(400, 1007, f"Invalid value for zone setting {name}")
    if name == HSTS:
        row["_settings"][name] = _hsts(row, asked)
    else:
        row["_settings"][name] = asked.value
    return result(_setting(call, row, name))


def _hsts(row: Row, asked: Setting) -> Row:
    """Nested keys of another spelling are ignored, as the API does."""
    old = row["_settings"][HSTS]["strict_transport_security"]
    new = asked.value.get("strict_transport_security", {}) if isinstance(asked.value, dict) else {}
    return {"strict_transport_security": {**old, **{key: value for key, value in new.items() if key in old}}}


def _get_bots(call: Call) -> Answer:
    return result(zone(call)["_bots"])


def _update_bots(call: Call) -> Answer:
    """A plan's fields only: the others are refused."""
    row, asked = zone(call), {key: value for key, value in (call.body or {}).items() if value is not None}
    unknown = set(asked) - set(row["_bots"])
    if unknown:
        raise refusal(400, 0, f"{min(unknown)} is not part of the zone's plan, or not simulated")
    row["_bots"].update(asked)
    return result(row["_bots"])


def _get_dnssec(call: Call) -> Answer:
    return result(zone(call)["_dnssec"])


def _edit_dnssec(call: Call) -> Answer:
    """ "active" stays "pending" until the registrar publishes the key, which nobody does here."""
    row, asked = zone(call), call.read(Dnssec)
    if asked.status == "active" and row["_dnssec"]["status"] == NO_SIGNATURE["status"]:
        row["_dnssec"] = _signature(call, row["name"])
    if asked.status == "disabled":
        row["_dnssec"] = {**NO_SIGNATURE, "modified_on": call.clock.stamp()}
    return result(row["_dnssec"])


def _signature(call: Call, name: str) -> Row:
    digest = "AB" * 32
    return {
        "status": "pending",
        "algorithm": "13",
        "digest": digest,
        "digest_algorithm": "SHA256",
        "digest_type": "2",
        "ds": f"{name}. 3600 IN DS 2371 13 2 {digest}",
        "flags": 257,
        "key_tag": 2371,
        "key_type": "ECDSAP256SHA256",
        "public_key": "AA==",
        "modified_on": call.clock.stamp(),
    }


def _delete_dnssec(call: Call) -> Answer:
    zone(call)["_dnssec"] = dict(NO_SIGNATURE)
    return result("")


ROUTES = [
    Route("GET", "/zones", _list),
    Route("GET", "/zones/{scope}", _get),
    Route("GET", "/zones/{scope}/settings", _settings),
    Route("GET", "/zones/{scope}/settings/{id}", _get_setting),
    Route("PATCH", "/zones/{scope}/settings/{id}", _edit_setting),
    Route("GET", "/zones/{scope}/bot_management", _get_bots),
    Route("PUT", "/zones/{scope}/bot_management", _update_bots),
    Route("GET", "/zones/{scope}/dnssec", _get_dnssec),
    Route("PATCH", "/zones/{scope}/dnssec", _edit_dnssec),
    Route("DELETE", "/zones/{scope}/dnssec", _delete_dnssec),
]
