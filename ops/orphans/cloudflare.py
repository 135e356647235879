"""What at Cloudflare has the stack's name, in the order in which it can be deleted."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from components.backup.render import bucket
from components.edge.render import bans_list
from ops.audit.cloud import pages, read
from ops.audit.result import NotMeasuredError
from ops.doctor.api import Api
from ops.orphans.found import Found
from settings.cloud import Cloudflare

Row = dict[str, Any]
TUNNEL = r"(app|admin(-[a-z0-9-]+-\d+)?)-[a-z0-9]{6}"
"""How a tunnel's name ends: its role, on a Swarm the machine, and what was drawn for it."""


def cloudflare(api: Api, zone: Cloudflare, stack: str, domain: str) -> Iterator[Found]:
    """Raises ``NotMeasuredError`` where the API does not say."""
    account, site = f"/accounts/{zone.account_id}", f"/zones/{zone.zone_id}"
    title = f"zero-exposure {stack}"
    named, titled = _begins(f"{title}: "), _is("name", title)
    yield from _listed(api, "DNS record", f"{site}/dns_records", _is("comment", title))
    yield from _listed(api, "Access application", f"{account}/access/apps", named)
    yield from _listed(api, "Access policy", f"{account}/access/policies", named)
    yield from _listed(api, "service token", f"{account}/access/service_tokens", named)
    yield from _listed(api, "notification", f"{account}/alerting/v3/policies", named)
    yield from _listed(api, "tunnel", f"{account}/cfd_tunnel", lambda row: _living(row) and _named(stack)(row))
    yield from _listed(api, "ruleset", f"{site}/rulesets", titled)
    yield from _listed(api, "list", f"{account}/rules/lists", _is("name", bans_list(stack)))
    yield from _buckets(api, f"{account}/r2/buckets", bucket(stack, domain))


def ended(api: Api, zone: Cloudflare, stack: str) -> Iterator[tuple[str, str]]:
    """Id and name of each of its tunnels that was deleted: Cloudflare answers them still, with the time of their end.
    Raises ``NotMeasuredError``."""
    ours = _named(stack)
    for row in pages(api, f"/accounts/{zone.account_id}/cfd_tunnel"):
        if ours(row) and not _living(row):
            yield str(row["id"]), str(row["name"])


def _begins(text: str) -> Callable[[Row], bool]:
    return lambda row: str(row.get("name") or "").startswith(text)


def _named(stack: str) -> Callable[[Row], bool]:
    """Of a tunnel. Another stack's name may begin as this one's does."""
    name = re.compile(rf"zero-exposure-{re.escape(stack)}-{TUNNEL}")
    return lambda row: name.fullmatch(str(row.get("name") or "")) is not None


def _is(key: str, text: str) -> Callable[[Row], bool]:
    return lambda row: bool(row.get(key) == text)


def _living(row: Row) -> bool:
    return row.get("deleted_at") is None


def _listed(api: Api, kind: str, path: str, ours: Callable[[Row], bool]) -> Iterator[Found]:
    for row in pages(api, path):
        if ours(row):
            yield Found(kind, str(row["id"]), str(row.get("name") or row["id"]), f"{path}/{row['id']}")


def _buckets(api: Api, path: str, name: str) -> Iterator[Found]:
    """Cloudflare itself refuses to delete one that holds anything. An account without R2 refuses to list."""
    try:
        rows = read(api, path)["result"]["buckets"]
    except NotMeasuredError:
        return
    yield from (Found("bucket", name, name, f"{path}/{name}") for row in rows if row["name"] == name)
