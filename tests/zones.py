"""The example of a Swarm with a machine in each of three network zones, and otherwise as it is."""

import json
from pathlib import Path
from typing import Any

from ops.preview.stackfile import stack_values

ROOT = Path(__file__).parents[1]
STACK = "swarm"
NODES: dict[str, Any] = {
    "america": {"location": "ash", "type": "ccx13"},
    "asia": {"location": "sin", "type": "ccx13"},
    "europe": {"location": "fsn1", "labels": {"disk": "fast"}},
}
MACHINES = ("america-1", "asia-1", "europe-1")
"""In the order in which they are made."""


def config(nodes: dict[str, Any] | None = None) -> dict[str, str]:
    """The stack's configuration as the engine would hand it over."""
    values = stack_values(ROOT, STACK)
    services = json.loads(values["zero-exposure:services"])
    services["postgres"]["node"] = "europe-1"
    return {
        **values,
        "hcloud:token": "x" * 64,
        "cloudflare:apiToken": "x" * 40,
        "zero-exposure:services": json.dumps(services),
        "zero-exposure:nodes": json.dumps(nodes or NODES),
    }
