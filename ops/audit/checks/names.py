"""DNS: what the zone holds, and what names lead to from outside."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.audit import cloud
from ops.audit.cloud import Address
from ops.audit.live import Live
from ops.audit.result import Check, Result, judged

Record = Mapping[str, Any]
TUNNELS = ".cfargotunnel.com"


def judge_zone(
    records: Sequence[Record], origins: Sequence[Address], hosts: Sequence[str], admin_hosts: Sequence[str]
) -> Result:
    """``hosts`` are all names that the stack serves, SSH among them. An admin host needs no record of its own: the
    wildcard answers for it."""
    problems = [problem for record in records for problem in _record(record, origins)]
    by_name = {str(record["name"]): record for record in records if record["type"] in ("CNAME", "A", "AAAA")}
    for host in hosts:
        covered = by_name.get(host) or by_name.get(f"*.{host.partition('.')[2]}")
        if covered is None:
            problems.append(f"{host}: the zone has no record that leads to a tunnel")
        elif covered["type"] != "CNAME" or not str(covered["content"]).endswith(TUNNELS):
            problems.append(f"{host}: {covered['type']} record does not lead to a tunnel")
        elif host in admin_hosts and covered["name"] == host:
            problems.append(f"{host}: an admin host is listed by name in the zone")
    return judged(f"{len(records)} records in the zone, {len(hosts)} names served", problems)


def _record(record: Record, origins: Sequence[Address]) -> Iterator[str]:
    name, kind, content = record["name"], record["type"], str(record.get("content", ""))
    shown = [origin for origin in origins if _shows(content, origin)]
    if shown:
        yield f"{name}: {kind} record shows the server's address {shown[0]}"
    if kind in ("A", "AAAA") and not shown and _is_private(content):
        yield f"{name}: {kind} record with a private address: internal names are no business of public DNS"
    if content.endswith(TUNNELS) and not record.get("proxied"):
        yield f"{name}: not proxied, so it shows which tunnel is behind"


def _shows(content: str, origin: Address) -> bool:
    """In whatever notation, on its own or within a text such as SPF's, networks around it included."""
    words = content.replace('"', " ").replace(",", " ").split()
    return any(_covers(word.removeprefix("+").removeprefix("ip4:").removeprefix("ip6:"), origin) for word in words)


def _covers(word: str, origin: Address) -> bool:
    try:
        network = ipaddress.ip_network(word, strict=False)
    except ValueError:
        return False
    # A wide network says little; 0.0.0.0/0 in a text is not the server's address.
    narrow = network.prefixlen >= (64 if network.version == 6 else 24)
    return narrow and network.version == origin.version and origin in network


def _is_private(content: str) -> bool:
    try:
        found = ipaddress.ip_address(content)
    except ValueError:
        return False
    return found.is_private and not _is_placeholder(found)


def _is_placeholder(address: Address) -> bool:
    """192.0.2.0/24 and 100:: stand in proxied records that have no origin at all (Cloudflare's own advice)."""
    placeholders = [ipaddress.ip_network(text) for text in ("192.0.2.0/24", "100::/64", "2001:db8::/32")]
    return any(address in network for network in placeholders if network.version == address.version)


def judge_outside(found: Mapping[str, Sequence[Address]], origins: Sequence[Address]) -> Result:
    """``found``: name → what it resolves to from here."""
    problems = [
        f"{name} resolves to the server's address {address}"
        for name, addresses in found.items()
        for address in addresses
        if address in origins
    ]
    answered = sum(bool(addresses) for addresses in found.values())
    return judged(f"{len(found)} names asked for, {answered} resolve", problems)


def served(live: Live) -> list[str]:
    """Every name that the stack serves."""
    return sorted({*live.topology.hosts, *live.ssh_hosts})


def _records(live: Live) -> list[Record]:
    return list(cloud.pages(live.cloudflare, f"/zones/{live.zone.zone_id}/dns_records"))


def _zone(live: Live) -> Result:
    return judge_zone(_records(live), live.addresses, served(live), live.topology.admin_hosts)


def _outside(live: Live) -> Result:
    live.cloud_only()
    listed = {str(record["name"]) for record in _records(live) if not str(record["name"]).startswith("*")}
    names = sorted({*listed, *served(live), *live.settings.edge.former_names})
    return judge_outside({name: live.web.resolve(name) for name in names}, live.addresses)


CHECKS = (
    Check(
        "dns-zone",
        (1, 8),
        "No record of the zone shows the server's address or a private one, and every served name leads to a tunnel.",
        "discovery",
        "Delete the record. An address that was once published stays known: replace the server to get a new one.",
        _zone,
    ),
    Check(
        "dns-outside",
        (1,),
        "No name of the zone, and no former name, resolves to the server's address from outside.",
        "discovery",
        "Delete the record wherever the name is kept, then replace the server to get a new address.",
        _outside,
    ),
)
