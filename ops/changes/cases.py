"""The changes that are tried: cases.yaml, and the stack files that they make of the examples'."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from settings.values import Model

FILE = Path(__file__).with_name("cases.yaml")
Values = dict[str, Any]
"""A stack file's settings without their namespace."""


class Edit(Model):
    """One value of a stack file, and what it becomes; None takes it out."""

    at: tuple[str | int, ...]
    to: Any = None


class Case(Model):
    """A change, or with ``instead`` the reason why there is none. ``what`` is said of a change of a whole entry."""

    field: str
    what: str | None = None
    base: str = "dev"
    at: tuple[str | int, ...] | None = None
    to: Any = None
    along: tuple[Edit, ...] = Field((), alias="with")
    instead: str | None = None

    @property
    def edits(self) -> list[Edit]:
        """All of it."""
        return [Edit(at=self.at or tuple(self.field.split(".")), to=self.to), *self.along]


class Cases(Model):
    """The whole file."""

    bases: dict[str, tuple[Edit, ...]]
    cases: tuple[Case, ...]
    entries: tuple[Case, ...]

    @property
    def every(self) -> tuple[Case, ...]:
        """Fields first, then whole entries."""
        return self.cases + self.entries

    def base(self, root: Path, name: str) -> Values:
        """An example with more in it."""
        return edited(example(root, name), self.bases[name])


def load() -> Cases:
    """The file, checked."""
    return Cases.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def example(root: Path, name: str) -> Values:
    """An example's settings."""
    config = yaml.safe_load((root / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"))["config"]
    return {key.rpartition(":")[2]: value for key, value in config.items()}


def edited(values: Values, edits: Sequence[Edit]) -> Values:
    """A copy with these edits in it. What an edit's way leads through is made where it is missing."""
    changed = deepcopy(values)
    for edit in edits:
        place: Any = changed
        for part in edit.at[:-1]:
            place = place[part] if isinstance(part, int) else place.setdefault(part, {})
        if edit.to is None:
            del place[edit.at[-1]]
        else:
            place[edit.at[-1]] = edit.to
    return changed
