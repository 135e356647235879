"""Checks every input against the provider SDKs' own argument types. Mocks check none."""

import collections.abc
import enum
import importlib
import inspect
import json
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import pulumi
from pulumi._types import input_type_types, is_input_type

from policy.rules.model import UNKNOWN, Resource, Violation

RULE = "input-types"


def check_inputs(resource: Resource) -> list[Violation]:
    """One violation for each input that the provider's SDK has no name or another type for."""
    arguments = arguments_of(resource.type)
    if arguments is None:
        return []
    from_json = resource.type.startswith("pulumi:providers:")
    props = {key: _parsed(value) if from_json else value for key, value in resource.props.items()}
    remedy = f"see the arguments of {arguments.__module__.split('.')[0]}.{arguments.__name__}"
    return [
        Violation(RULE, "high", resource.urn, f"{path}: {text}", remedy) for path, text in _object(props, arguments, "")
    ]


@cache
def arguments_of(token: str) -> type | None:
    """The SDK's class of arguments for a type token; None for a component of ours and for the stack."""
    package, module, kind = token.split(":")
    if package == "pulumi":
        return _named(f"pulumi_{kind}", "ProviderArgs") if module == "providers" else None
    if package == "zero-exposure":
        return None
    submodule = module.split("/")[0]
    path = f"pulumi_{package}" if submodule == "index" else f"pulumi_{package}.{submodule}"
    # Where another type has the name already, the resource's own arguments are called so.
    return _named(path, f"{kind}InitArgs") or _named(path, f"{kind}Args")


def _named(module: str, name: str) -> type | None:
    found = getattr(importlib.import_module(module), name, None)
    return found if isinstance(found, type) else None


def _parsed(value: object) -> object:
    """A provider's configuration crosses the wire as text: anything but a string as JSON."""
    if isinstance(value, str) and value[:1] in '[{"':
        return json.loads(value)
    return value


Finding = tuple[str, str]


def _object(value: object, cls: type, path: str) -> Iterator[Finding]:
    if not isinstance(value, collections.abc.Mapping):
        yield path, f"must be an object, not {_kind(value)}"
        return
    known = _types(cls)
    for key in sorted(set(value) - set(known)):
        yield _joined(path, key), f"no such input; there are: {', '.join(sorted(known))}"
    for key in sorted(_required(cls) - set(value)):
        yield _joined(path, key), "needed"
    for key in sorted(set(value) & set(known)):
        yield from _value(value[key], known[key], _joined(path, key))


def _value(value: object, expected: object, path: str) -> Iterator[Finding]:
    plain = _plain(expected)
    if value is None or value is UNKNOWN or plain in (typing.Any, inspect.Parameter.empty):
        return
    origin = typing.get_origin(plain)
    if origin in (collections.abc.Sequence, list):
        yield from _items(value, typing.get_args(plain)[0], path)
    elif origin in (collections.abc.Mapping, dict):
        yield from _entries(value, typing.get_args(plain)[1], path)
    elif origin in (typing.Union, types.UnionType):
        yield from _any_of(value, typing.get_args(plain), path)
    elif isinstance(plain, type):
        yield from _single(value, plain, path)


def _single(value: object, plain: type, path: str) -> Iterator[Finding]:
    if is_input_type(plain):
        yield from _object(value, plain, path)
    elif issubclass(plain, enum.Enum):
        if value not in [member.value for member in plain]:
            yield path, f"must be one of {', '.join(str(member.value) for member in plain)}"
    elif not _fits(value, plain):
        yield path, f"must be {plain.__name__}, not {_kind(value)}"


def _items(value: object, inner: object, path: str) -> Iterator[Finding]:
    if not isinstance(value, list):
        yield path, f"must be a list, not {_kind(value)}"
        return
    for index, item in enumerate(value):
        yield from _value(item, inner, f"{path}[{index}]")


def _entries(value: object, inner: object, path: str) -> Iterator[Finding]:
    if not isinstance(value, collections.abc.Mapping):
        yield path, f"must be a map, not {_kind(value)}"
        return
    for key, item in value.items():
        yield from _value(item, inner, _joined(path, key))


def _any_of(value: object, options: tuple[object, ...], path: str) -> Iterator[Finding]:
    findings = [list(_value(value, option, path)) for option in options if option is not type(None)]
    if findings and all(findings):
        yield from findings[0]


def _fits(value: object, plain: type) -> bool:
    if plain is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if plain is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, plain)


def _plain(expected: Any) -> Any:  # noqa: ANN401 - a type expression
    """``Union[T, Awaitable[T], Output[T]]``, which the SDKs write for an input, is ``T``."""
    if typing.get_origin(expected) not in (typing.Union, types.UnionType):
        return expected
    wrappers = (collections.abc.Awaitable, pulumi.Output)
    members = [member for member in typing.get_args(expected) if typing.get_origin(member) not in wrappers]
    members = [member for member in members if member is not type(None)]
    return members[0] if len(members) == 1 else typing.Union[tuple(members)]  # noqa: UP007 - made at run time


@cache
def _types(cls: type) -> dict[str, Any]:
    return dict(input_type_types(cls))


@cache
def _required(cls: type) -> frozenset[str]:
    """Wire names of the arguments without a default."""
    parameters = inspect.signature(cls).parameters.values()
    python = {parameter.name for parameter in parameters if parameter.default is inspect.Parameter.empty}
    translated = {_python_name(cls, wire): wire for wire in _types(cls)}
    return frozenset(translated[name] for name in python if name in translated)


def _python_name(cls: type, wire: str) -> str:
    return next((name for name, value in _names(cls).items() if value == wire), wire)


@cache
def _names(cls: type) -> dict[str, str]:
    from pulumi._types import input_type_py_to_pulumi_names

    return dict(input_type_py_to_pulumi_names(cls))


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _kind(value: object) -> str:
    return "an object" if isinstance(value, collections.abc.Mapping) else type(value).__name__
