"""The calls that the providers make for the program's resources: a recorded program can be sent to the simulators.

Which calls, in which order and with which fields: terraform-provider-hcloud (internal/server, …/volume, …) and
terraform-provider-cloudflare (internal/services/*/resource.go and model.go). Pulumi's names are theirs in the plural.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from policy.rules.model import Resource
from tests.simulators.cloud import SECONDS, Cloud

Body = dict[str, Any]
SINGULAR = {
    "includes": "include",
    "ingresses": "ingress",
    "emails": "email",
    "newStatuses": "new_status",
    "tunnelIds": "tunnel_id",
    "audTags": "audTag",
}
CAMEL = {"originRequest", "teamName", "audTag", "connectTimeout"}
"""Fields of a tunnel's configuration, which the API itself writes so."""


def api_names(value: Any) -> Any:
    """Names as the APIs have them."""
    if isinstance(value, Mapping):
        return {_name(key): api_names(inner) for key, inner in value.items()}
    return [api_names(inner) for inner in value] if isinstance(value, list | tuple) else value


def _name(key: str) -> str:
    key = SINGULAR.get(key, key)
    return key if key in CAMEL else re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower()


@dataclass
class Provider:
    """Both providers. ``ids`` leads from the recording's made-up values to the simulators' own."""

    hetzner: Cloud
    cloudflare: Cloud
    ids: dict[str, str] = field(default_factory=dict)

    def make(self, resource: Resource, recorded: Mapping[str, Any], made_up: str) -> None:
        """Create one resource; raises where the cloud refuses it. ``recorded`` is what the recording made up of it."""
        body = api_names(self._real(resource.props))
        answer = MAKERS[resource.type](self, resource.name, body)
        if "id" in answer:
            self.ids[made_up] = str(answer["id"])
        for name in ("aud", "clientSecret"):
            if name in recorded and _name(name) in answer:
                self.ids[str(recorded[name])] = str(answer[_name(name)])

    def _real(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._real(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._real(inner) for inner in value]
        if isinstance(value, str):
            return re.sub("|".join(map(re.escape, self.ids)) or "$^", lambda found: self.ids[found[0]], value)
        number = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        return int(self.ids[number]) if number in self.ids else value

    def hcloud(self, method: str, path: str, body: Body) -> Body:
        """A call to Hetzner. What it begins is over before the next."""
        answer = _call(self.hetzner, "x" * 64, method, path, body)
        self.hetzner.advance(60)
        return answer

    def flare(self, method: str, path: str, body: Body) -> Body:
        """A call to Cloudflare."""
        result: Body = _call(self.cloudflare, "x" * 40, method, path, body)["result"]
        return result


def _call(cloud: Cloud, token: str, method: str, path: str, body: Body) -> Body:
    headers = {"Authorization": f"Bearer {token}"}
    done = requests.request(method, cloud.endpoint + path, json=body, headers=headers, timeout=SECONDS)
    assert done.ok, f"{method} {path}: {done.status_code} {done.text}"
    answer: Body = done.json()
    return answer


def _named(path: str, key: str) -> Callable[[Provider, str, Body], Body]:
    """What is made by its name and its inputs as they are."""

    def make(provider: Provider, name: str, body: Body) -> Body:
        made: Body = provider.hcloud("POST", f"/{path}", {"name": name, **body})[key]
        return made

    return make


def _subnet(provider: Provider, _name: str, body: Body) -> Body:
    """The provider makes up its id."""
    network = body.pop("network_id")
    provider.hcloud("POST", f"/networks/{network}/actions/add_subnet", body)
    return {"id": f"{network}-{body['ip_range']}"}


def _place(provider: Provider, _name: str, body: Body) -> Body:
    network, _, ip_range = body["subnet_id"].partition("-")
    sent = {"network": int(network), "ip_range": ip_range, "ip": body["ip"]}
    provider.hcloud("POST", f"/servers/{body['server_id']}/actions/attach_to_network", sent)
    return {}


def _volume(provider: Provider, name: str, body: Body) -> Body:
    protected = body.pop("delete_protection")
    made: Body = provider.hcloud("POST", "/volumes", {"name": name, **body})["volume"]
    provider.hcloud("POST", f"/volumes/{made['id']}/actions/change_protection", {"delete": protected})
    return made


def _server(provider: Provider, name: str, body: Body) -> Body:
    net = body.pop("public_nets")[0]
    assert body.pop("shutdown_before_deletion")
    sent = {
        **body,
        "name": name,
        "ssh_keys": [int(key) for key in body["ssh_keys"]],
        "firewalls": [{"firewall": number} for number in body["firewall_ids"]],
        "public_net": {
            "enable_ipv4": net["ipv4_enabled"],
            "enable_ipv6": net["ipv6_enabled"],
            **({"ipv4": net["ipv4"]} if "ipv4" in net else {}),
        },
    }
    del sent["firewall_ids"]
    if "placement_group_id" in sent:
        sent["placement_group"] = sent.pop("placement_group_id")
    made: Body = provider.hcloud("POST", "/servers", sent)["server"]
    return made


def _address(provider: Provider, name: str, body: Body) -> Body:
    made: Body = provider.hcloud("POST", "/primary_ips", {"name": name, **body})["primary_ip"]
    return {**made, "ip_address": made["ip"]}


def _attachment(provider: Provider, _name: str, body: Body) -> Body:
    sent = {"server": body["server_id"], "automount": body["automount"]}
    provider.hcloud("POST", f"/volumes/{body['volume_id']}/actions/attach", sent)
    return {}


def _in_account(path: str, method: str = "POST") -> Callable[[Provider, str, Body], Body]:
    def make(provider: Provider, _name: str, body: Body) -> Body:
        return provider.flare(method, f"/accounts/{body.pop('account_id')}/{path}", body)

    return make


def _in_zone(path: str, method: str = "POST") -> Callable[[Provider, str, Body], Body]:
    def make(provider: Provider, _name: str, body: Body) -> Body:
        return provider.flare(method, f"/zones/{body.pop('zone_id')}/{path}", body)

    return make


def _bucket(provider: Provider, _name: str, body: Body) -> Body:
    sent = {"name": body["name"], "locationHint": body["location"]}
    made = provider.flare("POST", f"/accounts/{body['account_id']}/r2/buckets", sent)
    return {"id": made["name"]}


def _lifecycle(provider: Provider, _name: str, body: Body) -> Body:
    """The API writes these names as Pulumi does."""
    rules = [{_camel(key): _camels(value) for key, value in rule.items()} for rule in body["rules"]]
    path = f"/accounts/{body['account_id']}/r2/buckets/{body['bucket_name']}/lifecycle"
    return provider.flare("PUT", path, {"rules": rules})


def _camels(value: Any) -> Any:
    return {_camel(key): _camels(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def _camel(key: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), key)


def _managed_domain(provider: Provider, _name: str, body: Body) -> Body:
    path = f"/accounts/{body['account_id']}/r2/buckets/{body['bucket_name']}/domains/managed"
    return provider.flare("PUT", path, {"enabled": body["enabled"]})


def _setting(provider: Provider, _name: str, body: Body) -> Body:
    path = f"/zones/{body['zone_id']}/settings/{body['setting_id']}"
    return provider.flare("PATCH", path, {"value": body["value"]})


def _configuration(provider: Provider, _name: str, body: Body) -> Body:
    path = f"/accounts/{body.pop('account_id')}/cfd_tunnel/{body.pop('tunnel_id')}/configurations"
    provider.flare("PUT", path, body)
    return {}


MAKERS: dict[str, Callable[[Provider, str, Body], Body]] = {
    "hcloud:index/sshKey:SshKey": _named("ssh_keys", "ssh_key"),
    "hcloud:index/firewall:Firewall": _named("firewalls", "firewall"),
    "hcloud:index/placementGroup:PlacementGroup": _named("placement_groups", "placement_group"),
    "hcloud:index/primaryIp:PrimaryIp": _address,
    "hcloud:index/network:Network": _named("networks", "network"),
    "hcloud:index/networkSubnet:NetworkSubnet": _subnet,
    "hcloud:index/serverNetwork:ServerNetwork": _place,
    "hcloud:index/volume:Volume": _volume,
    "hcloud:index/server:Server": _server,
    "hcloud:index/volumeAttachment:VolumeAttachment": _attachment,
    "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": _in_account("cfd_tunnel"),
    "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig": _configuration,
    "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication": _in_account("access/apps"),
    "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy": _in_account("access/policies"),
    "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken": _in_account("access/service_tokens"),
    "cloudflare:index/notificationPolicy:NotificationPolicy": _in_account("alerting/v3/policies"),
    "cloudflare:index/list:List": _in_account("rules/lists"),
    "cloudflare:index/r2Bucket:R2Bucket": _bucket,
    "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": _lifecycle,
    "cloudflare:index/r2ManagedDomain:R2ManagedDomain": _managed_domain,
    "cloudflare:index/dnsRecord:DnsRecord": _in_zone("dns_records"),
    "cloudflare:index/ruleset:Ruleset": _in_zone("rulesets"),
    "cloudflare:index/botManagement:BotManagement": _in_zone("bot_management", "PUT"),
    "cloudflare:index/zoneDnssec:ZoneDnssec": _in_zone("dnssec", "PATCH"),
    "cloudflare:index/zoneSetting:ZoneSetting": _setting,
}
