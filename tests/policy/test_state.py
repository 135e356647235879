"""An exported state is checked without the CLI, and shows what no preview does."""

import json
from pathlib import Path
from typing import Any

import pytest

from policy import state
from policy.rules import tokens
from policy.rules.model import UNKNOWN, Resource
from policy.rules.wire import SECRET, SIGNATURE, UNKNOWNS, from_plain
from tests.policy import stacks

CIPHER = {SIGNATURE: SECRET, "ciphertext": "v1:abc"}


def exported(resources: list[Resource]) -> dict[str, Any]:
    """A state as `pulumi stack export` writes it, its secrets encrypted."""
    return {"version": 3, "deployment": {"resources": [_entry(resource) for resource in resources]}}


def _entry(resource: Resource) -> dict[str, Any]:
    props = {key: _masked(value, key, resource.secrets) for key, value in resource.props.items()}
    return {
        "urn": resource.urn,
        "type": resource.type,
        "inputs": {"__defaults": [], **props},
        "outputs": {"id": "4711", **props},
        "dependencies": list(resource.dependencies),
        "propertyDependencies": {key: list(urns) for key, urns in resource.property_dependencies.items()},
    }


def _masked(value: Any, path: str, secrets: frozenset[str]) -> Any:
    if path in secrets:
        return CIPHER
    if isinstance(value, dict):
        return {key: _masked(inner, f"{path}.{key}", secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, f"{path}[{index}]", secrets) for index, inner in enumerate(value)]
    return value


def blocking(found: dict[str, Any]) -> set[str]:
    """Rules that the state violates at mandatory level."""
    return {violation.rule for violation in state.check(found) if violation.blocking}


@pytest.mark.parametrize("name", ["cloud", "local"])
def test_a_clean_state_passes(name: str) -> None:
    assert blocking(exported(getattr(stacks, name)())) == set()


def test_a_rule_that_was_added_by_hand_is_seen_after_a_refresh() -> None:
    found = exported(stacks.cloud())
    firewall = next(entry for entry in found["deployment"]["resources"] if entry["type"] == tokens.FIREWALL)
    firewall["outputs"]["rules"] = [{"direction": "in", "protocol": "tcp", "port": "22"}]
    assert {"checklist-1-no-inbound", "stack-metrics"} <= blocking(found)


def test_a_resource_that_was_read_by_its_id_is_seen() -> None:
    read = {
        "urn": stacks.urn(tokens.FIREWALL, "read"),
        "type": tokens.FIREWALL,
        "external": True,
        "outputs": {"rules": [{"direction": "in"}]},
    }
    found = exported(stacks.cloud())
    found["deployment"]["resources"].append(read)
    assert "firewall-no-inbound" in blocking(found)


def test_what_is_about_to_be_deleted_does_not_count() -> None:
    found = exported(stacks.cloud())
    found["deployment"]["resources"].append({**_entry(stacks.resource("a:b:C", "old", {})), "delete": True})
    assert blocking(found) == set()


def test_marks_of_the_state_are_understood() -> None:
    shown = {SIGNATURE: SECRET, "plaintext": json.dumps({"a": ["b"]})}
    unknown = sorted(UNKNOWNS)[0]
    props, secrets = from_plain({"hidden": CIPHER, "shown": shown, "n": 1.0, "later": unknown, "__defaults": []})
    assert props == {"hidden": UNKNOWN, "shown": {"a": ["b"]}, "n": 1, "later": UNKNOWN}
    assert secrets == {"hidden", "shown"}


def test_it_prints_violations_and_the_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps(exported(stacks.cloud())), encoding="utf-8")
    assert state.main([str(file)]) == 0
    assert "open inbound ports 0" in capsys.readouterr().out
    spoiled = [stacks.resource(tokens.FIREWALL, "open", {"rules": [{"direction": "in"}]})]
    file.write_text(json.dumps(exported(spoiled)), encoding="utf-8")
    assert state.main([str(file)]) == 1
    assert "mandatory firewall-no-inbound: open: rules[0]" in capsys.readouterr().out
