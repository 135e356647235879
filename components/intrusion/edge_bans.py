"""Runs in a container of its own: brings CrowdSec's bans into a list at Cloudflare, which an edge rule blocks.

Standard library only, since it runs in a plain Python image: ``python -I edge_bans.py SETTINGS``. Danger: a list that
holds everybody's address locks people out at the edge, so networks larger than /8 or /12 (IPv6), and everything that is
not public, are left out. Operators are spared by the rule itself.
"""

import ipaddress
import json
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT = 10_000
"""Entries that Cloudflare takes in one list. Where there are more bans the newest win; the gateway has them all."""
EVERY = 30.0
"""Seconds between two looks at CrowdSec."""
SMALLEST_PREFIX = {4: 8, 6: 12}
LARGEST_PREFIX = {4: 32, 6: 64}

Fetch = Callable[[urllib.request.Request], Any]


@dataclass(frozen=True)
class Settings:
    """Where bans come from and go to. The two files hold secrets; ``proxy`` is the only way out."""

    decisions_url: str
    key_file: str
    list_url: str
    operations_url: str
    token_file: str
    proxy: str = ""
    every: float = EVERY


def networks(decisions: list[dict[str, Any]] | None) -> list[str]:
    """Banned networks as Cloudflare writes them, newest first, each once, at most ``LIMIT``."""
    newest = sorted(decisions or [], key=lambda decision: int(decision["id"]), reverse=True)
    found = (
        _network(str(decision["value"])) for decision in newest if str(decision["scope"]).lower() in ("ip", "range")
    )
    return list(dict.fromkeys(network for network in found if network))[:LIMIT]


def _network(text: str) -> str | None:
    network = ipaddress.ip_network(text, strict=False)
    version = network.version
    if network.prefixlen < SMALLEST_PREFIX[version] or not network.is_global:
        return None
    if network.prefixlen > LARGEST_PREFIX[version]:
        network = network.supernet(new_prefix=LARGEST_PREFIX[version])
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def decisions(settings: Settings, fetch: Fetch) -> list[str]:
    """What CrowdSec bans now. Raises ``OSError`` where it does not answer."""
    key = Path(settings.key_file).read_text(encoding="utf-8").strip()
    request = urllib.request.Request(settings.decisions_url, headers={"X-Api-Key": key})  # noqa: S310 - from settings
    return networks(fetch(request))


def push(settings: Settings, banned: list[str], fetch: Fetch) -> None:
    """Replace the whole list. Cloudflare does it in the background; raises ``OSError`` where that fails."""
    items = json.dumps([{"ip": network} for network in banned]).encode()
    operation = fetch(_cloudflare(settings, settings.list_url, items))["result"]["operation_id"]
    while (state := fetch(_cloudflare(settings, f"{settings.operations_url}/{operation}"))["result"])["status"] in (
        "pending",
        "running",
    ):
        time.sleep(min(1.0, settings.every))
    if state["status"] != "completed":
        raise OSError(f"Cloudflare did not take the list: {state.get('error', state['status'])}")


def _cloudflare(settings: Settings, url: str, body: bytes | None = None) -> urllib.request.Request:
    token = Path(settings.token_file).read_text(encoding="utf-8").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return urllib.request.Request(url, data=body, headers=headers, method="PUT" if body is not None else "GET")  # noqa: S310 - from settings


def fetcher(proxy: str) -> Fetch:
    """Requests by the proxy, or straight where none is given."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"https": proxy, "http": proxy} if proxy else {}))

    def fetch(request: urllib.request.Request) -> Any:  # noqa: ANN401 - JSON may be anything
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)

    return fetch


def run(settings: Settings) -> None:
    """For ever: push what has changed. What fails is tried again; meanwhile the edge keeps the last list."""
    inside, outside = fetcher(""), fetcher(settings.proxy)
    last: list[str] | None = None
    while True:
        try:
            banned = decisions(settings, inside)
            if banned != last:
                push(settings, banned, outside)
                last = banned
                print(f"{len(banned)} networks are blocked at the edge", flush=True)
        except (OSError, ValueError, KeyError) as error:
            print(f"the edge keeps its last list: {error}", file=sys.stderr, flush=True)
        time.sleep(settings.every)


if __name__ == "__main__":
    run(Settings(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
