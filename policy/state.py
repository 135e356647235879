"""Checks a deployed stack: `pulumi stack export --stack STACK | python -m policy.state`, or with a file's name.

Sees what no preview shows: resources that were read, imported, refreshed, or changed by hand since. Needs neither
the Pulumi CLI nor a login. Exit code 1 on a violation.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policy.rules import wire
from policy.rules.engine import check_resource, check_stack, exposure
from policy.rules.model import PackConfig, Resource, Violation
from policy.rules.outputs import READ_AS_WRITTEN, merged


def resources(state: Mapping[str, Any]) -> list[tuple[Resource, Resource]]:
    """Each resource of an exported state, twice: with its inputs, and with its outputs."""
    entries = [entry for entry in state["deployment"].get("resources") or [] if not entry.get("delete")]
    return [(_resource(entry, "inputs"), _resource(entry, "outputs")) for entry in entries]


def check(state: Mapping[str, Any], config: PackConfig | None = None) -> list[Violation]:
    """Every violation: resource rules on what was asked for, stack rules on what there is."""
    pairs = resources(state)
    found = [violation for inputs, outputs in pairs for violation in check_resource(_written(inputs, outputs), config)]
    return found + check_stack([merged(inputs, outputs) for inputs, outputs in pairs], config)


def _written(inputs: Resource, outputs: Resource) -> Resource:
    read = not inputs.props and inputs.type in READ_AS_WRITTEN
    return outputs if read else inputs


def _resource(entry: Mapping[str, Any], which: str) -> Resource:
    props, secrets = wire.from_plain(entry.get(which) or {})
    sources = entry.get("propertyDependencies") or {}
    return Resource(
        type=entry["type"],
        name=entry["urn"].rpartition("::")[2],
        urn=entry["urn"],
        props=props,
        parent=entry.get("parent"),
        dependencies=tuple(entry.get("dependencies") or ()),
        property_dependencies={key: tuple(urns or ()) for key, urns in sources.items()},
        protect=bool(entry.get("protect")),
        provider=entry.get("provider", "").rpartition("::")[0] or None,
        secrets=secrets,
        ignore_changes=tuple(entry.get("ignoreChanges") or ()),
    )


def main(arguments: list[str]) -> int:
    """Print violations and the score."""
    text = Path(arguments[0]).read_text(encoding="utf-8") if arguments else sys.stdin.read()
    state = json.loads(text)
    violations = check(state)
    for violation in violations:
        where = violation.urn.rpartition("::")[2] or "the stack"
        print(f"{violation.level:9} {violation.rule}: {where}: {violation.message}")
    score = exposure(merged(inputs, outputs) for inputs, outputs in resources(state))
    print(f"open inbound ports {score.open_inbound_ports}, layers {score.security_layers}", end=", ")
    print(f"TLS ends in {score.tls_termination_points}, {score.centralized_ingress_percent} % through the gateway")
    return 1 if any(violation.blocking for violation in violations) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
