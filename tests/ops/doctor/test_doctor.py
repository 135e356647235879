"""Every failure that the doctor knows is caused once; the healthy case passes with the same checks."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ops.doctor.clouds import ACCOUNT, ZONE, Answers, answers, serving

ROOT = Path(__file__).parents[3]
PROGRAMS = {
    "pulumi": 'case "$1" in version) echo v3.272.0;; stack) echo mine;; *) exit 1;; esac',
    "cloudflared": "echo 'cloudflared version 2026.8.2 (built 2026-08-20)'",
    "ssh": "echo sntrup761x25519-sha512@openssh.com",
    "docker": "echo 28.2.2",
}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJnk0oK4T9D8n6yPp7oJ6X0f3gPbJx1n5b2dC9mV3aH alice"
REFUSED: tuple[int, dict[str, Any]] = (403, {"errors": [{"code": 10000}]})


class Case:
    """A machine, a stack file and two clouds on which a deployment may begin, until something is spoilt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = dict(PROGRAMS)
        self.answers: Answers = answers()
        self.environment = {"HCLOUD_TOKEN": "h" * 64, "CLOUDFLARE_API_TOKEN": "c" * 40}
        self.salt = ""
        self.others: dict[str, Any] = {}
        self.config: dict[str, Any] = {
            "domain": "mine.dev",
            "cloudflare": {"account_id": ACCOUNT, "zone_id": ZONE, "team": "mine"},
            "host": {"location": "fsn1", "type": "cx33"},
            "operators": {"ssh_keys": {"alice": KEY}, "emails": ["alice@mine.dev"]},
            "monitoring": {"ntfy": {"topic": "alert_topic"}},
            "generated": ["alert_topic"],
            "services": {"cache": {"preset": "redis"}},
        }

    def write(self) -> None:
        """Lay out the project and the programs."""
        (self.folder / "Pulumi.yaml").write_text("name: zero-exposure\nruntime: python\n")
        (self.folder / "requirements.txt").write_text("pulumi==3.272.0\n")
        config = {**{f"zero-exposure:{key}": value for key, value in self.config.items()}, **self.others}
        text = f"{self.salt}{yaml.safe_dump({'config': config})}"
        (self.folder / "Pulumi.mine.yaml").write_text(text, encoding="latin-1")
        (self.folder / "bin").mkdir()
        for name, text in self.programs.items():
            path = self.folder / "bin" / name
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)

    def run(self, *arguments: str) -> tuple[int, str, list[str]]:
        """Exit code, what was printed, and what the clouds were asked."""
        self.write()
        with serving(self.answers) as (address, asked):
            environment = {
                **{key: value for key, value in os.environ.items() if not key.startswith(("PULUMI", "HCLOUD"))},
                "HCLOUD_ENDPOINT": address,
                "CLOUDFLARE_BASE_URL": address,
                "PATH": f"{self.folder / 'bin'}:/bin",
                "COLUMNS": "200",
                **self.environment,
            }
            command = [sys.executable, "-m", "ops.doctor", "--root", str(self.folder), "--stack", "mine", *arguments]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, asked


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Everything right."""
    return Case(tmp_path)


def test_where_everything_is_right_it_says_the_next_command(case: Case) -> None:
    code, text, asked = case.run()
    assert code == 0, text
    assert "✘" not in text
    assert "make deploy STACK=mine" in text
    assert {entry for entry in asked if not entry.startswith("GET ")} == {"POST /ssh_keys"}, "nothing is made"


def _cli(refusal: str) -> str:
    """A CLI whose look at the stack ends with the real one's words."""
    return PROGRAMS["pulumi"].replace("stack) echo mine", f'stack) echo "error: {refusal}" >&2; exit 255')


Spoil = Callable[[Case], object]
BROKEN: dict[str, tuple[Spoil, str, str]] = {
    "no CLI": (lambda c: c.programs.pop("pulumi"), "Pulumi CLI  not on PATH", "https://www.pulumi.com/docs/install/"),
    "old CLI": (lambda c: c.programs.update(pulumi="echo v3.100.0"), "Pulumi CLI  v3.100.0", "3.260 or later"),
    "not logged in": (
        lambda c: c.programs.update(pulumi=_cli("PULUMI_ACCESS_TOKEN must be set for login during …")),
        "Pulumi backend  not logged in",
        "pulumi login",
    ),
    "no such stack": (
        lambda c: c.programs.update(pulumi=_cli("no stack named 'mine' found")),
        "stack  Pulumi's backend has none called mine",
        "pulumi stack init mine",
    ),
    "no cloudflared": (lambda c: c.programs.pop("cloudflared"), "cloudflared  not on PATH", "Install it"),
    "broken cloudflared": (
        lambda c: c.programs.update(cloudflared="echo 'cloudflared version 2026.6.0'"),
        "ignores service tokens",
        "another version",
    ),
    "old ssh": (lambda c: c.programs.update(ssh="echo curve25519-sha256"), "no post-quantum", "OpenSSH 8.5"),
    "no key": (lambda c: c.config.update(nonsense=1), "zero-exposure:nonsense: no such key", "lists every key"),
    "bad stack file": (
        lambda c: c.config["services"]["cache"].update(uses=["db"]),
        "services.cache.uses[0]: no service is called db",
        "lists every key",
    ),
    "secret in plain text": (
        lambda c: c.config.update(secrets={"my_key": "hunter2"}),
        "zero-exposure:secrets.my_key  in plain text",
        "pulumi config set --secret --path 'zero-exposure:secrets.my_key'",
    ),
    "token in plain text": (
        lambda c: c.others.update({"hcloud:token": "hunter2"}),
        "hcloud:token  in plain text",
        "pulumi config set --secret hcloud:token",
    ),
    "example domain": (
        lambda c: c.config.update(domain="example.org"),
        "still the example's: domain",
        "your own",
    ),
    "passphrase": (lambda c: setattr(c, "salt", "encryptionsalt: v1:x\n"), "encrypted with one", "PULUMI_CONFIG_PASS"),
    "no hetzner token": (lambda c: c.environment.pop("HCLOUD_TOKEN"), "Hetzner token  missing", "Read & Write"),
    "short hetzner token": (lambda c: c.environment.update(HCLOUD_TOKEN="x"), "1 characters, not 64", "Read & Write"),
    "wrong hetzner token": (
        lambda c: c.answers.update({"GET /servers": (401, {"error": {"code": "unauthorized"}})}),
        "is refused (HTTP 401 unauthorized)",
        "Read & Write",
    ),
    "readonly hetzner token": (
        lambda c: c.answers.update({"POST /ssh_keys": (403, {"error": {"code": "token_readonly"}})}),
        "may only read",
        "Read & Write",
    ),
    "unknown server type": (
        lambda c: c.answers.update({"GET /server_types": (200, {"server_types": []})}),
        "server type cx33  there is none",
        "another host.type",
    ),
    "server type elsewhere": (
        lambda c: c.config["host"].update(location="hil"),
        "not for sale in hil; in: fsn1",
        "host.location",
    ),
    "machine's type elsewhere": (
        lambda c: c.config.update(
            nodes={"manager": {"count": 3}, "far": {"role": "worker", "location": "ash"}},
            services={"cache": {"preset": "redis", "node": "manager-1"}},
        ),
        "not for sale in ash; in: fsn1",
        "nodes",
    ),
    "no cloudflare token": (
        lambda c: c.environment.pop("CLOUDFLARE_API_TOKEN"),
        "Cloudflare token  missing",
        "docs/cloudflare.md",
    ),
    "wrong cloudflare token": (
        lambda c: c.answers.update({"GET /user/tokens/verify": (401, {"errors": [{"code": 1000}]})}),
        "is refused (HTTP 401 1000)",
        "docs/cloudflare.md",
    ),
    "expired cloudflare token": (
        lambda c: c.answers.update({"GET /user/tokens/verify": (200, {"result": {"status": "expired"}})}),
        "is refused (expired)",
        "docs/cloudflare.md",
    ),
    "foreign zone": (lambda c: c.answers.update({f"GET /zones/{ZONE}": REFUSED}), "can't be read", "zone_id"),
    "other zone": (
        lambda c: c.answers.update({f"GET /zones/{ZONE}": (200, {"result": {"name": "other.dev"}})}),
        "is other.dev, not mine.dev",
        "zone_id and domain",
    ),
    "other account": (
        lambda c: c.answers[f"GET /zones/{ZONE}"][1]["result"]["account"].update(id="f" * 32),
        "belongs to another account",
        "account_id",
    ),
    "pending zone": (
        lambda c: c.answers[f"GET /zones/{ZONE}"][1]["result"].update(status="pending"),
        "is pending, not active",
        "registrar",
    ),
    "no zero trust": (
        lambda c: c.answers.update({f"GET /accounts/{ACCOUNT}/access/organizations": (404, {})}),
        "not switched on",
        "choose a team name",
    ),
    "other team": (
        lambda c: c.config["cloudflare"].update(team="other"),
        "is mine.cloudflareaccess.com, not other",
        "cloudflare.team",
    ),
    "bot fight": (
        lambda c: c.answers.update({f"GET /zones/{ZONE}/bot_management": (200, {"result": {"fight_mode": True}})}),
        "Bot Fight Mode  is on",
        "Switch it off",
    ),
}
PERMISSIONS = {
    "Cloudflare Tunnel": f"/accounts/{ACCOUNT}/cfd_tunnel",
    "Access: Apps and Policies": f"/accounts/{ACCOUNT}/access/apps",
    "Access: Service Tokens": f"/accounts/{ACCOUNT}/access/service_tokens",
    "Notifications": f"/accounts/{ACCOUNT}/alerting/v3/policies",
    "DNS": f"/zones/{ZONE}/dns_records",
    "Zone Settings": f"/zones/{ZONE}/settings/ssl",
    "Zone WAF": f"/zones/{ZONE}/rulesets",
    "Bot Management": f"/zones/{ZONE}/bot_management",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_failure_is_found_and_the_message_says_what_to_do(case: Case, name: str) -> None:
    spoil, said, remedy = BROKEN[name]
    spoil(case)
    code, text, _ = case.run()
    assert code == 1
    lines = text.splitlines()
    found = next((index for index, line in enumerate(lines) if said in line), None)
    assert found is not None, text
    assert any(remedy in line for line in lines[found + 1 : found + 4]), text
    assert "hunter2" not in text, "no secret is shown"


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_missing_permission_is_named(case: Case, permission: str) -> None:
    case.answers[f"GET {PERMISSIONS[permission]}"] = REFUSED
    code, text, _ = case.run()
    assert code == 1
    assert f"✘ permission {permission}  missing" in text


def test_an_api_that_does_not_answer_is_not_called_a_wrong_token(case: Case) -> None:
    case.answers["GET /user/tokens/verify"] = (503, {})
    code, text, _ = case.run()
    assert code == 0, text
    assert "? Cloudflare token" in text


def test_a_local_stack_asks_no_cloud_and_needs_no_cloudflared(case: Case) -> None:
    case.config = {"target": "local", "domain": "mine.dev", "services": {"cache": {"preset": "redis"}}}
    case.programs.pop("cloudflared")
    code, text, asked = case.run()
    assert code == 0, text
    assert "Docker Engine  28.2.2" in text
    assert asked == []


def test_no_token_is_ever_printed(case: Case) -> None:
    case.environment = {
        "HCLOUD_TOKEN": "hetzner-token-value" + "h" * 45,
        "CLOUDFLARE_API_TOKEN": "cloudflare-token-value",
    }
    case.answers["GET /servers"] = (401, {})
    case.answers["GET /user/tokens/verify"] = (401, {})
    assert "token-value" not in case.run()[1]


def test_of_a_stack_file_that_is_not_there_nothing_is_said_but_that(case: Case) -> None:
    code, text, _ = case.run("--stack", "other")
    assert code == 1
    assert "Pulumi.other.yaml: there is no such file; stacks here: mine" in text
    assert "passphrase" not in text


def test_a_stack_file_that_is_not_utf_8_is_one_finding(case: Case) -> None:
    case.salt = "# käse\n"
    code, text, _ = case.run()
    assert code == 1
    assert "Pulumi.mine.yaml: not UTF-8, from byte 3 on" in text
