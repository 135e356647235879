"""The Makefile's targets on a deployed stack, on the real engine in simulated clouds. Workflows call the same ones."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from ops.simulated.clouds import Clouds, clouds
from ops.simulated.guard import HETZNER_TOKEN
from ops.simulated.run import Simulation
from simulators.store import Row
from tests.engine.marks import ENGINE
from tests.engine.world import ROOT

pytestmark = ENGINE
STACK = "dev"
INBOUND = {"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["0.0.0.0/0"]}
AT_THE_CLOUDS = {
    "provider-firewall", "private-networks", "dns-zone", "access", "tunnel-ingress", "tunnel-alert",
}  # fmt: skip
NEEDS_A_SERVER = {
    "tcp-scan", "udp-scan", "tls", "https-redirect", "security-headers", "admin-invisible", "host-drift", "host-filter",
    "files", "intrusion", "alerts",
}  # fmt: skip
"""Checks of what no simulator has: addresses that answer, a host, programs that run."""


@dataclass(frozen=True)
class Deployed:
    """A stack that `make deploy` made."""

    simulation: Simulation
    clouds: Clouds
    environment: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command in the copy; what it says on both channels is in ``stdout``, as it is in a workflow's log."""
        return subprocess.run(
            words, cwd=self.simulation.project, env=self.environment, text=True, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One of the Makefile's targets."""
        return self.run("make", "--no-print-directory", *words)

    def row(self, table: str, name: str) -> Row:
        """What a cloud holds under a name."""
        return next(row for row in self.clouds.rows()[table].values() if name in (row.get("name"), row.get("Name")))

    def resources(self) -> list[dict[str, Any]]:
        """The state's, secrets in plaintext."""
        exported = self.run("pulumi", "stack", "export", "--stack", STACK, "--show-secrets").stdout
        found: list[dict[str, Any]] = json.loads(exported)["deployment"]["resources"]
        return found

    def passwords(self) -> set[str]:
        """Every generated one."""
        outputs = [each.get("outputs", {}) for each in self.resources() if each["type"].endswith(":RandomPassword")]
        return {str(json.loads(output["result"]["plaintext"])) for output in outputs}

    def open_a_port_at_hetzner(self) -> None:
        """As somebody with the web interface does."""
        wall = next(iter(self.clouds.rows()["firewalls"]))
        at = f"{self.clouds.hetzner_endpoint}/firewalls/{wall}"
        headers = {"Authorization": f"Bearer {HETZNER_TOKEN}"}
        rules = [_asked(rule) for rule in requests.get(at, headers=headers, timeout=10).json()["firewall"]["rules"]]
        body = {"rules": [*rules, INBOUND]}
        requests.post(f"{at}/actions/set_rules", headers=headers, json=body, timeout=10).raise_for_status()


def _asked(rule: Row) -> Row:
    return {key: value for key, value in rule.items() if value}


@contextmanager
def deployed(folder: Path) -> Iterator[Deployed]:
    """By the README's own steps."""
    simulation = Simulation(ROOT, STACK, folder)
    simulation.prepare(real_engine=False)
    with clouds([simulation.values()], folder) as served:
        made = Deployed(simulation, served, {**simulation.environment(served), "STACK": STACK})
        assert made.run("pulumi", "stack", "init", STACK).returncode == 0
        done = made.make("deploy", "YES=1")
        assert done.returncode == 0, done.stdout[-3000:]
        for zone in served.cloudflare.store.table("zones").values():
            zone["_dnssec"]["status"] = "active"
        yield made


def test_drift_is_silent_until_somebody_changes_something_by_hand(tmp_path: Path) -> None:
    with deployed(tmp_path) as made:
        before = made.clouds.changes()
        quiet = made.make("drift")
        assert quiet.returncode == 0, quiet.stdout[-3000:]
        made.row("dns_records", "api.example.org")["proxied"] = False
        found = made.make("drift")
        assert found.returncode != 0
        assert "tunnel-dns-api.example.org" in found.stdout
        assert "proxied" in found.stdout
        assert made.clouds.changes() == before, "it looks, and repairs nothing"
        passwords = made.passwords()
        assert len(passwords) > 10
        assert [each for each in passwords if each in quiet.stdout + found.stdout] == [], "an issue will hold this"


def test_what_opens_a_port_by_hand_is_drift_and_a_state_with_it_is_refused(tmp_path: Path) -> None:
    with deployed(tmp_path) as made:
        clean = made.make("policy-state")
        assert clean.returncode == 0, clean.stdout[-3000:]
        made.open_a_port_at_hetzner()
        drift = made.make("drift")
        assert drift.returncode != 0
        assert "host-firewall" in drift.stdout
        assert made.run("pulumi", "refresh", "--stack", STACK, "--yes", "--non-interactive").returncode == 0
        refused = made.make("policy-state")
        assert refused.returncode != 0
        assert "firewall" in refused.stdout
        assert "inbound" in refused.stdout


def test_an_audit_without_a_server_says_what_the_clouds_say_and_passes_nothing_else(tmp_path: Path) -> None:
    with deployed(tmp_path) as made:
        found = _audited(made)
        assert {found[check] for check in AT_THE_CLOUDS} == {"pass"}
        assert {found[check] for check in NEEDS_A_SERVER} == {"not measured"}
        assert found["tunnels"] == "fail", "no connector has come"
        made.open_a_port_at_hetzner()
        assert {name for name in AT_THE_CLOUDS if _audited(made)[name] == "fail"} == {"provider-firewall"}


def _audited(made: Deployed) -> dict[str, str]:
    """Check → verdict."""
    evidence = made.simulation.project / "build" / "audit.json"
    done = made.make("audit", f"JSON={evidence.relative_to(made.simulation.project)}")
    assert done.returncode != 0, "a check failed"
    return {check["id"]: check["verdict"] for check in json.loads(evidence.read_text())["checks"]}


def test_rotate_orphans_and_destroy_do_on_a_deployment_what_they_say(tmp_path: Path) -> None:
    with deployed(tmp_path) as made:
        listed = made.make("rotate")
        assert listed.returncode == 0
        assert "cache-password" in listed.stdout
        before = made.passwords()
        rotated = made.make("rotate", "SECRET=cache-password", "YES=1")
        assert rotated.returncode == 0, rotated.stdout[-3000:]
        assert len(before - made.passwords()) == 1, "one, and no other"
        assert made.make("orphans").returncode == 0
        unasked = made.make("destroy")
        assert (unasked.returncode, "Nothing was destroyed." in unasked.stdout) == (2, True), "nobody said yes"
        gone = made.make("destroy", "YES=1")
        assert gone.returncode == 0, gone.stdout[-3000:]
        assert set(made.clouds.left()) == {"volumes", "buckets", "engine_volumes", "engine_images"}
        assert made.make("orphans").returncode == 0, "what stays is known"
