"""docs/settings.md has every key, and where it is no longer current that is said."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ops import reference
from settings.stack import Settings


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for key, field in model.model_fields.items():
        yield key
        for inner in _models(field.annotation):
            yield from _keys(inner)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def test_every_key_of_every_section_has_a_row() -> None:
    rows = [line.split("`")[1] for line in reference.reference().splitlines() if line.startswith("| `")]
    last = [row.rpartition(".")[2] for row in rows]
    keys = list(_keys(Settings))
    assert len(keys) > 150
    assert sorted(last) == sorted(keys)


@pytest.mark.parametrize(
    "row",
    [
        "| `services.NAME.routes[].host` | Public host name, in the stack's domain. | text | **needed** |",
        "| `nodes.NAME.role` | Managers decide; all of them run services. | `manager`, `worker` | `manager` |",
        "| `host.volume_gb` | Size of the protected data volume in GB. | 10 to 10240 | `20` |",
    ],
)
def test_a_row_says_what_values_there_are_and_which_is_the_default(row: str) -> None:
    assert row in reference.reference().splitlines()


def test_a_page_that_is_not_current_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "FILE", tmp_path / "settings.md")
    monkeypatch.setattr(sys, "argv", ["reference"])
    assert reference.main() == 0
    monkeypatch.setattr(sys, "argv", ["reference", "--check"])
    assert reference.main() == 0
    reference.FILE.write_text(reference.FILE.read_text(encoding="utf-8") + "more", encoding="utf-8")
    assert reference.main() == 1
