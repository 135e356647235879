"""Inputs of a resource, taken one by one: what is left over was not applied, and that is an error."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class UnappliedError(Exception):
    """The graph asks for something that the applier does not know how to do."""


class Inputs:
    """A map whose every key has to be taken."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self._left = {key: value for key, value in values.items() if value is not None}
        self.place = place

    def take(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default where it is not set."""
        return self._left.pop(key, default)

    def check(self) -> None:
        """Raise ``UnappliedError`` where a key was not taken."""
        if self._left:
            raise UnappliedError(f"{self.place}: {', '.join(sorted(self._left))}")


@contextmanager
def taking(values: Mapping[str, Any], place: str) -> Iterator[Inputs]:
    """Inputs that are all taken when the block ends."""
    inputs = Inputs(values, place)
    yield inputs
    inputs.check()


def pairs(labels: list[dict[str, str]], place: str) -> dict[str, str]:
    """Labels as the Engine takes them."""
    found = {}
    for label in labels:
        with taking(label, place) as inputs:
            found[inputs.take("label")] = inputs.take("value")
    return found


def nanoseconds(span: str) -> int:
    """ "10s", "1m0s" as the Engine counts time."""
    units = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
    parts = re.findall(r"(\d+)(ms|[smh])", span)
    if not parts or "".join(map("".join, parts)) != span:
        raise ValueError(f"{span!r} is no span of time")
    return sum(int(number) * units[unit] for number, unit in parts)
