"""What the program registers, sent to the simulated clouds: they take all of it, and nothing is ever open."""

import json
from pathlib import Path

import pytest

from ops.simulated.clouds import clouds
from ops.simulated.project import read_stack
from tests.simulators.cloud import Cloud
from tests.simulators.made import ROOT, made, recorded
from tests.simulators.provider import MAKERS, Provider
from tests.zones import config

BANS = {
    "zero-exposure:intrusion": json.dumps({"edge_token": "lists"}),
    "zero-exposure:secrets": json.dumps({"lists": "a-token"}),
}
STACKS = pytest.mark.parametrize(
    ("stack", "more"), [("dev", {}), ("dev", BANS), ("prod", {})], ids=["dev", "bans", "prod"]
)


@STACKS
def test_the_clouds_take_all_that_the_program_registers(tmp_path: Path, stack: str, more: dict[str, str]) -> None:
    with made(tmp_path, stack, more) as served:
        left = served.left()
        assert [len(left[table]) for table in ("servers", "firewalls", "volumes", "tunnels")] == [1, 1, 1, 2]
        assert ("lists" in left) == bool(more)
        server = next(iter(served.hetzner.store.table("servers").values()))
        assert server["_user_data"].startswith("#cloud-config")


@STACKS
def test_nothing_is_open_at_any_moment(tmp_path: Path, stack: str, more: dict[str, str]) -> None:
    domain = read_stack(ROOT, stack)["domain"]
    with made(tmp_path, stack, more) as served:
        assert served.inbound() == []
        assert served.unguarded([f"ssh-{stack}.{domain}"]) == []
        assert f"ssh-{stack}.{domain}" in served.cloudflare.store.states[-1]["state"]["records"]


def test_the_clouds_take_a_swarm_whose_machines_share_a_network_and_no_hardware(tmp_path: Path) -> None:
    with made(tmp_path, "swarm", {}) as served:
        rows = served.rows()
        assert [len(rows[table]) for table in ("servers", "networks", "placement_groups", "tunnels")] == [4, 1, 2, 5]
        addresses = {place["ip"] for server in rows["servers"].values() for place in server["private_net"]}
        assert len(addresses) == 4
        assert all(server["_group"] for server in rows["servers"].values())
        names = [record["name"] for record in rows["dns_records"].values() if record["name"].startswith("ssh-")]
        assert len(names) == 4
        assert served.unguarded(names) == []
        assert served.inbound() == []


def test_the_clouds_take_machines_in_three_zones_each_with_an_address_of_its_own(tmp_path: Path) -> None:
    with made(tmp_path, "swarm", config()) as served:
        rows = served.rows()
        assert [len(rows[table]) for table in ("servers", "primary_ips")] == [3, 3]
        assert "networks" not in rows
        assert {row["assignee_id"] for row in rows["primary_ips"].values()} == set(map(int, rows["servers"]))
        assert served.inbound() == []


@STACKS
def test_a_connector_asks_for_the_very_application_of_its_host(
    tmp_path: Path, stack: str, more: dict[str, str]
) -> None:
    with made(tmp_path, stack, more) as served:
        audiences = {row["domain"]: row["aud"] for row in served.cloudflare.store.table("access_apps").values()}
        rules = [
            rule for row in served.cloudflare.store.table("tunnels").values() for rule in row["_config"]["ingress"]
        ]
        asked = {
            rule["hostname"]: rule["originRequest"]["access"]["audTag"] for rule in rules if "originRequest" in rule
        }
        assert asked == {host: [audience] for host, audience in audiences.items()}


def test_every_type_of_the_program_has_its_calls() -> None:
    types = {
        resource.type
        for stack, more in (("dev", BANS), ("prod", {}), ("swarm", {}), ("swarm", config()))
        for resource in recorded(stack, more).resources
        if resource.type.startswith(("hcloud:", "cloudflare:"))
    }
    assert types <= set(MAKERS)
    assert len(types) > 12


def test_an_open_moment_would_be_told(tmp_path: Path) -> None:
    """The two controls fail on what they are for."""
    with clouds([read_stack(ROOT, "dev")], tmp_path) as served:
        rule = {"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["0.0.0.0/0"]}
        provider = Provider(
            Cloud(served.hetzner_endpoint[:-3], "/v1"), Cloud(served.cloudflare_endpoint[:-10], "/client/v4")
        )
        wall = provider.hcloud("POST", "/firewalls", {"name": "wall", "rules": [rule]})["firewall"]
        provider.hcloud("POST", f"/firewalls/{wall['id']}/actions/set_rules", {"rules": []})
        record = {"name": "ssh.example.org", "type": "CNAME", "content": "x.cfargotunnel.com", "proxied": True}
        provider.flare("POST", f"/zones/{read_stack(ROOT, 'dev')['cloudflare']['zone_id']}/dns_records", record)
        assert len(served.inbound()) == 1
        assert served.unguarded(["ssh.example.org"])
