"""Cloudflare's edge: zone settings, bot settings, and types that are public by existing."""

from collections.abc import Iterator, Mapping
from typing import Final

from .model import Resource, Rule
from .reading import View
from .tokens import BOT_MANAGEMENT, ZONE_SETTING

SAFE_VALUES: Final[Mapping[str, frozenset[str]]] = {
    "ssl": frozenset({"full", "strict", "origin_pull"}),
    "min_tls_version": frozenset({"1.2", "1.3"}),
    "tls_1_3": frozenset({"on", "zrt"}),
    "always_use_https": frozenset({"on"}),
    "automatic_https_rewrites": frozenset({"on"}),
    "browser_check": frozenset({"on"}),
    "hotlink_protection": frozenset({"on", "off"}),
    "security_level": frozenset({"low", "medium", "high", "under_attack"}),
    "waf": frozenset({"on"}),
    "0rtt": frozenset({"off"}),
    "development_mode": frozenset({"off"}),
    "email_obfuscation": frozenset({"on"}),
    "privacy_pass": frozenset({"on", "off"}),
    "ipv6": frozenset({"on", "off"}),
    "websockets": frozenset({"on", "off"}),
    "http2": frozenset({"on", "off"}),
    "http3": frozenset({"on", "off"}),
    "brotli": frozenset({"on", "off"}),
    "early_hints": frozenset({"on", "off"}),
    "opportunistic_encryption": frozenset({"on", "off"}),
    "opportunistic_onion": frozenset({"off"}),
    "server_side_exclude": frozenset({"on", "off"}),
    "ip_geolocation": frozenset({"on", "off"}),
    "replace_insecure_js": frozenset({"on", "off"}),
    "rocket_loader": frozenset({"on", "off"}),
    "always_online": frozenset({"off"}),
    "pseudo_ipv4": frozenset({"off"}),
    "true_client_ip_header": frozenset({"off"}),
    "cache_level": frozenset({"basic", "simplified", "aggressive"}),
    "max_upload": frozenset(),
    "challenge_ttl": frozenset(),
    "browser_cache_ttl": frozenset(),
    "ciphers": frozenset(),
    "security_header": frozenset(),
}
"""Zone setting → its safe values. An empty set: any value, or a check of its own below."""
MIN_HSTS_SECONDS: Final = 15_552_000
WEAK_CIPHERS: Final = ("RC4", "3DES", "DES-", "NULL", "EXPORT", "MD5", "CBC")

R2_MANAGED: Final = "cloudflare:index/r2ManagedDomain:R2ManagedDomain"
R2_CUSTOM: Final = "cloudflare:index/r2CustomDomain:R2CustomDomain"
SCRIPT_SUBDOMAIN: Final = "cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain"
WORKER: Final = "cloudflare:index/worker:Worker"
SPECTRUM: Final = "cloudflare:index/spectrumApplication:SpectrumApplication"
BALANCER: Final = "cloudflare:index/loadBalancer:LoadBalancer"
POOL: Final = "cloudflare:index/loadBalancerPool:LoadBalancerPool"
HOST_TLS: Final = "cloudflare:index/hostnameTlsSetting:HostnameTlsSetting"
ROUTED: Final = (
    "cloudflare:index/workersRoute:WorkersRoute",
    "cloudflare:index/workersCustomDomain:WorkersCustomDomain",
    "cloudflare:index/workerDomain:WorkerDomain",
    "cloudflare:index/pagesDomain:PagesDomain",
    "cloudflare:index/customHostname:CustomHostname",
    "cloudflare:index/web3Hostname:Web3Hostname",
)


def zone_setting(resource: Resource) -> Iterator[str]:
    setting = View(resource.props)
    name = setting.text("settingId")
    safe = SAFE_VALUES.get(name)
    if safe is None:
        yield "settingId: not in the table of zone settings"
        return
    value = setting.known("value")
    if safe and value not in safe:
        yield f"value: not a safe value of {name}"
    if name == "security_header":
        yield from _hsts(setting)
    if name == "ciphers":
        yield from _ciphers(setting)


def _hsts(setting: View) -> Iterator[str]:
    header = setting.view("value")
    hsts = header.view("strict_transport_security")
    if not hsts.props:
        hsts = header.view("strictTransportSecurity")
    age = max(hsts.number("max_age"), hsts.number("maxAge"))
    if not hsts.flag("enabled") or age < MIN_HSTS_SECONDS:
        yield "value: HSTS is off or shorter than 180 days"


def _ciphers(setting: View) -> Iterator[str]:
    for index, cipher in enumerate(setting.texts("value")):
        name = cipher.upper()
        if name.endswith("-SHA") or any(weak in name for weak in WEAK_CIPHERS):
            yield f"value[{index}]: a weak cipher"


def host_tls(resource: Resource) -> Iterator[str]:
    setting = View(resource.props)
    if setting.text("settingId") == "min_tls_version" and setting.known("value") not in ("1.2", "1.3"):
        yield "value: TLS older than 1.2"


def bots(resource: Resource) -> Iterator[str]:
    settings = View(resource.props)
    if settings.known("fightMode") is False:
        yield "fightMode: off"
    if settings.text("aiBotsProtection") == "disabled":
        yield "aiBotsProtection: off"
    if settings.text("crawlerProtection") == "disabled":
        yield "crawlerProtection: off"


def not_public(resource: Resource) -> Iterator[str]:
    view = View(resource.props)
    if resource.type in (R2_MANAGED, SCRIPT_SUBDOMAIN, R2_CUSTOM):
        yield from _closed(view, "enabled", "previewsEnabled")
    elif resource.type == WORKER:
        yield from _closed(view.view("subdomain"), "enabled", "previewsEnabled")
    else:
        yield "public by existing: visitors reach it without passing the gateway"


def _closed(view: View, *keys: str) -> Iterator[str]:
    for key in keys:
        value = view.known(key)
        if value is not False and (value is not None or key == "enabled"):
            yield f"{view.at(key)}: not false"


def no_direct_origin(resource: Resource) -> Iterator[str]:
    view = View(resource.props)
    if resource.type == SPECTRUM:
        yield "protocol: a port of the edge forwarded to the origin"
    if resource.type == BALANCER and not view.flag("proxied"):
        yield "proxied: false, so visitors get the origins' addresses"
    if resource.type == POOL:
        for origin in view.views("origins"):
            if not origin.text("address").endswith(".cfargotunnel.com"):
                yield f"{origin.at('address')}: not a tunnel"


RULES = (
    Rule(
        id="zone-setting",
        severity="high",
        claim="Zone settings force HTTPS with TLS 1.2 or newer and keep the edge's checks on.",
        remediation="Use a safe value, or add the setting to the table with one.",
        threat="edge",
        types=(ZONE_SETTING,),
        check=zone_setting,
    ),
    Rule(
        id="host-tls",
        severity="high",
        claim="No host name allows TLS older than 1.2.",
        remediation="Set min_tls_version to 1.2 or 1.3.",
        threat="edge",
        types=(HOST_TLS,),
        check=host_tls,
    ),
    Rule(
        id="bot-management",
        severity="medium",
        claim="Bot and AI-crawler protection are on.",
        remediation="Leave fightMode on, aiBotsProtection and crawlerProtection enabled.",
        threat="edge",
        types=(BOT_MANAGEMENT,),
        check=bots,
    ),
    Rule(
        id="edge-not-public",
        severity="critical",
        claim="No bucket, worker or page is public past the gateway.",
        remediation="Set enabled (and previewsEnabled) to false, or remove the resource.",
        threat="edge",
        types=(R2_MANAGED, R2_CUSTOM, SCRIPT_SUBDOMAIN, WORKER, *ROUTED),
        check=not_public,
        waivable=False,
    ),
    Rule(
        id="edge-no-direct-origin",
        severity="critical",
        claim="The edge reaches an origin through a tunnel only.",
        remediation="Point pools at ID.cfargotunnel.com; remove Spectrum.",
        threat="edge",
        types=(SPECTRUM, BALANCER, POOL),
        check=no_direct_origin,
        waivable=False,
    ),
)
