"""The recorded graph as JSON: what other tools read instead of the program."""

from typing import Any

from ops.preview.record import Recording, Registration
from policy.rules.model import UNKNOWN, Exposure, Violation

SECRET = "[secret]"  # noqa: S105 - the mark that stands for a value
UNKNOWN_MARK = "[unknown]"


def graph(
    stack: str, target: str, recording: Recording, violations: list[Violation], exposure: Exposure
) -> dict[str, Any]:
    """Everything of one run, sorted by URN so that two runs of one program give one text."""
    ordered = sorted(recording.registrations, key=lambda registration: registration.resource.urn)
    return {
        "stack": stack,
        "target": target,
        "resources": [_resource(registration) for registration in ordered],
        "violations": [_violation(violation) for violation in violations],
        "exposure": exposure.as_json(),
    }


def _resource(registration: Registration) -> dict[str, Any]:
    resource = registration.resource
    hidden = resource.secrets | registration.secret_outputs
    return {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "parent": resource.parent,
        "custom": registration.custom,
        "inputs": {key: _shown(value, key, resource.secrets) for key, value in sorted(resource.props.items())},
        "outputs": {key: _shown(value, key, hidden) for key, value in sorted(registration.outputs.items())},
        "dependencies": list(resource.dependencies),
        "protect": resource.protect,
        "provider": resource.provider,
    }


def _violation(violation: Violation) -> dict[str, str]:
    return {
        "rule": violation.rule,
        "severity": violation.severity,
        "level": violation.level,
        "urn": violation.urn,
        "message": violation.message,
    }


def _shown(value: object, path: str, secrets: frozenset[str]) -> object:
    """A value with marks in place of what is secret or unknown."""
    if path in secrets:
        return SECRET
    if value is UNKNOWN:
        return UNKNOWN_MARK
    if isinstance(value, dict):
        return {key: _shown(inner, f"{path}.{key}", secrets) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_shown(inner, f"{path}[{index}]", secrets) for index, inner in enumerate(value)]
    return value
