"""From the stack file's values to ``Settings``, or to one message that names every wrong key."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from settings.checks import problems
from settings.stack import Settings
from settings.values import SECRET_NAME, WORDS

TEXT = "write text; numbers, times of day, true and false are text in quotes alone"
MAP, LIST = "write a map: KEY: VALUE, one a line", "write a list: [A, B], or one a line behind -"
BY_TYPE = {
    "extra_forbidden": "no such key",
    "missing": "needed",
    "string_type": TEXT,
    "tuple_type": LIST,
    "dict_type": MAP,
    "model_type": MAP,
    "too_short": "at least one is needed",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
}
"""Pydantic's type of an error → what is right. Its own words speak of Python."""


class SettingsError(ValueError):
    """The stack file is not right. The text is for the person who wrote it."""


def load(values: Mapping[str, str], namespace: str) -> Settings:
    """Settings from Pulumi's configuration values (texts; objects as JSON) below one namespace.

    Raises ``SettingsError`` with one line for each wrong key: its path and what is right.
    """
    raw = {key.removeprefix(f"{namespace}:"): value for key, value in values.items() if key.startswith(f"{namespace}:")}
    return validate({key: _parsed(value) for key, value in raw.items()}, namespace)


def validate(raw: dict[str, Any], namespace: str) -> Settings:
    """Settings from plain values. Raises ``SettingsError``."""
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(_message(list(_problems(error.errors())), namespace)) from None
    found = problems(settings)
    if found:
        raise SettingsError(_message(found, namespace))
    return settings


def _parsed(value: str) -> Any:  # noqa: ANN401 - JSON may be anything; pydantic decides
    try:
        return json.loads(value) if value[:1] in "{[" else value
    except json.JSONDecodeError:
        return value


def _problems(entries: list[Any]) -> Iterator[tuple[str, str]]:
    """What is wrong, without what only follows from it."""
    wrong = {entry["loc"] for entry in entries}
    yield from (_problem(entry) for entry in entries if not _follows(entry["type"], entry["loc"], wrong))


def _follows(kind: str, location: tuple[str | int, ...], wrong: set[tuple[str | int, ...]]) -> bool:
    """A list is short of its wrong entries, and a preset that does not exist names no image."""
    if kind == "too_short":
        return any(len(other) > len(location) and other[: len(location)] == location for other in wrong)
    return kind == "missing" and location[-1] == "image" and (*location[:-1], "preset") in wrong


def _problem(entry: Any) -> tuple[str, str]:  # noqa: ANN401 - pydantic's ErrorDetails has optional keys
    text = BY_TYPE.get(entry["type"], str(entry["msg"]).removeprefix("Value error, "))
    if entry["type"] == "string_pattern_mismatch":
        pattern = entry["ctx"]["pattern"]
        shown = "" if pattern == SECRET_NAME else f"{entry['input']!r}: "
        text = f"{shown}{WORDS.get(pattern, f'it has to match {pattern}')}"
    return _path(entry["loc"]), text


def _path(location: tuple[str | int, ...]) -> str:
    """``('services', 'api', 'routes', 0)`` → ``services.api.routes[0]``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location if part != "[key]")
    return "".join(parts).lstrip(".")


def _message(found: list[tuple[str, str]], namespace: str) -> str:
    lines = [f"  {namespace}:{path}: {text}" for path, text in found]
    return "\n".join(["The stack file is not right, so nothing was done:", *lines])
