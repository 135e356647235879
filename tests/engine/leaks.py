"""Secrets where nobody may read them: in the state, the event log and the output."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from tests.engine.world import World

SECRET_OUTPUTS = {
    "random:index/randomPassword:RandomPassword": ("result", "bcryptHash"),
    "tls:index/privateKey:PrivateKey": ("privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"),
    "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken": ("clientSecret",),
    "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": ("tunnelSecret",),
}
"""Type → what of it nobody may read."""
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""How an exported state marks a secret."""


def leaked(secrets: Iterable[str], shown: str) -> list[str]:
    """Those that a text has, in whatever spelling."""
    return [spelling for secret in secrets for spelling in _spellings(secret) if spelling in shown]


def secrets_of(made: World) -> Iterator[str]:
    """Every one that the program made or was given, and what the server's user data carries of them."""
    for resource in made.resources():
        for name in SECRET_OUTPUTS.get(resource["type"], ()):
            for side in ("inputs", "outputs"):
                value = _plain(resource.get(side, {}).get(name))
                if isinstance(value, str) and value:
                    yield value


def _plain(value: Any) -> Any:
    """The value itself, whether it is marked as a secret or not."""
    if isinstance(value, dict) and SECRET.items() <= value.items():
        return json.loads(value["plaintext"])
    return value


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode().rstrip("=")
    yield base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
