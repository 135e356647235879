"""The pack as the engine talks to it: the analyzer service of Pulumi's public protocol, over the rule table.

It stands on `pulumi.runtime.proto` and not on pulumi_policy's PolicyPack, because four things that this pack
promises can't be kept on top of that: an unknown value there turns a mandatory policy into an advisory and
drops the rest of it; properties are read once for each policy in place of once for each resource; marks of
secrets are removed before a policy sees them; and --policy-pack-config switches any policy off. See
docs/policy.md.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping
from concurrent import futures
from dataclasses import replace
from typing import Final

import grpc  # type: ignore[import-untyped] # ships no types
from google.protobuf import empty_pb2, json_format  # type: ignore[import-untyped] # ships no types
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from . import waivers, wire
from .engine import check_resource, check_stack
from .model import PackConfig, PropertyValue, Resource, Rule, StackRule, Violation
from .outputs import READ_AS_WRITTEN, merged
from .table import ALL, BY_ID

NAME: Final = "zero-exposure"
VERSION: Final = "0.1.0"
MAX_MESSAGE: Final = 400 * 1024 * 1024
"""Bytes. A stack of ten thousand resources is one message; the limit is the SDK's own."""
DOCS: Final = "docs/threat-model.md#"
LEVELS: Final = {"mandatory": proto.MANDATORY, "advisory": proto.ADVISORY}
STRENGTH: Final = {proto.DISABLED: 0, proto.ADVISORY: 1, proto.REMEDIATE: 2, proto.MANDATORY: 2}
SEVERITIES: Final = {
    "critical": proto.POLICY_SEVERITY_CRITICAL,
    "high": proto.POLICY_SEVERITY_HIGH,
    "medium": proto.POLICY_SEVERITY_MEDIUM,
    "low": proto.POLICY_SEVERITY_LOW,
}
SCHEMAS: Final = {
    waivers.TYPES_RULE: {"allow": {"type": "object", "additionalProperties": {"type": "string"}}},
    waivers.WAIVERS_RULE: {"waivers": {"type": "array", "items": {"type": "object"}}},
}
WAIVER_RULE: Final = StackRule(
    id=waivers.WAIVERS_RULE,
    severity="high",
    claim=waivers.CLAIM,
    remediation=waivers.REMEDIATION,
    threat="default-deny",
    check=lambda _stack: (),
    waivable=False,
)


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine. Keeps the inputs of each resource for the stack rules.

    At a first preview a provider that is not configured yet gives back no outputs at all, and stack rules
    are handed outputs; the inputs that came before, one resource at a time, are what they need.
    """

    def __init__(self) -> None:
        self._config = PackConfig()
        self._inputs: dict[str, Resource] = {}

    def Analyze(self, request: proto.AnalyzeRequest, context: object) -> proto.AnalyzeResponse:  # noqa: N802, ARG002
        """One resource, before it is created or changed."""
        resource = _resource(request)
        self._inputs[resource.urn] = resource
        return _response(check_resource(resource, self._config))

    def AnalyzeStack(  # noqa: N802
        self,
        request: proto.AnalyzeStackRequest,
        context: object,  # noqa: ARG002
    ) -> proto.AnalyzeResponse:
        """The whole stack, at the end."""
        resources = [self._merged(entry) for entry in request.resources]
        found = check_stack(resources, self._config)
        for resource in resources:
            inputs = self._inputs.get(resource.urn)
            if resource.type in READ_AS_WRITTEN and not (inputs and inputs.props):
                found += check_resource(resource, self._config)
        return _response(found)

    def _merged(self, entry: proto.AnalyzerResource) -> Resource:
        outputs = replace(
            _resource(entry),
            dependencies=tuple(entry.dependencies),
            property_dependencies={key: tuple(found.urns) for key, found in entry.propertyDependencies.items()},
        )
        return merged(self._inputs.get(entry.urn), outputs)

    def GetAnalyzerInfo(self, request: object, context: object) -> proto.AnalyzerInfo:  # noqa: N802, ARG002
        """Every rule with its level, severity, remediation and, where it has one, its configuration."""
        info = proto.AnalyzerInfo(name=NAME, version=VERSION, supportsConfig=True)
        info.policies.extend(_info(rule) for rule in (*ALL, WAIVER_RULE))
        return info

    def GetPluginInfo(self, request: object, context: object) -> proto.PluginInfo:  # noqa: N802, ARG002
        """The pack's version."""
        return proto.PluginInfo(version=VERSION)

    def Configure(  # noqa: N802
        self, request: proto.ConfigureAnalyzerRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Takes allowed types and waivers. Refuses whatever would weaken a rule: the run fails."""
        try:
            self._config = _configuration(request.policyConfig)
        except waivers.ConfigError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"policy pack {NAME}: {error}")
        return empty_pb2.Empty()

    def ConfigureStack(  # noqa: N802
        self,
        request: object,  # noqa: ARG002
        context: object,  # noqa: ARG002
    ) -> proto.AnalyzerStackConfigureResponse:
        """Nothing here depends on the stack's name or tags: all stacks have the same rules."""
        return proto.AnalyzerStackConfigureResponse()

    def Remediate(self, request: object, context: object) -> proto.RemediateResponse:  # noqa: N802, ARG002
        """This pack changes nothing."""
        return proto.RemediateResponse()


def serve() -> None:
    """Starts the service on a free port of loopback, prints the port, and stays until it is stopped."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=4), options=[("grpc.max_receive_message_length", MAX_MESSAGE)]
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop(0)


def _resource(request: proto.AnalyzeRequest | proto.AnalyzerResource) -> Resource:
    props, secrets = wire.properties(request.properties)
    return Resource(
        type=request.type,
        name=request.name,
        urn=request.urn,
        props=props,
        parent=request.options.parent or None,
        protect=request.options.protect,
        provider=request.provider.urn if request.HasField("provider") else None,
        secrets=secrets,
        ignore_changes=tuple(request.options.ignoreChanges),
    )


def _configuration(given: Mapping[str, PropertyValue]) -> PackConfig:
    properties = {}
    for name, entry in given.items():
        rule = BY_ID.get(name, WAIVER_RULE)
        if STRENGTH[entry.enforcementLevel] < STRENGTH[LEVELS[rule.level]]:
            raise waivers.ConfigError(
                f"{name} can't be weakened or switched off; accept one violation by a waiver (docs/policy.md)"
            )
        values = json_format.MessageToDict(entry.properties)
        if values:
            properties[name] = values
    return waivers.from_mapping(properties)


def _info(rule: Rule | StackRule) -> proto.PolicyInfo:
    info = proto.PolicyInfo(
        name=rule.id,
        displayName=rule.id,
        description=rule.claim,
        enforcementLevel=LEVELS[rule.level],
        severity=SEVERITIES[rule.severity],
        policy_type=(
            proto.PolicyType.POLICY_TYPE_RESOURCE if isinstance(rule, Rule) else proto.PolicyType.POLICY_TYPE_STACK
        ),
        remediation_steps=rule.remediation,
        url=f"{DOCS}{rule.threat}",
    )
    if rule.id in SCHEMAS:
        info.configSchema.properties.update(SCHEMAS[rule.id])
    return info


def _response(violations: Iterable[Violation]) -> proto.AnalyzeResponse:
    return proto.AnalyzeResponse(diagnostics=[_diagnostic(violation) for violation in violations])


def _diagnostic(violation: Violation) -> proto.AnalyzeDiagnostic:
    rule = BY_ID.get(violation.rule, WAIVER_RULE)
    return proto.AnalyzeDiagnostic(
        policyName=violation.rule,
        policyPackName=NAME,
        policyPackVersion=VERSION,
        description=rule.claim,
        message=f"{rule.claim}\n{violation.message}\n{violation.remediation}",
        enforcementLevel=LEVELS[violation.level],
        urn=violation.urn,
        severity=SEVERITIES[violation.severity],
    )
