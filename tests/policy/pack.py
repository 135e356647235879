"""The real pack, started as the engine starts it, and driven over gRPC as the engine drives it."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped] # ships no types
from google.protobuf import empty_pb2  # type: ignore[import-untyped] # ships no types
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped] # ships no types
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from policy.rules.model import UNKNOWN, Resource
from policy.rules.wire import SECRET, SIGNATURE

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "policy"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
LIMITS = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]
Diagnostics = list[proto.AnalyzeDiagnostic]


@dataclass
class Client:
    """What the engine asks of a pack."""

    stub: analyzer_pb2_grpc.AnalyzerStub

    def info(self) -> proto.AnalyzerInfo:
        """The pack's rules."""
        found: proto.AnalyzerInfo = self.stub.GetAnalyzerInfo(empty_pb2.Empty())
        return found

    def configure(self, config: Mapping[str, tuple[int, Mapping[str, Any]]]) -> None:
        """Rule → its level and properties, as the engine sends them: for every rule."""
        request = proto.ConfigureAnalyzerRequest()
        for name, (level, properties) in config.items():
            request.policyConfig[name].enforcementLevel = level
            request.policyConfig[name].properties.update(properties)
        self.stub.Configure(request)

    def analyze(self, resource: Resource) -> Diagnostics:
        """One resource before it is created."""
        return list(self.stub.Analyze(analyze_request(resource)).diagnostics)

    def analyze_stack(self, resources: Iterable[Resource]) -> Diagnostics:
        """The whole stack. What is in `props` are the outputs here."""
        return list(self.stub.AnalyzeStack(stack_request(resources)).diagnostics)

    def run(self, resources: list[Resource], outputs: bool = True) -> Diagnostics:
        """A whole operation. Without outputs it is one whose providers are not configured yet."""
        found = [diagnostic for resource in resources for diagnostic in self.analyze(resource)]
        return found + list(self.stub.AnalyzeStack(stack_request(resources, outputs)).diagnostics)


@contextmanager
def running(folder: Path = PACK) -> Iterator[Client]:
    """Starts a pack, hands out a client, and stops it by its id."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:0", str(folder)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=LIMITS) as channel:
                yield Client(analyzer_pb2_grpc.AnalyzerStub(channel))
        finally:
            process.terminate()


def analyze_request(resource: Resource) -> proto.AnalyzeRequest:
    """What the engine sends for one resource."""
    request = proto.AnalyzeRequest(
        type=resource.type, urn=resource.urn, name=resource.name, properties=struct(resource)
    )
    request.options.protect = resource.protect
    request.options.ignoreChanges.extend(resource.ignore_changes)
    return request


def stack_request(resources: Iterable[Resource], outputs: bool = True) -> proto.AnalyzeStackRequest:
    """What the engine sends for a stack."""
    return proto.AnalyzeStackRequest(resources=[_entry(resource, outputs) for resource in resources])


def _entry(resource: Resource, outputs: bool) -> proto.AnalyzerResource:
    entry = proto.AnalyzerResource(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=struct(resource) if outputs else Struct(),
        dependencies=resource.dependencies,
    )
    for key, urns in resource.property_dependencies.items():
        entry.propertyDependencies[key].urns.extend(urns)
    return entry


def struct(resource: Resource) -> Struct:
    """Properties with the engine's marks of unknown and secret values."""
    found = Struct()
    found.update({key: _wire(value, key, resource.secrets) for key, value in resource.props.items()})
    return found


def _wire(value: Any, path: str, secrets: frozenset[str]) -> Any:
    if path in secrets:
        return {SIGNATURE: SECRET, "value": _wire(value, path, secrets - {path})}
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, dict):
        return {key: _wire(inner, f"{path}.{key}", secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_wire(inner, f"{path}[{index}]", secrets) for index, inner in enumerate(value)]
    return value
