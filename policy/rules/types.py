"""Default deny: the one table of the types that a stack may have, each with what makes it safe to have."""

from collections.abc import Iterator, Mapping
from typing import Final

from . import tokens
from .model import Resource, Rule

COMPONENTS: Final = "zero-exposure:index:"
"""Prefix of the program's own components. A component creates nothing: its children are checked."""

ALLOWED: Final[Mapping[str, str]] = {
    "pulumi:pulumi:Stack": "the root of every stack",
    "pulumi:providers:hcloud": "provider-endpoint",
    "pulumi:providers:cloudflare": "provider-endpoint",
    "pulumi:providers:docker": "docker-host",
    "pulumi:providers:command": "has no settings",
    "pulumi:providers:random": "has no settings",
    "pulumi:providers:tls": "makes keys, listens nowhere",
    tokens.FIREWALL: "firewall-no-inbound",
    "hcloud:index/sshKey:SshKey": "a public key; sshd listens on loopback only",
    "hcloud:index/volume:Volume": "storage inside the server's location",
    "hcloud:index/volumeAttachment:VolumeAttachment": "storage inside the server's location",
    tokens.SERVER: "server-firewall",
    tokens.PRIMARY_IP: "hetzner-own-address",
    tokens.PRIVATE_NETWORK: "private-network",
    tokens.PRIVATE_SUBNET: "private-network",
    tokens.SERVER_NETWORK: "stack-private-network: of two that this stack makes",
    "hcloud:index/placementGroup:PlacementGroup": "where servers stand, not who reaches them",
    tokens.TUNNELS[0]: "tunnel-config-source",
    tokens.TUNNEL_CONFIGS[0]: "ingress-service",
    tokens.DNS_RECORDS[0]: "dns-tunnel-only",
    tokens.ACCESS_APPLICATIONS[0]: "access-application",
    tokens.ACCESS_POLICIES[0]: "access-policy",
    tokens.ACCESS_GROUPS[0]: "access-policy",
    tokens.ACCESS_TOKENS[0]: "access-token-expires",
    tokens.ZONE_SETTING: "zone-setting",
    tokens.RULESET: "ruleset-action",
    tokens.BOT_MANAGEMENT: "bot-management",
    tokens.NOTIFICATION: "sends messages out, takes none in",
    "cloudflare:index/notificationPolicyWebhooks:NotificationPolicyWebhooks": "sends messages out, takes none in",
    "cloudflare:index/list:List": "a list of addresses that rulesets name; the rulesets are checked",
    "cloudflare:index/listItem:ListItem": "a list of addresses that rulesets name; the rulesets are checked",
    "cloudflare:index/zoneDnssec:ZoneDnssec": "signs the zone, adds no record",
    "cloudflare:index/r2Bucket:R2Bucket": "private, unless a domain is put before it: edge-not-public",
    "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": "bucket-keeps",
    "cloudflare:index/r2ManagedDomain:R2ManagedDomain": "edge-not-public: may only be closed",
    tokens.CONTAINER: "container-no-ports",
    tokens.NETWORK: "network-internal",
    tokens.VOLUME: "volume-local",
    tokens.SERVICE: "service-no-ports",
    tokens.SERVICE_CONFIG: "config-public",
    tokens.SECRET: "secret-marked",
    tokens.REMOTE_IMAGE: "image-pinned",
    tokens.LOCAL_COMMAND: "command-plain",
    "random:index/randomPassword:RandomPassword": "a value in the state, secret by itself",
    "random:index/randomId:RandomId": "a name, not a secret",
    "random:index/randomString:RandomString": "a name, not a secret",
    "random:index/randomUuid:RandomUuid": "a name, not a secret",
    "tls:index/privateKey:PrivateKey": "a key pair in the state, secret by itself",
    "tls:index/selfSignedCert:SelfSignedCert": "trusted by nobody who is not told to",
}
"""Type token → the rule that guards it, or why it needs none."""

INSTEAD: Final[Mapping[str, str]] = {
    "hcloud:index/firewallAttachment:FirewallAttachment": (
        "it misses the server's first boot: name the firewall in the server's firewallIds"
    ),
    "hcloud:index/floatingIp:FloatingIp": "an address is for being found: publish through the tunnel",
    "hcloud:index/floatingIpAssignment:FloatingIpAssignment": "publish through the tunnel",
    "hcloud:index/loadBalancer:LoadBalancer": "replicas of the connector share a tunnel's load",
    "hcloud:index/rdns:Rdns": "a name on the origin's address helps only those who look for it",
    "random:index/randomBytes:RandomBytes": "its value is its id, plain text in the state: use RandomPassword",
    "docker:index/image:Image": "use RemoteImage with a pinned name",
    "command:remote:Command": "nothing is changed by hand on the host: use user data or a carrier",
    "command:remote:CopyFile": "nothing is changed by hand on the host: use user data or a carrier",
    "command:remote:CopyToRemote": "nothing is changed by hand on the host: use user data or a carrier",
    "cloudflare:index/spectrumApplication:SpectrumApplication": "it forwards a port to the origin",
    "cloudflare:index/pageRule:PageRule": "use a Ruleset",
    "pulumi-python:dynamic:Resource": "a dynamic resource can do anything and shows nothing: use a provider",
}
"""What to use in place of a type that is often reached for."""


def type_allowed(resource: Resource) -> Iterator[str]:
    """Says why a type outside the table is denied. The engine asks only for types that no project allows."""
    token = resource.type
    if token in ALLOWED:
        return
    if token.startswith(COMPONENTS):
        return
    hint = INSTEAD.get(token, "nothing is known about what it opens")
    yield f"type {token} is not in the table of allowed types: {hint}"


DEFAULT_DENY: Final = Rule(
    id="type-allowed",
    severity="critical",
    claim="Every resource is of a type in the table: a type that nobody looked at is denied.",
    remediation="Use a type of the table. A project allows another one, with a reason, in the pack's configuration.",
    threat="default-deny",
    types=("*",),
    check=type_allowed,
    waivable=False,
)
