"""DNS records: a proxied CNAME to a tunnel, or mail and verification records that name no address of ours."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from .model import UNKNOWN, Props, Resource, Rule
from .reading import View
from .tokens import DNS_RECORDS

TUNNEL_NAME: Final = re.compile(r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\.cfargotunnel\.com$")
ADDRESS: Final = re.compile(
    r"\bip[46]:|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])"
    r"|(?<!\d)(?:\d{1,3}[.-]){3}\d{1,3}[.-][a-z]"
    r"|\.(?:nip\.io|sslip\.io|xip\.io|clients\.your-server\.de)\b",
    re.IGNORECASE,
)
"""An IPv4 address, or a host's name that has one in it: a provider's for its machine, a service's for any."""
IPV6: Final = re.compile(
    r"(?<!\w)(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?!\w)", re.IGNORECASE
)


def tunnel_only(resource: Resource) -> Iterator[str]:
    """The tunnel's id is unknown before it exists; the stack rule asks where the content comes from."""
    record = View(resource.props)
    kind = record.text("type").upper()
    if kind == "CNAME":
        yield from _cname(record)
    elif kind in {"TXT", "MX"}:
        if tells_address(record.text("content")):
            yield "content: a text or mail record that tells an address"
    elif kind != "CAA":
        yield "type: only CNAME to a tunnel, TXT, MX and CAA; anything else tells where the origin is"
    if record.flag("privateRouting"):
        yield "privateRouting: routes the name into a private network"
    if record.view("data").given("target"):
        yield "data.target: the target belongs into content, as a tunnel's name"


def _cname(record: View) -> Iterator[str]:
    if record.text("name") == "@":
        yield "name: @ stands for the zone's own name; write it in full, so that it can be compared with the tunnel's"
    if not record.flag("proxied") and verifies(record.props):
        if record.props.get("content") is not UNKNOWN and tells_address(record.text("content")):
            yield "content: a verification record that tells an address"
        return
    if not record.flag("proxied"):
        yield "proxied: false, so visitors get the tunnel's own name and no edge in front"
    if record.props.get("content") is not UNKNOWN and not TUNNEL_NAME.match(record.text("content")):
        yield "content: not a tunnel's name (ID.cfargotunnel.com)"


def verifies(props: Props) -> bool:
    """True for what only proves something to a machine, as _acme-challenge and a mail service's key do.

    No browser asks for such a name, and what is proxied is meant for browsers.
    """
    name = props.get("name")
    named = isinstance(name, str) and (name.startswith("_") or "._domainkey." in f"{name.lower()}.")
    return named and props.get("proxied") in (None, False)


def tells_address(text: str) -> bool:
    return bool(ADDRESS.search(text)) or any(_is_address(found[0]) for found in IPV6.finditer(text))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


RULES = (
    Rule(
        id="dns-tunnel-only",
        severity="critical",
        claim="Every public name is a proxied CNAME to a tunnel; no record tells the origin's address.",
        remediation="Use a proxied CNAME with the content f'{tunnel.id}.cfargotunnel.com', under its full name.",
        threat="discovery",
        types=DNS_RECORDS,
        check=tunnel_only,
        waivable=False,
    ),
)
