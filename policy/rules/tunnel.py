"""Tunnels and what they let in."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from .addresses import is_inside, is_small_inside
from .model import UNKNOWN, Resource, Rule
from .reading import View
from .tokens import TUNNEL_CONFIGS, TUNNELS

ROUTES: Final = (
    "cloudflare:index/zeroTrustTunnelCloudflaredRoute:ZeroTrustTunnelCloudflaredRoute",
    "cloudflare:index/tunnelRoute:TunnelRoute",
    "cloudflare:index/zeroTrustNetworkHostnameRoute:ZeroTrustNetworkHostnameRoute",
    "cloudflare:index/zeroTrustTunnelWarpConnector:ZeroTrustTunnelWarpConnector",
)
HOW_LONG: Final = {
    "connectTimeout",
    "disableChunkedEncoding",
    "http2Origin",
    "keepAliveConnections",
    "keepAliveTimeout",
    "noHappyEyeballs",
    "tcpKeepAlive",
    "tlsTimeout",
}
"""What of originRequest says how a connection is made and held. All else changes who is asked, or who is believed."""
CATCH_ALL: Final = "http_status:404"
DOCKER_PORTS: Final = {2375, 2376, 2377}
ONE_LABEL: Final = re.compile(r"^(?=.*[a-z])[a-z0-9_-]+$")
SECRET_BYTES: Final = 32


def config_source(resource: Resource) -> Iterator[str]:
    tunnel = View(resource.props)
    if tunnel.text("configSrc") != "cloudflare":
        yield "configSrc: not cloudflare, so the ingress is in a file that nobody sees"


def secret_length(resource: Resource) -> Iterator[str]:
    secret = resource.props.get("tunnelSecret")
    if secret is None or secret is UNKNOWN:
        return
    try:
        size = len(base64.b64decode(View(resource.props).text("tunnelSecret"), validate=True))
    except binascii.Error:
        size = 0
    if size < SECRET_BYTES:
        yield f"tunnelSecret: not base64 of at least {SECRET_BYTES} bytes"


def ingress(resource: Resource) -> Iterator[str]:
    config = View(resource.props).view("config")
    rules = config.views("ingresses")
    if not rules or rules[-1].text("service") != CATCH_ALL or rules[-1].text("hostname"):
        yield f"config.ingresses: the last rule must be the catch-all {CATCH_ALL}"
    for rule in rules[:-1]:
        if not rule.text("hostname"):
            yield f"{rule.at('hostname')}: only the last rule may be without"
        yield from _service(rule)
    if View(resource.props).text("source") not in {"", "cloudflare"}:
        yield "source: not cloudflare, so the ingress is in a file that nobody sees"


def _service(rule: View) -> Iterator[str]:
    service = rule.text("service")
    if service.startswith("http_status:"):
        return
    url = urlsplit(service)
    path = rule.at("service")
    if url.scheme not in {"http", "https", "ssh"}:
        yield f"{path}: only http, https, ssh and http_status"
    elif not _is_private(url.hostname or ""):
        yield f"{path}: the target is not a private name or address"
    elif (_port(url.netloc) or 0) in DOCKER_PORTS:
        yield f"{path}: the Docker Engine's port"
    if url.scheme == "ssh":
        yield from _access_required(rule)


def _port(netloc: str) -> int | None:
    port = netloc.rpartition(":")[2]
    return int(port) if port.isdigit() else None


def _is_private(host: str) -> bool:
    """A private address, or a name of one label, which no public resolver answers."""
    return is_inside(host) or bool(ONE_LABEL.match(host))


def _access_required(rule: View) -> Iterator[str]:
    access = rule.view("originRequest").view("access")
    if access.known("required") is not True:
        yield f"{access.at('required')}: SSH without an Access check in the connector"
    if not access.items("audTags"):
        yield f"{access.at('audTags')}: no Access application named"
    if not access.text("teamName"):
        yield f"{access.at('teamName')}: no Access team named"


def origin_request(resource: Resource) -> Iterator[str]:
    config = View(resource.props).view("config")
    if config.view("originRequest").known("access") is not None:
        yield "config.originRequest.access: ignored there without a word; set it on each ingress rule"
    for request in (config, *config.views("ingresses")):
        origin = request.view("originRequest")
        for key in sorted(set(origin.props) - HOW_LONG - {"access"}):
            if origin.given(key):
                yield f"{origin.at(key)}: another host or a certificate that is not checked, behind the gateway's back"


def private_route(resource: Resource) -> Iterator[str]:
    route = View(resource.props)
    network = route.text("network")
    if "WarpConnector" in resource.type:
        yield "name: the connector joins a whole network to the account's devices"
    elif "HostnameRoute" in resource.type and not route.text("hostname").endswith(".internal"):
        yield "hostname: routes a public name into the private network"
    elif network and not is_small_inside(network):
        yield "network: not one small private network (/24 or /64 at most)"


RULES = (
    Rule(
        id="tunnel-config-source",
        severity="critical",
        claim="Every tunnel takes its configuration from Cloudflare, where this program sets it.",
        remediation='Set configSrc to "cloudflare".',
        threat="tunnel",
        types=TUNNELS,
        check=config_source,
        waivable=False,
    ),
    Rule(
        id="tunnel-secret-length",
        severity="high",
        claim="A tunnel's secret has at least 32 random bytes.",
        remediation="Use base64 of 32 bytes made of a RandomPassword, such as its SHA-256.",
        threat="tunnel",
        types=TUNNELS,
        check=secret_length,
    ),
    Rule(
        id="ingress-service",
        severity="critical",
        claim="A tunnel leads to private HTTP services, to SSH behind Access, and otherwise to a 404.",
        remediation="Name a private target; require Access on SSH; end with http_status:404.",
        threat="tunnel",
        types=TUNNEL_CONFIGS,
        check=ingress,
        waivable=False,
    ),
    Rule(
        id="ingress-origin-request",
        severity="critical",
        claim="Access is demanded where the connector reads it, a request keeps its host, certificates are checked.",
        remediation="Set originRequest.access on each ingress rule; of the rest leave nothing but timeouts.",
        threat="tunnel",
        types=TUNNEL_CONFIGS,
        check=origin_request,
        waivable=False,
    ),
    Rule(
        id="tunnel-private-route",
        severity="critical",
        claim="No tunnel routes a whole network or a public name to the account's devices.",
        remediation="Publish single services by ingress rules.",
        threat="tunnel",
        types=ROUTES,
        check=private_route,
        waivable=False,
    ),
)
