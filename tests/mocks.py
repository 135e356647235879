"""Components on mocks: run a program with preview on or off and look at what it registered."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ops.preview.record import Recording, Registration, record

__all__ = ["Recording", "Registration", "both_modes", "nothing_known", "run"]

both_modes = pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
"""Marks a test that has to hold in a preview and in an update."""


def run(program: Callable[[], None], preview: bool, config: Mapping[str, str] | None = None) -> Recording:
    """Every registration of a program, once all have landed. What the program raises is raised here."""
    return record(program, preview=preview, config=config)


def nothing_known(_token: str, _name: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs of a first preview on the real engine: nothing but the inputs is known."""
    return {}
