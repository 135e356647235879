"""Small stack files to test with. Each call gives a fresh copy to spoil."""

from itertools import count
from typing import Any

from settings.load import validate
from settings.stack import Settings

NAMESPACE = "zero-exposure"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJnk0oK4T9D8n6yPp7oJ6X0f3gPbJx1n5b2dC9mV3aH someone"
UIDS = count(2000)
"""Processes are counted by uid, so that no two services may have one."""


def service(**more: Any) -> dict[str, Any]:
    """A service that needs nothing else."""
    return {"image": "example/app:1.0", "user": f"{next(UIDS)}:1000", "port": 3000, **more}


def local_stack(**more: Any) -> dict[str, Any]:
    """An API in front of PostgreSQL, on the local Engine."""
    return {
        "target": "local",
        "domain": "example.org",
        "operators": {"networks": ["203.0.113.0/24"]},
        "services": {
            "api": service(
                user="1000:1000",
                routes=[{"host": "api.example.org"}],
                uses=["postgres"],
                secrets={"database": "${postgres.url}"},
            ),
            "postgres": {"preset": "postgres"},
            "admin": service(user="1001:1000", routes=[{"host": "admin.example.org", "admin": True}]),
        },
        **more,
    }


def cloud_stack(**more: Any) -> dict[str, Any]:
    """The same behind Cloudflare, on a server."""
    more.setdefault("monitoring", {"ntfy": {"topic": "alert_topic"}})
    more["generated"] = [*more.get("generated", ()), "alert_topic"]
    return local_stack(
        target="cloud",
        cloudflare={"account_id": "0" * 32, "zone_id": "1" * 32, "team": "example"},
        host={},
        operators={
            "ssh_keys": {"someone": KEY},
            "networks": ["203.0.113.0/24"],
            "emails": ["someone@example.org"],
        },
        **more,
    )


def swarm_stack(**more: Any) -> dict[str, Any]:
    """The same on three managers and two workers."""
    more.setdefault(
        "nodes", {"manager": {"count": 3}, "worker": {"count": 2, "role": "worker", "labels": {"disk": "fast"}}}
    )
    raw = cloud_stack(**more)
    raw["services"]["postgres"] = {"node": "manager-1", **raw["services"]["postgres"]}
    return raw


def settings(raw: dict[str, Any]) -> Settings:
    """The settings of a stack file that is right."""
    return validate(raw, NAMESPACE)
