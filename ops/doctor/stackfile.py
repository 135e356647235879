"""The stack file: whether it is right, and whether it is still the example."""

from collections.abc import Iterator
from pathlib import Path

from ops.doctor.finding import Finding, ok, wrong
from ops.preview.plain import unencrypted
from ops.preview.stackfile import StackFileError, project_name, stack_values
from settings.load import SettingsError, load
from settings.stack import Settings

EXAMPLES = {
    "domain": ("example.org", "example.com", "example.net"),
    "cloudflare.account_id": ("0123456789abcdef0123456789abcdef",),
    "cloudflare.zone_id": ("fedcba9876543210fedcba9876543210", "00112233445566778899aabbccddeeff"),
    "cloudflare.team": ("example",),
}
"""Key → values that the examples have."""


def read(root: Path, stack: str) -> tuple[Settings | None, list[Finding]]:
    """Settings, or None with what is wrong."""
    plain: list[Finding] = []
    try:
        plain = [_in_plain_text(*found) for found in unencrypted(root, stack).items()]
        settings = load(stack_values(root, stack), project_name(root))
    except (StackFileError, SettingsError) as error:
        remedy = f"docs/settings.md lists every key; `make init STACK={stack}` writes a new file."
        return None, [*plain, wrong("stack file", str(error), remedy)]
    return settings, [*plain, *_judge(settings, stack)]


def _in_plain_text(key: str, command: str) -> Finding:
    return wrong(key, "in plain text in the stack file", f"Run: {command}; and make it anew if others saw the file.")


def _judge(settings: Settings, stack: str) -> Iterator[Finding]:
    yield ok("stack file", f"Pulumi.{stack}.yaml is well-formed")
    if settings.target == "local":
        return
    left = [key for key, examples in EXAMPLES.items() if _value(settings, key) in examples]
    left += [f"operators.ssh_keys.{name}" for name, key in settings.operators.ssh_keys.items() if "@example." in key]
    if left:
        yield wrong("your values", f"still the example's: {', '.join(left)}", "Put your own into the stack file.")


def _value(settings: Settings, key: str) -> object:
    value: object = settings
    for part in key.split("."):
        value = getattr(value, part, None)
    return value
