"""The Hetzner project that the token belongs to. Errors: https://docs.hetzner.cloud/reference/cloud#errors."""

from collections.abc import Iterator

from ops.doctor.api import Api
from ops.doctor.finding import Finding, ok, unknown, wrong
from settings.cloud import Host
from settings.nodes import Machine

TOKEN = "Hetzner token"  # noqa: S105 - a heading
MAKE = "Make one with Read & Write: Hetzner Console, project, Security, API tokens; then " + (
    "pulumi config set --secret hcloud:token"
)


def hetzner(api: Api, host: Host, machines: tuple[Machine, ...] = ()) -> Iterator[Finding]:
    """The token, and whether what the stack file orders is for sale there: other zones have other types."""
    token = _token(api)
    yield token
    if token.verdict == "ok":
        orders = [(each.type, each.location) for each in machines] or [(host.type, host.location)]
        yield from (_server_type(api, *order) for order in dict.fromkeys(orders))


def _token(api: Api) -> Finding:
    if len(api.token) != 64:
        return wrong(TOKEN, f"has {len(api.token)} characters, not 64", MAKE)
    read = api.get("/servers?per_page=1")
    if read.refused:
        return wrong(TOKEN, f"is refused ({read.said})", MAKE)
    if read.status != 200:
        return unknown(TOKEN, f"the API gives no useful answer: {read.said}", "Try again; look at status.hetzner.com.")
    # The permission can't be read. An empty body is refused as invalid, unless the token may not write at all.
    if api.post_nothing("/ssh_keys").code == "token_readonly":
        return wrong(TOKEN, "may only read", MAKE)
    return ok(TOKEN, "reads and writes")


def _server_type(api: Api, kind: str, location: str) -> Finding:
    subject = f"server type {kind}"
    found = api.get(f"/server_types?name={kind}").body.get("server_types") or []
    if not found:
        return wrong(subject, "there is none of that name", "Choose another host.type, or one in nodes.")
    places = {price["location"] for price in found[0].get("prices", [])}
    if location not in places:
        known = ", ".join(sorted(places)) or "none"
        return wrong(
            subject,
            f"not for sale in {location}; in: {known}",
            "Choose another host.type or host.location, or others in nodes.",
        )
    return ok(subject, f"for sale in {location}")
