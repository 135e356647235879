"""A copy of the project for a simulated run, so that nothing is written beside the real one."""

import shutil
from pathlib import Path
from typing import Any

import yaml

LEFT_OUT = shutil.ignore_patterns(".venv", ".cache", ".git", "build", "__pycache__", "node_modules", ".*_cache")
PROVIDERS = ("hcloud:", "cloudflare:", "docker:")
"""Provider settings in a stack file go before the environment, where the endpoints stand."""
SALT = "encryptionsalt"
"""What the CLI adds to a stack file. It belongs to the simulated state, so it outlasts the copy."""
STAND_IN = "a-secret-of-the-simulation"


class StackError(Exception):
    """The stack can't be simulated. The text says why."""


def copy_project(root: Path, folder: Path, stack: str) -> None:
    """Copy the program to ``folder``, with the stack's file as a simulation can use it."""
    read_stack(root, stack)
    own = folder / f"Pulumi.{stack}.yaml"
    salt = {key: value for key, value in _content(own).items() if key == SALT}
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(root, folder, ignore=LEFT_OUT)
    (folder / ".venv").symlink_to((root / ".venv").resolve())
    for file in folder.glob("Pulumi.*.yaml"):
        more = salt if file == own else {}
        file.write_text(yaml.safe_dump({**simulated(_content(file)), **more}, allow_unicode=True), encoding="utf-8")


def _content(file: Path) -> dict[str, Any]:
    content = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    return content if isinstance(content, dict) else {}


def simulated(content: dict[str, Any]) -> dict[str, Any]:
    """A stack file without settings of providers, and with plain stand-ins for what only its owner can decrypt."""
    config = {
        key: _plain(value) for key, value in (content.get("config") or {}).items() if not key.startswith(PROVIDERS)
    }
    return {"config": config}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(value, dict):
        return STAND_IN if set(value) == {"secure"} else {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def read_stack(root: Path, stack: str) -> dict[str, Any]:
    """The configuration of a stack without its namespace; raises ``StackError``."""
    file = root / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        raise StackError(f"{file.name}: there is no such file")
    config = _content(file).get("config") or {}
    values = {key.rpartition(":")[2]: value for key, value in config.items()}
    if values.get("target", "cloud") != "cloud" or "cloudflare" not in values:
        raise StackError(f"{stack} has no cloud to simulate: make preview STACK={stack} shows it")
    return values
