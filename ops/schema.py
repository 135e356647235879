"""`python -m ops.schema`: writes the JSON Schema of stack files, so that editors complete and check them."""

import json
import sys
from pathlib import Path
from typing import Any

from ops.generated import checks, keep
from ops.preview.stackfile import project_name
from settings.stack import Settings

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "stack.schema.json"


def schema(namespace: str) -> dict[str, Any]:
    """The schema of a whole stack file: Pulumi's own keys, ours below ``config``, other packages' untouched."""
    settings = Settings.model_json_schema(ref_template="#/$defs/{model}")
    for section in (settings, *settings["$defs"].values()):
        _without_defaults_of_sections(section)
    ours = {f"{namespace}:{key}": value for key, value in settings["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of zero-exposure",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": ours,
                "required": [f"{namespace}:{key}" for key in settings.get("required", [])],
                "patternProperties": {f"^(?!{namespace}:)[A-Za-z0-9-]+:[A-Za-z0-9-]+$": {}},
                "additionalProperties": False,
            },
            "encryptionsalt": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "secretsprovider": {"type": "string"},
        },
        "required": ["config"],
        "$defs": settings["$defs"],
    }


def _without_defaults_of_sections(section: dict[str, Any]) -> None:
    """A section's keys have their own defaults. Said twice they would name images, which change with every update."""
    for key in section.get("properties", {}).values():
        if "$ref" in key:
            key.pop("default", None)


def main() -> int:
    """Write the file, or with ``--check`` say whether it is current."""
    text = json.dumps(schema(project_name(ROOT)), indent=2, ensure_ascii=False) + "\n"
    return keep(FILE, text, check=checks("ops.schema", __doc__), stale=f"{FILE.name} is not current: make schema")


if __name__ == "__main__":
    sys.exit(main())
