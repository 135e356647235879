"""`python -m ops.reference`: writes docs/settings.md, every key of the stack file in the settings' own words."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ops.generated import checks, keep
from settings.stack import Settings

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "settings.md"
HEAD = """<!-- Written by `make schema` from settings/. -->
# Every key of the stack file

All of them lie below `config`, with `zero-exposure:` before the first word. `Pulumi.dev.yaml` shows many of them at
work, [changes.md](changes.md) says what a change of each one does. `NAME` is a name of yours, and `[]` stands for each
entry of a list. **needed**: where its section is, this key has to be there too.
"""
Schema = Mapping[str, Any]
QUOTE = '"'


def reference() -> str:
    """The page."""
    whole = Settings.model_json_schema(ref_template="{model}")
    return HEAD + "".join(_section(whole, key, field) for key, field in whole["properties"].items())


def _section(whole: Schema, key: str, field: Schema) -> str:
    rows = [_row(whole, key, field, key in whole.get("required", [])), *_below(whole, key, field)]
    return "\n".join(["", f"## `{key}`", "", "| key | what it is | values | default |", "|---|---|---|---|", *rows, ""])


def _below(whole: Schema, path: str, field: Schema) -> Iterator[str]:
    for place, name in _models(path, field):
        model = whole["$defs"][name]
        for key, inner in model["properties"].items():
            yield _row(whole, f"{place}.{key}", inner, key in model.get("required", []))
            yield from _below(whole, f"{place}.{key}", inner)


def _models(path: str, field: Schema) -> Iterator[tuple[str, str]]:
    """Where sections lie below a key, and their names."""
    if "$ref" in field:
        yield path, field["$ref"]
    for inner in field.get("anyOf", []):
        yield from _models(path, inner)
    named = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
    for mark, inner in (("[]", field.get("items")), *((".NAME", each) for each in named)):
        if isinstance(inner, dict):
            yield from _models(path + mark, inner)


def _row(whole: Schema, path: str, field: Schema, required: bool) -> str:
    told = field.get("description") or " ".join(_described(whole, name) for _, name in _models("", field))
    cells = (f"`{path}`", told, _values(field), "**needed**" if required else _default(field))
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|").replace("``", "`") for cell in cells) + " |"


def _described(whole: Schema, name: str) -> str:
    described: str = whole["$defs"][name].get("description", "")
    return described.partition("\n\n")[0]


def _values(field: Schema) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(filter(None, map(_values, field["anyOf"]))))
    if values := field.get("enum") or ([field["const"]] if "const" in field else []):
        return ", ".join(f"`{value}`" for value in values)
    if field.get("type") == "array":
        return " of ".join(filter(None, ("list", _values(field.get("items", {})))))
    bounds = (field.get("minimum"), field.get("maximum"))
    return _range(*bounds) if bounds != (None, None) else WORDS.get(field.get("type", ""), "")


WORDS = {"boolean": "`true`, `false`", "string": "text", "integer": "number", "number": "number", "object": "section"}


def _range(least: float | None, most: float | None) -> str:
    return " to ".join("" if bound is None else f"{bound:g}" for bound in (least, most))


def _default(field: Schema) -> str:
    if field.get("default") in (None, "", [], {}) or "$ref" in field:
        return ""
    text = json.dumps(field["default"], ensure_ascii=False)
    return f"`{text.strip(QUOTE)}`"


def main() -> int:
    """Write the page, or with ``--check`` say whether it is current."""
    stale = f"{FILE.name} is not current: make schema"
    return keep(FILE, reference(), check=checks("ops.reference", __doc__), stale=stale)


if __name__ == "__main__":
    sys.exit(main())
