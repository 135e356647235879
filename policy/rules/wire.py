"""Turns what comes over gRPC into plain values: one walk, unknown and secret values told apart.

The marks are the engine's own (sdk/go/common/resource/properties.go in github.com/pulumi/pulumi): an
unknown value is a string of its own for each kind, and a secret is a map with a signature.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from google.protobuf.struct_pb2 import Struct, Value  # type: ignore[import-untyped] # ships no types

from .model import UNKNOWN, PropertyValue

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the engine's public mark of a secret value
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWNS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


def properties(struct: Struct) -> tuple[dict[str, PropertyValue], frozenset[str]]:
    """The plain properties of a request and the paths of those that are marked secret."""
    secrets: list[str] = []
    plain = {key: _from_value(value, key, secrets) for key, value in struct.fields.items()}
    return plain, frozenset(secrets)


def from_plain(values: Mapping[str, PropertyValue]) -> tuple[dict[str, PropertyValue], frozenset[str]]:
    """The same for properties that are JSON already, as in an exported state. An encrypted secret is unknown."""
    secrets: list[str] = []
    plain = {key: _from_json(value, key, secrets) for key, value in values.items() if not _internal(key)}
    return plain, frozenset(secrets)


def _from_value(value: Value, path: str, secrets: list[str]) -> PropertyValue:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWNS else value.string_value
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields:
            return _marked(fields, path, secrets)
        return {key: _from_value(inner, f"{path}.{key}", secrets) for key, inner in fields.items()}
    if kind == "list_value":
        inner_values = value.list_value.values
        return [_from_value(inner, f"{path}[{i}]", secrets) for i, inner in enumerate(inner_values)]
    if kind == "number_value":
        return _number(value.number_value)
    return value.bool_value if kind == "bool_value" else None


def _marked(fields: Mapping[str, Value], path: str, secrets: list[str]) -> PropertyValue:
    mark = fields[SIGNATURE].string_value
    if mark == SECRET:
        secrets.append(path)
        return _from_value(fields["value"], path, secrets) if "value" in fields else UNKNOWN
    if mark == OUTPUT:
        if "secret" in fields and fields["secret"].bool_value:
            secrets.append(path)
        return _from_value(fields["value"], path, secrets) if "value" in fields else UNKNOWN
    # Assets, archives and resource references stay as they are: a rule sees their path, text or URN.
    return {key: _from_value(inner, f"{path}.{key}", secrets) for key, inner in fields.items() if key != SIGNATURE}


def _from_json(value: PropertyValue, path: str, secrets: list[str]) -> PropertyValue:
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWNS else value
    if isinstance(value, list):
        return [_from_json(inner, f"{path}[{i}]", secrets) for i, inner in enumerate(value)]
    if not isinstance(value, Mapping):
        return _number(value) if isinstance(value, float) else value
    if value.get(SIGNATURE) == SECRET:
        secrets.append(path)
        plain = json.loads(value["plaintext"]) if "plaintext" in value else value.get("value", UNKNOWN)
        return _from_json(plain, path, secrets)
    return {key: _from_json(inner, f"{path}.{key}", secrets) for key, inner in value.items() if not _internal(key)}


def _internal(key: str) -> bool:
    """The engine's and the bridge's own keys in a state: signatures, `__defaults`."""
    return key == SIGNATURE or key.startswith("__")


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() else value
