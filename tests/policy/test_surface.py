"""Everything known to open a way in has a case, and every type that the SDKs have is allowed by name or denied."""

import json
import re
from pathlib import Path

import pulumi_cloudflare
import pulumi_command
import pulumi_docker
import pulumi_hcloud
import pulumi_random
import pulumi_tls
import pytest

from policy.rules.engine import check_resource
from policy.rules.model import Resource
from policy.rules.types import ALLOWED, INSTEAD
from tests.policy.test_rules import CASES

SDKS = (pulumi_cloudflare, pulumi_command, pulumi_docker, pulumi_hcloud, pulumi_random, pulumi_tls)
SURFACE = {
    "hcloud": (
        *("Firewall", "FirewallAttachment", "Server", "PrimaryIp", "FloatingIp", "FloatingIpAssignment", "Rdns"),
        *("LoadBalancer", "LoadBalancerNetwork", "LoadBalancerService", "LoadBalancerTarget"),
        *("StorageBox", "StorageBoxSubaccount", "ZoneRecord", "ZoneRrset"),
    ),
    "docker": (
        *("Container", "Volume", "Service", "Network", "Plugin", "BuildxBuilder", "Image", "RemoteImage"),
        "RegistryImage",
    ),
    "cloudflare": (
        *("DnsRecord", "Record", "ZeroTrustTunnelCloudflaredConfig", "TunnelConfig", "ZeroTrustTunnelCloudflared"),
        *("Tunnel", "ZeroTrustTunnelCloudflaredRoute", "TunnelRoute", "ZeroTrustNetworkHostnameRoute"),
        *("ZeroTrustTunnelWarpConnector", "ZeroTrustAccessPolicy", "ZeroTrustAccessApplication"),
        *("AccessApplication", "ZeroTrustAccessGroup", "ZoneSetting", "HostnameTlsSetting", "Ruleset", "PageRule"),
        *("FirewallRule", "AccessRule", "SpectrumApplication", "LoadBalancer", "LoadBalancerPool"),
        *("R2ManagedDomain", "R2CustomDomain", "WorkersScriptSubdomain", "Worker", "WorkersRoute"),
        *("WorkersCustomDomain", "PagesDomain"),
    ),
}
"""What can open a way in, by provider."""


def tokens() -> set[str]:
    """Every type token of the installed SDKs, as they register them."""
    found: set[str] = set()
    for sdk in SDKS:
        text = Path(str(sdk.__file__)).read_text(encoding="utf-8")
        registry = re.search(r'resource_modules="""\n(.*?)\n"""', text, re.DOTALL)
        assert registry, sdk.__name__
        found |= {token for module in json.loads(registry[1]) for token in module["classes"]}
    return found


def test_what_opens_a_way_in_has_a_case_each() -> None:
    cased = {case.type for cases in CASES.values() for case in cases.caught.values()}
    wanted = {f"{sdk}:index/{name[0].lower()}{name[1:]}:{name}" for sdk, names in SURFACE.items() for name in names}
    wanted |= {f"command:remote:{name}" for name in ("Command", "CopyFile", "CopyToRemote")}
    wanted |= {"command:local:Command", "pulumi:providers:docker"}
    assert wanted - cased == set()


@pytest.fixture(scope="module")
def known() -> set[str]:
    """The tokens, read once."""
    return tokens()


def test_every_type_that_is_not_in_the_table_is_denied(known: set[str]) -> None:
    assert len(known) > 350
    for token in known - set(ALLOWED):
        assert "type-allowed" in {violation.rule for violation in check_resource(Resource(token, "x", "urn"))}


def test_every_name_in_the_tables_is_one_that_the_sdks_have(known: set[str]) -> None:
    own = ("pulumi:", "pulumi-python:")
    assert {token for token in (*ALLOWED, *INSTEAD) if not token.startswith(own)} <= known
