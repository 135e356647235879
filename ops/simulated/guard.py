"""Keeps a simulated run on this machine: which environment the CLI gets, and a check of it before the first call."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

KEPT = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TERM", "DOCKER_HOST", "DOCKER_CONFIG", "PULUMI_HOME")
"""All that a run needs of its caller. Tokens and proxies are not among it, whatever they are called."""
ENDPOINTS = ("HCLOUD_ENDPOINT", "CLOUDFLARE_BASE_URL")
HETZNER_TOKEN = "simulated".ljust(64, "0")
CLOUDFLARE_TOKEN = "simulated".ljust(40, "0")
STANDINS = Path(__file__).parent / "bin"


class NotLoopbackError(Exception):
    """An endpoint is not on this machine. The text names it."""


def environment(
    hetzner: str, cloudflare: str, engine: str, backend: Path, caller: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What the CLI runs with; raises ``NotLoopbackError``. ``backend`` is the folder of Pulumi's state, ``engine`` the
    address of the simulated one, empty where the caller's own shall take the containers.
    """
    made = {name: caller[name] for name in KEPT if name in caller} | {
        "PATH": f"{STANDINS}{os.pathsep}{caller.get('PATH', os.defpath)}",
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": "simulated",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "HCLOUD_ENDPOINT": hetzner,
        "HCLOUD_TOKEN": HETZNER_TOKEN,
        "CLOUDFLARE_BASE_URL": cloudflare,
        "CLOUDFLARE_API_TOKEN": CLOUDFLARE_TOKEN,
    }
    if engine:
        made["DOCKER_HOST"] = engine
    check(made)
    return made


def check(made: Mapping[str, str]) -> None:
    """Raises ``NotLoopbackError`` unless every endpoint is on this machine, and no proxy stands before it."""
    for name in ENDPOINTS:
        host = urlsplit(made.get(name, "")).hostname or ""
        if not _loopback(host):
            raise NotLoopbackError(f"{name}: {made.get(name) or 'missing'} is not a loopback address")
    engine = urlsplit(made.get("DOCKER_HOST", "unix://"))
    if engine.scheme != "unix" and not (engine.scheme == "tcp" and _loopback(engine.hostname or "")):
        raise NotLoopbackError(f"DOCKER_HOST: {engine.geturl()} is not on this machine")
    for name in made:
        if name.lower().endswith("_proxy"):
            raise NotLoopbackError(f"{name}: a proxy would carry the calls away")


def _loopback(host: str) -> bool:
    """A name does not count, not even localhost: what it leads to is not seen from here."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
