"""Reads a stack file as the engine would hand it to the program, without an engine.

Encrypted values stay encrypted: there is no passphrase here, so each becomes a stand-in that says so.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from ops.preview.simulated import masked


class StackFileError(Exception):
    """The stack file or the project file cannot be read. The text names the file and what is wrong."""


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, as the CLI does. PyYAML would let the last one win."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - PyYAML leaves it untyped
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        count = Counter(key.value for key in keys)
        for key in reversed(keys):
            if count[key.value] > 1:
                # Its mark would show the line, which may hold a secret.
                raise yaml.YAMLError(f"line {key.start_mark.line + 1}: {key.value} is there already")
        return node


def project_name(root: Path) -> str:
    """The project's name, which is also the namespace of its configuration."""
    return str(_mapping(root / "Pulumi.yaml").get("name", ""))


def stack_values(root: Path, stack: str) -> dict[str, str]:
    """Configuration of one stack: full key → text, objects as JSON. Raises ``StackFileError``."""
    return {key: _text(value, key) for key, value in stack_config(root, stack).items()}


def stack_config(root: Path, stack: str) -> dict[str, Any]:
    """Configuration of one stack: full key → what stands in the file. Raises ``StackFileError``."""
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.name.split(".")[1] for file in root.glob("Pulumi.*.yaml")))
        raise StackFileError(f"{path.name}: there is no such file; stacks here: {known or 'none'}")
    namespace = project_name(root)
    config = {**_defaults(root), **(_mapping(path).get("config") or {})}
    return {_full(key, namespace): value for key, value in config.items()}


def is_encrypted(value: object) -> bool:
    """Whether a value of the file is one that the CLI has encrypted."""
    return isinstance(value, dict) and set(value) == {"secure"}


def _defaults(root: Path) -> dict[str, Any]:
    schema = _mapping(root / "Pulumi.yaml").get("config") or {}
    return {key: entry["default"] for key, entry in schema.items() if isinstance(entry, dict) and "default" in entry}


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError as error:
        raise StackFileError(f"{path.name}: not UTF-8, from byte {error.start} on: save it as UTF-8") from None
    except (OSError, yaml.YAMLError) as error:
        raise StackFileError(f"{path.name}: {error}") from None
    if not isinstance(content, dict):
        raise StackFileError(f"{path.name}: a map of keys is needed")
    return content


def _full(key: str, namespace: str) -> str:
    return key if ":" in key else f"{namespace}:{key}"


def _text(value: object, key: str) -> str:
    plain = _unsecured(value, key.rpartition(":")[2])
    if isinstance(plain, dict | list | bool):
        return json.dumps(plain)
    return "" if plain is None else str(plain)


def _unsecured(value: object, name: str) -> object:
    if is_encrypted(value):
        return masked(name)
    if isinstance(value, dict):
        return {key: _unsecured(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unsecured(inner, f"{name}-{index}") for index, inner in enumerate(value)]
    return value
