"""Reads properties so that doubt denies: an unknown value, or one of the wrong type, raises and becomes a violation."""

from __future__ import annotations

from collections.abc import Mapping

from .model import NO_PROPS, UNKNOWN, PropertyValue, Props

SHORTEST_REASON = 10
"""Characters. Less states nothing."""


class UndecidableError(Exception):
    """A value that decides exposure can't be read. The message names its path, never the value."""


class View:
    """A map of properties that knows its own path, for messages."""

    __slots__ = ("path", "props")

    def __init__(self, props: Props, path: str = "") -> None:
        self.props = props
        self.path = path

    def at(self, key: str) -> str:
        """The full path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def known(self, key: str) -> PropertyValue:
        """The value, None where it is absent. Raises UndecidableError where it is unknown."""
        value = self.props.get(key)
        if value is UNKNOWN:
            raise UndecidableError(f"{self.at(key)} is unknown, and it decides exposure")
        return value

    def given(self, key: str) -> bool:
        """True if the key holds anything: not absent, not empty, not false."""
        return self.known(key) not in (None, "", False, 0, [], {})

    def flag(self, key: str) -> bool:
        """A boolean, False where it is absent."""
        value = self.known(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise UndecidableError(f"{self.at(key)} is not a boolean")

    def text(self, key: str) -> str:
        """A string, empty where it is absent."""
        value = self.known(key)
        if value is None or isinstance(value, str):
            return value or ""
        raise UndecidableError(f"{self.at(key)} is not a string")

    def number(self, key: str) -> float:
        """A number, 0 where it is absent. A string of digits counts."""
        value = self.known(key)
        try:
            return float(value or 0)
        except (TypeError, ValueError):
            raise UndecidableError(f"{self.at(key)} is not a number") from None

    def items(self, key: str) -> list[PropertyValue]:
        """A list, empty where it is absent. Its elements may be unknown."""
        value = self.known(key)
        if value is None or isinstance(value, list):
            return value or []
        raise UndecidableError(f"{self.at(key)} is not a list")

    def texts(self, key: str) -> list[str]:
        """A list of known strings."""
        values = self.items(key)
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise UndecidableError(f"{self.at(key)}[{index}] is unknown or not a string")
        return values

    def views(self, key: str) -> list[View]:
        """A list of maps."""
        found = []
        for index, value in enumerate(self.items(key)):
            path = f"{self.at(key)}[{index}]"
            if not isinstance(value, Mapping):
                raise UndecidableError(f"{path} is unknown or not a map")
            found.append(View(value, path))
        return found

    def view(self, key: str) -> View:
        """A nested map, empty where it is absent."""
        value = self.known(key)
        if value is None:
            return View(NO_PROPS, self.at(key))
        if isinstance(value, Mapping):
            return View(value, self.at(key))
        raise UndecidableError(f"{self.at(key)} is not a map")


def maps(value: object) -> list[Mapping[str, PropertyValue]]:
    """The maps in a list. For what collects, not for what decides: everything else is left out."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def strings(value: object) -> list[str]:
    """The strings in a list, likewise."""
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def has_label(props: Props, name: str) -> bool:
    """True if a Docker label is there, be its value known or not."""
    return any(
        entry.get("label") == name and entry.get("value") not in (None, "") for entry in maps(props.get("labels"))
    )


def labels(props: Props) -> dict[str, str]:
    """Docker labels, which the provider takes as a list of {label, value}. Unknown ones are left out."""
    pairs = ((entry.get("label"), entry.get("value")) for entry in maps(props.get("labels")))
    return {label: value for label, value in pairs if isinstance(label, str) and isinstance(value, str)}


def stated_reason(props: Props, name: str) -> str:
    """The reason that a Docker label states for an exception; empty where it has less than ten characters."""
    reason = labels(props).get(name, "").strip()
    return reason if len(reason) >= SHORTEST_REASON else ""
