"""Ready-made services: a fragment of a stack file each, in ``settings/presets/NAME.yaml``.

A fragment has ``service`` (defaults of the service), ``credentials`` (names of generated passwords) and
``exports`` (values that a client may refer to as ``${service.value}``). What lies below ``presets/NAME/`` are files of
the service, at the same path in its container.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "presets"


@cache
def preset(name: str) -> dict[str, Any]:
    """The fragment of one preset. Raises ``KeyError`` for a name that is none."""
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise KeyError(name)
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    files = {f"/{file.relative_to(FOLDER / name)}": file for file in (FOLDER / name).rglob("*") if file.is_file()}
    texts = {place: file.read_text(encoding="utf-8") for place, file in sorted(files.items())}
    if texts:
        content["service"]["files"] = {**content["service"].get("files", {}), **texts}
    return content


def fill_in(raw: dict[str, Any]) -> dict[str, Any]:
    """A service's raw settings over those of its preset; maps are merged, everything else is replaced."""
    try:
        defaults = preset(str(raw["preset"]))["service"]
    except KeyError:
        return raw
    merged = dict(defaults)
    for key, value in raw.items():
        both = isinstance(value, dict) and isinstance(defaults.get(key), dict)
        merged[key] = {**defaults[key], **value} if both else value
    return merged
