"""What would open a way in is named, and stops the preview."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi_docker as docker
import pulumi_hcloud as hcloud
import pytest

from ops.preview.run import Preview, preview

ROOT = Path(__file__).parents[3]


@contextmanager
def _spoiled(monkeypatch: pytest.MonkeyPatch, cls: type, key: str, value: Any) -> Iterator[None]:
    """Every resource of one class gets one more argument, as a careless change to the program would give it."""
    original: Callable[..., None] = cls.__init__  # type: ignore[misc] # that is the point

    def spoiled(self: Any, *args: Any, **more: Any) -> None:
        if more.get("args") is not None:
            setattr(more["args"], key, value)
        else:
            more[key] = value
        original(self, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(cls, "__init__", spoiled)
        yield


def _rules(result: Preview) -> set[str]:
    return {violation.rule for violation in result.violations if violation.blocking}


def test_a_published_port_is_named_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [docker.ContainerPortArgs(internal=80, external=8080)]
    with _spoiled(monkeypatch, docker.Container, "ports", ports):
        result = preview(ROOT, "dev")
    assert result.blocked
    assert any("port" in rule for rule in _rules(result))


def test_an_inbound_rule_is_named_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = hcloud.FirewallRuleArgs(direction="in", protocol="tcp", port="22", source_ips=["203.0.113.0/24"])
    with _spoiled(monkeypatch, hcloud.Firewall, "rules", [rule]):
        result = preview(ROOT, "dev")
    assert result.blocked
    assert any("inbound" in rule or "firewall" in rule for rule in _rules(result))


def test_an_input_of_the_wrong_type_is_named_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    with _spoiled(monkeypatch, docker.Network, "internal", "yes"):
        result = preview(ROOT, "dev")
    assert "input-types" in _rules(result)


def test_the_program_as_it_is_blocks_nothing() -> None:
    assert not preview(ROOT, "dev").blocked
