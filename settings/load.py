"""From the stack file's values to ``Settings``, or to one message that names every wrong key."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from settings.checks import problems
from settings.stack import Settings
from settings.values import WORDS


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
        raise SettingsError(_message([_problem(entry) for entry in error.errors()], namespace)) from None
    found = problems(settings)
    if found:
        raise SettingsError(_message(found, namespace))
    return settings


def _parsed(value: str) -> Any:  # noqa: ANN401 - JSON may be anything; pydantic decides
    try:
        return json.loads(value) if value[:1] in "{[" else value
    except json.JSONDecodeError:
        return value


def _problem(entry: Any) -> tuple[str, str]:  # noqa: ANN401 - pydantic's ErrorDetails has optional keys
    text = str(entry["msg"]).removeprefix("Value error, ")
    if entry["type"] == "extra_forbidden":
        text = "no such key"
    elif entry["type"] == "missing":
        text = "needed"
    elif entry["type"] == "string_pattern_mismatch" and isinstance(entry["input"], str):
        pattern = entry["ctx"]["pattern"]
        text = f"{entry['input']!r}: {WORDS.get(pattern, f'it has to match {pattern}')}"
    return _path(entry["loc"]), text


def _path(location: tuple[str | int, ...]) -> str:
    """``('services', 'api', 'routes', 0)`` → ``services.api.routes[0]``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location if part != "[key]")
    return "".join(parts).lstrip(".")


def _message(found: list[tuple[str, str]], namespace: str) -> str:
    lines = [f"  {namespace}:{path}: {text}" for path, text in found]
    return "\n".join(["The stack file is not right, so nothing was done:", *lines])
