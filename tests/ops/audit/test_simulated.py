"""The audit on both simulated clouds, whose answers the vendors' own clients understand."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cloudflare
import pytest
from hcloud import Client
from hcloud.firewalls.domain import FirewallResource, FirewallRule
from hcloud.images.domain import Image
from hcloud.server_types.domain import ServerType

from ops.audit import gather
from ops.audit.live import Live
from ops.audit.result import Result
from ops.audit.table import CHECKS
from ops.doctor.api import Api
from simulators.cloudflare.app import Site
from simulators.cloudflare.app import api as cloudflare_api
from simulators.hetzner.app import api as hetzner_api
from tests.ops.audit.stand import ACCOUNT, ADMIN, API, ROOT, SSH, STACK, ZONE, program
from tests.simulators.cloud import Cloud, running
from topology.plan import plan

TOKEN = "x" * 64
SECRET = base64.b64encode(b"s" * 32).decode()
ASKED = ("provider-firewall", "private-networks", "dns-zone", "access", "tunnels", "tunnel-ingress", "tunnel-alert")
OUT = FirewallRule("out", "tcp", port="443", destination_ips=["0.0.0.0/0", "::/0"])
IN = FirewallRule("in", "tcp", port="22", source_ips=["0.0.0.0/0"])


@dataclass
class Deployed:
    """What the program would have made at both, and the clients that made it."""

    hetzner: Cloud
    edge: Cloud
    server: Any
    firewall: Any
    maker: Any
    tunnels: dict[str, str]

    def measured(self) -> dict[str, Result]:
        """What the audit says of it."""
        settings = gather.settings_of(ROOT, STACK)
        outputs = {"serverId": str(self.server.id), "sshHost": SSH}
        outputs |= {f"{role}TunnelId": identity for role, identity in self.tunnels.items()}
        live = Live(STACK, settings, plan(settings), program(), outputs)
        live.hetzner_api, live.cloudflare_api = Api(self.hetzner.endpoint, TOKEN), Api(self.edge.endpoint, TOKEN)
        return {check.id: check.run(live) for check in CHECKS if check.id in ASKED}

    def connect(self, role: str, *connectors: str) -> None:
        """Let connectors be there, with four connections each."""
        lines = [{"client_id": one, "id": f"{one}{line}"} for one in connectors for line in range(4)]
        self.edge.change("tunnels", self.tunnels[role], connections=lines, status="healthy")


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    """A stack as the program makes it."""
    site = Site(account=ACCOUNT, zone=ZONE, domain="example.org", team="example")
    with running(hetzner_api()) as hetzner, running(cloudflare_api([site])) as edge:
        server, firewall = _server(hetzner)
        maker: Any = cloudflare.Cloudflare(api_token=TOKEN, base_url=edge.endpoint, max_retries=0)
        found = Deployed(
            hetzner, edge, server, firewall, maker, {role: _tunnel(maker, role) for role in ("admin", "app")}
        )
        for role in found.tunnels:
            found.connect(role, f"{role}-connector")
        _zone(maker, found.tunnels)
        yield found


def _server(hetzner: Cloud) -> tuple[Any, Any]:
    client: Any = Client(token=TOKEN, api_endpoint=hetzner.endpoint, poll_interval=0.05)
    firewall = client.firewalls.create(name="wall", rules=[OUT]).firewall
    kind, image, labels = ServerType(name="cx33"), Image(name="debian-13"), {"zero-exposure": STACK}
    made = client.servers.create(name="one", server_type=kind, image=image, firewalls=[firewall], labels=labels)
    return made.server, firewall


def _tunnel(maker: Any, role: str) -> str:
    tunnels = maker.zero_trust.tunnels.cloudflared
    made = tunnels.create(account_id=ACCOUNT, name=role, config_src="cloudflare", tunnel_secret=SECRET)
    tunnels.configurations.update(made.id, account_id=ACCOUNT, config={"ingress": _ingress(role)})
    return str(made.id)


def _ingress(role: str) -> list[dict[str, Any]]:
    config = next(found for found in program().resources if found.name == f"tunnel-{role}-config")
    access = {"access": {"required": True, "teamName": "example", "audTag": ["aud"]}}
    return [
        {key: entry[key] for key in ("hostname", "service") if key in entry}
        | ({"originRequest": access} if "originRequest" in entry else {})
        for entry in config.props["config"]["ingresses"]
    ]


def _zone(maker: Any, tunnels: dict[str, str]) -> None:
    for name, role in {API: "app", SSH: "admin", "*.example.org": "app"}.items():
        target = f"{tunnels[role]}.cfargotunnel.com"
        maker.dns.records.create(zone_id=ZONE, name=name, type="CNAME", content=target, ttl=1, proxied=True)
    policy = maker.zero_trust.access.policies.create(
        account_id=ACCOUNT, name="people", decision="allow", include=[{"email": {"email": "alice@example.org"}}]
    )
    for host in (SSH, ADMIN):
        maker.zero_trust.access.applications.create(
            account_id=ACCOUNT,
            type="self_hosted",
            domain=host,
            name=host,
            session_duration="8h",
            policies=[{"id": policy.id, "precedence": 1}],
        )
    maker.alerting.policies.create(
        account_id=ACCOUNT,
        name="health",
        alert_type="tunnel_health_event",
        enabled=True,
        mechanisms={"email": [{"id": "alice@example.org"}]},
        filters={"tunnel_id": list(tunnels.values())},
    )


def test_what_the_program_makes_passes(deployed: Deployed) -> None:
    found = deployed.measured()
    assert {name: result for name, result in found.items() if result.verdict != "pass"} == {}
    assert set(found) == set(ASKED)


def _fails(deployed: Deployed, check: str) -> str:
    found = deployed.measured()
    assert {name for name, result in found.items() if result.verdict != "pass"} == {check}, found
    assert found[check].verdict == "fail"
    return " ".join(found[check].evidence)


def test_a_rule_added_at_hetzner_is_found(deployed: Deployed) -> None:
    deployed.firewall.set_rules([OUT, IN])
    assert "lets in tcp 22" in _fails(deployed, "provider-firewall")


def test_a_firewall_taken_off_the_server_is_found(deployed: Deployed) -> None:
    deployed.firewall.remove_from_resources([FirewallResource("server", server=deployed.server)])
    assert "no firewall is applied" in _fails(deployed, "provider-firewall")


def test_a_record_added_in_the_dashboard_is_found(deployed: Deployed) -> None:
    origin = deployed.server.public_net.ipv4.ip
    deployed.maker.dns.records.create(zone_id=ZONE, name="old.example.org", type="A", content=origin, ttl=1)
    assert f"old.example.org: A record shows the server's address {origin}" in _fails(deployed, "dns-zone")


def test_a_policy_for_everyone_is_found(deployed: Deployed) -> None:
    policies = deployed.maker.zero_trust.access.policies
    made = next(iter(policies.list(account_id=ACCOUNT)))
    policies.update(made.id, account_id=ACCOUNT, name="all", decision="allow", include=[{"everyone": {}}])
    assert "a policy takes everyone" in _fails(deployed, "access")


def test_a_second_connector_is_found(deployed: Deployed) -> None:
    deployed.connect("app", "ours", "theirs")
    assert "app tunnel has 2 connectors" in _fails(deployed, "tunnels")


def test_an_ingress_changed_in_the_dashboard_is_found(deployed: Deployed) -> None:
    ingress = [{"hostname": API, "service": "http://127.0.0.1:2375"}, *_ingress("app")]
    configurations = deployed.maker.zero_trust.tunnels.cloudflared.configurations
    configurations.update(deployed.tunnels["app"], account_id=ACCOUNT, config={"ingress": ingress})
    assert "http://127.0.0.1:2375" in _fails(deployed, "tunnel-ingress")
