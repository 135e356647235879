"""The Cloudflare account and zone. Reads only: that a permission may edit shows at the first `pulumi up`."""

from collections.abc import Iterator

from ops.doctor.api import Api
from ops.doctor.finding import Finding, ok, unknown, wrong
from settings.stack import Settings

TOKEN = "Cloudflare token"  # noqa: S105 - a heading
MAKE = "Make one with the permissions in docs/cloudflare.md; then pulumi config set --secret cloudflare:apiToken"
ACCOUNT = {
    "Cloudflare Tunnel": "cfd_tunnel?per_page=1",
    "Access: Apps and Policies": "access/apps?per_page=1",
    "Access: Service Tokens": "access/service_tokens?per_page=1",
    "Notifications": "alerting/v3/policies",
}
"""Permission of an account → what can be read with it."""
ZONE = {"DNS": "dns_records?per_page=1"}
MANAGED = {"Zone Settings": "settings/ssl", "Zone WAF": "rulesets", "Bot Management": "bot_management"}
"""Permissions of a zone; the second group only where the stack manages the zone's settings."""


def cloudflare(api: Api, settings: Settings) -> Iterator[Finding]:
    """The token, its permissions, the zone, and what in the zone would be in the way."""
    token = _token(api)
    yield token
    if token.verdict != "ok" or settings.cloudflare is None:
        return
    account, zone = settings.cloudflare.account_id, settings.cloudflare.zone_id
    yield _zone(api, settings.domain, account, zone)
    yield _team(api, account, settings.cloudflare.team)
    for permission, path in ACCOUNT.items():
        yield _permission(api, permission, f"/accounts/{account}/{path}")
    for permission, path in (ZONE | (MANAGED if settings.edge.manage_zone else {})).items():
        yield _permission(api, permission, f"/zones/{zone}/{path}")
    if settings.edge.manage_zone:
        yield _bots(api, zone, settings.cloudflare.plan)


def _token(api: Api) -> Finding:
    answer = api.get("/user/tokens/verify")
    if answer.status == 0 or answer.status >= 500:
        return unknown(TOKEN, f"the API gives no useful answer: {answer.said}", "Try again.")
    status = (answer.body.get("result") or {}).get("status")
    return ok(TOKEN, "active") if status == "active" else wrong(TOKEN, f"is refused ({status or answer.said})", MAKE)


def _zone(api: Api, domain: str, account: str, zone: str) -> Finding:
    answer = api.get(f"/zones/{zone}")
    found = answer.body.get("result") or {}
    if answer.status != 200:
        return wrong(
            "zone", f"can't be read ({answer.said})", "Check cloudflare.zone_id, and that the token covers it."
        )
    if found.get("name") != domain:
        return wrong("zone", f"{zone} is {found.get('name')}, not {domain}", "Check cloudflare.zone_id and domain.")
    if (found.get("account") or {}).get("id") != account:
        return wrong("zone", "belongs to another account", "Check cloudflare.account_id.")
    if found.get("status") != "active":
        remedy = "Set the zone's name servers at the domain's registrar, and wait for Cloudflare's mail."
        return wrong("zone", f"is {found.get('status')}, not active", remedy)
    return ok("zone", f"{domain} is active")


def _team(api: Api, account: str, team: str) -> Finding:
    answer = api.get(f"/accounts/{account}/access/organizations")
    domain = str((answer.body.get("result") or {}).get("auth_domain", ""))
    if answer.refused:
        return unknown(
            "Zero Trust team", f"can't be read ({answer.said})", "Compare cloudflare.team with Zero Trust, Settings."
        )
    if not domain:
        return wrong(
            "Zero Trust team",
            "Zero Trust is not switched on",
            "Open Zero Trust in the dashboard and choose a team name.",
        )
    if domain.removesuffix(".cloudflareaccess.com") != team:
        return wrong("Zero Trust team", f"is {domain}, not {team}.cloudflareaccess.com", "Change cloudflare.team.")
    return ok("Zero Trust team", domain)


def _permission(api: Api, permission: str, path: str) -> Finding:
    answer = api.get(path)
    subject = f"permission {permission}"
    if answer.refused:
        return wrong(subject, f"missing ({answer.said})", "Add it to the token, with Edit: docs/cloudflare.md.")
    if answer.status != 200:
        return unknown(subject, f"can't be told: {answer.said}", "Try again.")
    return ok(subject, "reads")


def _bots(api: Api, zone: str, plan: str) -> Finding:
    answer = api.get(f"/zones/{zone}/bot_management")
    fights = bool((answer.body.get("result") or {}).get("fight_mode"))
    if plan == "free" and fights:
        remedy = "Switch it off: Security, Settings, Bot traffic. It stops cloudflared access ssh (docs/adr/0012)."
        return wrong("Bot Fight Mode", "is on, and on the free plan it can't spare the SSH host", remedy)
    return ok("Bot Fight Mode", "does not stop SSH")
