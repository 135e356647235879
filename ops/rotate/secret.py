"""Secrets that the program makes, found in the recorded graph, and what a new one touches. Pure."""

from dataclasses import dataclass
from typing import Any

KINDS = (
    "random:index/randomPassword:RandomPassword",
    "tls:index/privateKey:PrivateKey",
    "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken",
)
CONTAINER, SERVER = "docker:index/container:Container", "hcloud:index/server:Server"
ROLE, CARRIER = "zero-exposure.role", "carrier"


@dataclass(frozen=True)
class Secret:
    """``containers`` are replaced once, each, by a new value; ``server`` says whether the server is as well."""

    name: str
    urn: str
    containers: tuple[str, ...]
    server: bool
    fixed: bool
    """Protected: a new value alone would lock out the data that the old one opens."""


def secrets(graph: dict[str, Any]) -> dict[str, Secret]:
    """Name → secret. The stack's own are called as in the stack file, the others as their resources."""
    found = [_secret(resource, graph["resources"]) for resource in graph["resources"] if resource["type"] in KINDS]
    return {secret.name: secret for secret in sorted(found, key=lambda secret: secret.name)}


def _secret(resource: dict[str, Any], resources: list[dict[str, Any]]) -> Secret:
    users = [other for other in resources if resource["urn"] in other["dependencies"]]
    return Secret(
        name=resource["name"].removeprefix("secrets-"),
        urn=resource["urn"],
        containers=tuple(sorted(user["name"] for user in users if user["type"] == CONTAINER and not _carries(user))),
        server=any(user["type"] == SERVER for user in users),
        fixed=resource["protect"],
    )


def _carries(container: dict[str, Any]) -> bool:
    return any(label["label"] == ROLE and label["value"] == CARRIER for label in container["inputs"].get("labels", []))


def effect(secret: Secret) -> str:
    """What a new value means for whoever uses the stack, in one line."""
    if secret.fixed:
        return "can't be made anew by itself; docs/rotation.md says how"
    parts = [f"replaces {', '.join(secret.containers)}"] if secret.containers else []
    parts += ["replaces the server: three to five minutes without service"] if secret.server else []
    return "; ".join(parts) or "restarts nothing"
