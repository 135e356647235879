"""Images of the program's own containers, in ``images.yaml``: one file, so that an update is one line of text."""

from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

FILE = Path(__file__).with_name("images.yaml")


@cache
def images() -> dict[str, str]:
    """Name → image."""
    content: dict[str, dict[str, str]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: entry["image"] for name, entry in content.items()}


def own_image(name: str, description: str | None = None) -> Any:  # noqa: ANN401 - pydantic's own Field returns it too
    """A key whose default is one of these images. It stands in no schema, which an update would make old."""
    return Field(default_factory=partial(_default, name), validate_default=True, description=description)


def _default(name: str) -> str:
    return images()[name]
