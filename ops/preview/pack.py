"""The policy pack's configuration of this project: allowed types and waivers, kept beside the stack files."""

import json
from pathlib import Path

from policy.rules.model import PackConfig
from policy.rules.waivers import from_mapping

FILE = "policy-config.json"


class PackConfigError(Exception):
    """The pack's configuration can't be read. The text names the file and the entry."""


def pack_config(root: Path) -> PackConfig:
    """What the offline preview holds the rules against. Raises ``PackConfigError``."""
    path = root / FILE
    if not path.is_file():
        return PackConfig()
    try:
        return from_mapping(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError) as error:
        raise PackConfigError(f"{FILE}: {error}") from None


def pack_arguments(root: Path) -> list[str]:
    """The same for the engine's command line."""
    config = ["--policy-pack-config", FILE] if (root / FILE).is_file() else []
    return ["--policy-pack", "policy", *config]
