"""The same rules in the obvious form: one policy of pulumi_policy for each, to measure the pack against."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policy.rules import graph, table, wire
from policy.rules.model import Resource, Rule, StackRule


def _resource(given: Any) -> Resource:  # noqa: ANN401 - arguments of a resource or of a stack's entry
    props, secrets = wire.from_plain(_plain(given.props))
    return Resource(given.resource_type, given.name, given.urn, props, secrets=secrets)


def _plain(value: Any) -> Any:  # noqa: ANN401 - the SDK's proxies
    inner = value["__target"] if type(value).__name__ in {"_DictProxy", "_ListProxy"} else value
    if isinstance(inner, dict):
        return {key: _plain(each) for key, each in inner.items()}
    return [_plain(each) for each in inner] if isinstance(inner, list) else inner


def _on_resource(rule: Rule) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type in rule.types or rule.types == ("*",):
            for message in rule.check(_resource(args)):
                report(message, None)

    return ResourceValidationPolicy(rule.id, rule.claim, validate, EnforcementLevel.MANDATORY)


def _on_stack(rule: StackRule) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        stack = graph.build(_resource(entry) for entry in args.resources)
        for finding in rule.check(stack):
            report(finding.message, finding.urn or None)

    return StackValidationPolicy(rule.id, rule.claim, validate, EnforcementLevel.MANDATORY)


PolicyPack(
    "naive", [*(_on_resource(rule) for rule in table.RESOURCE_RULES), *(_on_stack(rule) for rule in table.STACK_RULES)]
)
