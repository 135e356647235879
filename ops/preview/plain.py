"""What a stack file holds in plain text although it is a secret. Whoever reads the file, or its history, has it."""

from pathlib import Path

from ops.preview.stackfile import StackFileError, is_encrypted, project_name, stack_config
from ops.simulated.project import STAND_IN
from settings.credentials import TOKENS


def unencrypted(root: Path, stack: str) -> dict[str, str]:
    """Key → the command that encrypts it. Raises ``StackFileError`` where the file cannot be read."""
    config, secrets = stack_config(root, stack), f"{project_name(root)}:secrets"
    found = {key: f"pulumi config set --secret {key}" for key, _ in TOKENS if _is_plain(config.get(key))}
    given = config.get(secrets)
    if not isinstance(given, dict):
        # A map may be written as a text, of which no single key is told.
        return found | ({secrets: _command(f"{secrets}.NAME")} if _is_plain(given) else {})
    plain = [] if is_encrypted(given) else [name for name, value in given.items() if _is_plain(value)]
    return found | {f"{secrets}.{name}": _command(f"{secrets}.{name}") for name in plain}


def refuse_unencrypted(root: Path, stack: str) -> None:
    """Raises ``StackFileError`` with one line for each secret in plain text, never with its value."""
    lines = [f"  {key}: in plain text: {command}" for key, command in unencrypted(root, stack).items()]
    if lines:
        raise StackFileError("\n".join(["A secret is not encrypted, so nothing was done:", *lines]))


def _is_plain(value: object) -> bool:
    """What stands in for a secret in a simulation is none."""
    return bool(value) and not is_encrypted(value) and value != STAND_IN


def _command(key: str) -> str:
    return f"pulumi config set --secret --path '{key}'"
