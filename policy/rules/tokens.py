"""Type tokens that more than one rule names."""

from typing import Final

FIREWALL: Final = "hcloud:index/firewall:Firewall"
SERVER: Final = "hcloud:index/server:Server"
PRIMARY_IP: Final = "hcloud:index/primaryIp:PrimaryIp"
CONTAINER: Final = "docker:index/container:Container"
NETWORK: Final = "docker:index/network:Network"
VOLUME: Final = "docker:index/volume:Volume"
SERVICE: Final = "docker:index/service:Service"
SERVICE_CONFIG: Final = "docker:index/serviceConfig:ServiceConfig"
SECRET: Final = "docker:index/secret:Secret"  # noqa: S105 - a type, not a secret
PRIVATE_NETWORK: Final = "hcloud:index/network:Network"
PRIVATE_SUBNET: Final = "hcloud:index/networkSubnet:NetworkSubnet"
SERVER_NETWORK: Final = "hcloud:index/serverNetwork:ServerNetwork"
REMOTE_IMAGE: Final = "docker:index/remoteImage:RemoteImage"
DOCKER_PROVIDER: Final = "pulumi:providers:docker"
LOCAL_COMMAND: Final = "command:local:Command"

DNS_RECORDS: Final = ("cloudflare:index/dnsRecord:DnsRecord", "cloudflare:index/record:Record")
TUNNELS: Final = (
    "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared",
    "cloudflare:index/tunnel:Tunnel",
)
TUNNEL_CONFIGS: Final = (
    "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
    "cloudflare:index/tunnelConfig:TunnelConfig",
)
ACCESS_APPLICATIONS: Final = (
    "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication",
    "cloudflare:index/accessApplication:AccessApplication",
)
ACCESS_POLICIES: Final = (
    "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy",
    "cloudflare:index/accessPolicy:AccessPolicy",
)
ACCESS_GROUPS: Final = (
    "cloudflare:index/zeroTrustAccessGroup:ZeroTrustAccessGroup",
    "cloudflare:index/accessGroup:AccessGroup",
)
ACCESS_TOKENS: Final = (
    "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken",
    "cloudflare:index/accessServiceToken:AccessServiceToken",
)
ZONE_SETTING: Final = "cloudflare:index/zoneSetting:ZoneSetting"
RULESET: Final = "cloudflare:index/ruleset:Ruleset"
BOT_MANAGEMENT: Final = "cloudflare:index/botManagement:BotManagement"
NOTIFICATION: Final = "cloudflare:index/notificationPolicy:NotificationPolicy"
