"""The fields of a stack file, from the settings' own schema."""

from collections.abc import Iterator
from typing import Any

from settings.stack import Settings

Schema = dict[str, Any]


def fields() -> list[str]:
    """Every value that a person can write: ``host.type``, ``operators.networks[]``, ``services.*.routes[].host``."""
    schema = Settings.model_json_schema()
    return list(dict.fromkeys(_leaves("", schema, schema["$defs"])))


def _leaves(path: str, node: Schema, definitions: Schema) -> Iterator[str]:
    if "$ref" in node:
        yield from _leaves(path, definitions[node["$ref"].rpartition("/")[2]], definitions)
    elif "properties" in node:
        for key, value in node["properties"].items():
            yield from _leaves(f"{path}.{key}".lstrip("."), value, definitions)
    elif "anyOf" in node:
        for option in node["anyOf"]:
            yield from _leaves(path, option, definitions)
    elif node.get("type") == "array":
        yield from _leaves(f"{path}[]", node.get("items") or node["prefixItems"][0], definitions)
    elif node.get("type") == "object":
        yield from _leaves(f"{path}.*", _of_any_key(node), definitions)
    elif node.get("type") != "null":
        yield path


def _of_any_key(node: Schema) -> Schema:
    patterns: Schema = node.get("patternProperties", {})
    found: Schema = next(iter(patterns.values())) if patterns else node["additionalProperties"]
    return found
