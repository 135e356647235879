"""DNS records: a proxied CNAME to a tunnel, or mail and verification records that name no address of ours."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from .model import UNKNOWN, Resource, Rule
from .reading import View
from .tokens import DNS_RECORDS

TUNNEL_NAME: Final = re.compile(r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\.cfargotunnel\.com$")
ADDRESS_IN_TEXT: Final = re.compile(r"\bip[46]:|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])", re.IGNORECASE)


def tunnel_only(resource: Resource) -> Iterator[str]:
    """The tunnel's id is unknown before it exists; the stack rule asks where the content comes from."""
    record = View(resource.props)
    kind = record.text("type").upper()
    if kind == "CNAME":
        yield from _cname(record)
    elif kind == "TXT":
        if ADDRESS_IN_TEXT.search(record.text("content")):
            yield "content: a text record that tells an address"
    elif kind == "MX":
        if _is_address(record.text("content")):
            yield "content: a mail record that tells an address"
    elif kind != "CAA":
        yield "type: only CNAME to a tunnel, TXT, MX and CAA; anything else tells where the origin is"
    if record.flag("privateRouting"):
        yield "privateRouting: routes the name into a private network"


def _cname(record: View) -> Iterator[str]:
    if record.text("name").startswith("_") and not record.flag("proxied"):
        return  # a verification record, such as _acme-challenge
    if not record.flag("proxied"):
        yield "proxied: false, so visitors get the tunnel's own name and no edge in front"
    if record.props.get("content") is not UNKNOWN and not TUNNEL_NAME.match(record.text("content")):
        yield "content: not a tunnel's name (ID.cfargotunnel.com)"
    if record.view("data").given("target"):
        yield "data.target: the target belongs into content, as a tunnel's name"


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
        remediation="Use a proxied CNAME with the content f'{tunnel.id}.cfargotunnel.com'.",
        threat="discovery",
        types=DNS_RECORDS,
        check=tunnel_only,
        waivable=False,
    ),
)
