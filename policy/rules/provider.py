"""Cloud providers: the vendors' own endpoints. A token sent elsewhere is a token given away."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from .model import Resource, Rule
from .reading import View

VENDORS: Final = {"api.hetzner.cloud", "api.hetzner.com", "api.cloudflare.com"}
LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


def endpoint(resource: Resource) -> Iterator[str]:
    provider = View(resource.props)
    for key in ("endpoint", "endpointHetzner", "baseUrl"):
        url = urlsplit(provider.text(key))
        own = url.scheme == "https" and url.hostname in VENDORS
        if provider.given(key) and not own and url.hostname not in LOOPBACK:
            yield f"{key}: neither the vendor's own address over HTTPS nor loopback"


RULES = (
    Rule(
        id="provider-endpoint",
        severity="critical",
        claim="Cloud tokens are sent to the vendor's own API, or to a simulator on loopback.",
        remediation="Leave the endpoint out.",
        threat="operations",
        types=("pulumi:providers:hcloud", "pulumi:providers:cloudflare"),
        check=endpoint,
    ),
)
