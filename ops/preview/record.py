"""Runs a Pulumi program without an engine and keeps every registration as it would go over the wire."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import pulumi
import pulumi.runtime
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped] # ships no types
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import SETTINGS, get_root_resource, reset_options
from pulumi.runtime.stack import run_pulumi_func

from ops.preview.simulated import outputs_of, resource_id
from policy.rules.model import Resource
from policy.rules.wire import properties

Outputs = Callable[[str, str, Mapping[str, Any]], dict[str, Any]]
"""(type, name, inputs) → what the cloud would add to the inputs."""


class DuplicateUrnError(Exception):
    """Two resources with one URN. The engine refuses that; the SDK's mocks let the second hide the first."""


@dataclass(frozen=True)
class Registration:
    """One registered resource: what the policy pack sees, and what only the program's run tells."""

    resource: Resource
    custom: bool
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Of a resource what a cloud would add to its inputs; of a component what it registers when it is done."""
    secret_outputs: frozenset[str] = frozenset()
    delete_before_replace: bool | None = None
    """None where the provider decides."""
    retain_on_delete: bool = False
    replace_on_changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """A whole run: every registration in order, and the stack's exports."""

    registrations: tuple[Registration, ...]
    exports: Mapping[str, Any] = field(default_factory=dict)

    @property
    def resources(self) -> list[Resource]:
        """What the policy pack is given."""
        return [registration.resource for registration in self.registrations]

    def of_type(self, token: str) -> list[Resource]:
        """Every resource of one type token, in order of registration."""
        return [resource for resource in self.resources if resource.type == token]


def record(
    program: Callable[[], None],
    *,
    project: str = "zero-exposure",
    stack: str = "dev",
    preview: bool = True,
    config: Mapping[str, str] | None = None,
    outputs: Outputs = outputs_of,
) -> Recording:
    """Run a program and return what it registered, after every registration has landed.

    What the program raises, in an `apply` too, is raised here. ``preview`` is what `pulumi.runtime.is_dry_run()`
    says. The SDK's state is global: one run at a time in a process.
    """
    recorder = Recorder(outputs)
    loop = asyncio.new_event_loop()
    # The SDK ties every output to the loop that is current when it is made, the root's too.
    asyncio.set_event_loop(loop)
    # The first error is raised below; what else waits for the failed resource would only repeat it on stderr.
    loop.set_exception_handler(lambda _loop, _context: None)
    _reset()
    try:
        set_mocks(_Outputs(outputs), project, stack, preview, monitor=recorder)
        pulumi.runtime.set_all_config(dict(config or {}), [])
        loop.run_until_complete(run_pulumi_func(program))
        exports = getattr(get_root_resource(), "outputs", {})
        return Recording(recorder.complete(), loop.run_until_complete(_resolved(exports)))
    finally:
        _reset()
        asyncio.set_event_loop(None)
        loop.close()


class _Outputs(Mocks):
    """What a cloud would answer."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        inputs = dict(args.inputs)
        if not args.custom:
            return "", inputs
        return resource_id(args.typ, args.name), {**inputs, **self._outputs(args.typ, args.name, inputs)}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise NotImplementedError(f"{args.token}: the program reads nothing from a cloud, so that a preview needs none")


class Recorder(MockMonitor):
    """The SDK's mock monitor, which also keeps each raw request."""

    def __init__(self, outputs: Outputs) -> None:
        super().__init__(_Outputs(outputs))
        self.registrations: list[Registration] = []
        self._urns: set[str] = set()
        self._done: dict[str, Struct] = {}
        # The SDK registers from several threads.
        self._lock = Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes it: with the types of all ancestors but the stack, not of the parent alone."""
        qualified = parent.split("::")[2] if parent else ""
        if qualified and qualified != "pulumi:pulumi:Stack":
            type_ = f"{qualified}${type_}"
        return f"urn:pulumi:{SETTINGS.stack}::{SETTINGS.project}::{type_}::{name}"

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802, ANN401 - gRPC's name
        """Answer as the mock does, and keep the request."""
        urn = self.make_urn(request.parent, request.type, request.name)
        with self._lock:
            if urn in self._urns:
                raise DuplicateUrnError(f"two resources with the URN {urn}")
            self._urns.add(urn)
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call] # the SDK leaves it untyped
        self.registrations.append(_registration(request, response, urn))
        return response

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Any:  # noqa: N802, ANN401 - gRPC's name
        """Keep what a component says of itself when it is done."""
        self._done[request.urn] = request.outputs
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call] # the SDK leaves it untyped

    def complete(self) -> tuple[Registration, ...]:
        """Every registration, components with their outputs."""
        return tuple(self._completed(registration) for registration in self.registrations)

    def _completed(self, registration: Registration) -> Registration:
        done = self._done.get(registration.resource.urn)
        if done is None:
            return registration
        outputs, secrets = properties(done)
        return replace(registration, outputs=outputs, secret_outputs=secrets)


def _registration(request: Any, response: Any, urn: str) -> Registration:  # noqa: ANN401 - untyped protobuf
    props, secrets = properties(request.object)
    depending = {key: tuple(sorted(value.urns)) for key, value in request.propertyDependencies.items()}
    resource = Resource(
        type=request.type,
        name=request.name,
        urn=urn,
        props=props,
        parent=request.parent or None,
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies=depending,
        protect=request.protect,
        provider=request.provider.rpartition("::")[0] or None,
        secrets=secrets,
        ignore_changes=tuple(request.ignoreChanges),
    )
    added = properties(response.object if request.custom else Struct())[0]
    outputs = {key: value for key, value in added.items() if key not in props}
    return Registration(
        resource,
        request.custom,
        outputs,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        retain_on_delete=request.retainOnDelete,
        replace_on_changes=tuple(request.replaceOnChanges),
    )


async def _resolved(exports: Mapping[str, Any]) -> dict[str, Any]:
    """The exports as they would be shown: a secret is a mark, never its value."""
    shown: dict[str, Any] = {}
    for name, value in exports.items():
        output = pulumi.Output.from_input(value)
        known = await output.is_known()
        shown[name] = "[secret]" if await output.is_secret() else await output.future() if known else "[unknown]"
    return shown


def _reset() -> None:
    """Forget a run that failed: its pending outputs and its root would reach into the next one."""
    SETTINGS.outputs.clear()
    SETTINGS.rpc_manager.clear()
    reset_options()
