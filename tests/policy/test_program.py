"""The program itself under the real pack: its stack files pass at a first preview and at an update."""

import runpy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.preview import record as recording
from ops.preview.simulated import outputs_of
from ops.preview.stackfile import project_name, stack_values
from policy.rules.model import UNKNOWN, Resource, has_unknown
from tests import zones
from tests.policy import pack
from tests.policy.stacks import changed
from tests.policy.test_pack import blocking

ROOT = pack.ROOT
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
ZONES = "zones"
"""A Swarm in three network zones, which has commands and user data that no stack file has."""


@pytest.fixture(scope="module")
def client() -> Iterator[pack.Client]:
    """One pack for all stacks."""
    with pack.running() as started:
        yield started


def nothing_known(token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs at a first preview: what a provider makes up is unknown, and of Docker's, not yet reached, everything."""
    return dict.fromkeys(inputs, pack.UNKNOWN_TEXT) if token.startswith("docker:") else {}


def program() -> None:
    """The program as the engine runs it."""
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def registered(stack: str, monkeypatch: pytest.MonkeyPatch, known: bool) -> list[Resource]:
    """What the program registers for a stack file."""
    for token in ("HCLOUD_TOKEN", "CLOUDFLARE_API_TOKEN"):
        monkeypatch.setenv(token, "x" * 64)
    if not known:
        monkeypatch.setattr(recording, "resource_id", lambda _token, _name: "")
    found = recording.record(
        program,
        project=project_name(ROOT),
        stack=zones.STACK if stack == ZONES else stack,
        preview=not known,
        config=zones.config() if stack == ZONES else stack_values(ROOT, stack),
        outputs=outputs_of if known else nothing_known,
    )
    return found.resources


@pytest.mark.parametrize("known", [True, False], ids=["update", "preview"])
@pytest.mark.parametrize("stack", [*STACKS, ZONES])
def test_a_stack_file_passes(stack: str, known: bool, client: pack.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = registered(stack, monkeypatch, known)
    assert any(has_unknown(resource.props) for resource in resources) != known
    found = client.run(resources, outputs=known)
    assert [each.message for each in found if each.policyName in blocking(found)] == []


def test_a_published_port_and_an_inbound_rule_are_caught(client: pack.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = registered("dev", monkeypatch, known=False)
    spoiled: dict[str, dict[str, Any]] = {
        "docker:index/container:Container": {"ports": [{"internal": 80}]},
        "hcloud:index/firewall:Firewall": {"rules": [{"direction": "in", "protocol": "tcp", "port": UNKNOWN}]},
    }
    found = {
        name
        for resource in resources
        if resource.type in spoiled
        for name in blocking(client.analyze(changed(resource, **spoiled[resource.type])))
    }
    assert {"container-no-ports", "firewall-no-inbound"} <= found


def test_there_are_stack_files_to_check() -> None:
    assert {"dev", "local", "prod"} <= set(STACKS)
    assert Path(ROOT / "policy" / "PulumiPolicy.yaml").exists()


def test_the_pack_pins_what_the_program_pins() -> None:
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert set((ROOT / "policy" / "requirements.txt").read_text(encoding="utf-8").split()) <= set(pinned)
