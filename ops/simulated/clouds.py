"""The simulated clouds of a stack and its Engine, as long as a command runs. What they hold lasts in a folder."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import simulators.cloudflare.app
import simulators.docker.app
import simulators.hetzner.app
from simulators.api import Api
from simulators.cloudflare.app import Site
from simulators.server import serving
from simulators.store import Row

PERMANENT = ("accounts", "zones", "actions", "list_operations")
"""Tables of what no program makes, or what is over."""
READING = ("GET", "HEAD")
FREE = 0


@dataclass(frozen=True)
class Clouds:
    """The APIs, and their endpoints as the providers are given them. ``engine`` is the server's Docker Engine."""

    hetzner: Api
    cloudflare: Api
    engine: Api
    hetzner_endpoint: str
    cloudflare_endpoint: str
    engine_endpoint: str

    @property
    def apis(self) -> tuple[Api, ...]:
        """All of them."""
        return self.hetzner, self.cloudflare, self.engine

    def changes(self) -> list[tuple[str, str]]:
        """Method and path of every call that was for more than reading, in order."""
        calls = [call for api in self.apis for call in api.store.calls]
        ordered = sorted(calls, key=lambda call: str(call["at"]))
        return [(call["method"], call["path"]) for call in ordered if call["method"] not in READING]

    def left(self) -> dict[str, list[str]]:
        """What exists: table → names."""
        return {table: sorted(map(_name, rows.values())) for table, rows in self.rows().items()}

    def rows(self) -> dict[str, dict[str, Row]]:
        """What exists: table → id → row, without what no program makes. The Engine's tables are called ``engine_…``."""
        found: dict[str, dict[str, Row]] = {}
        for api in self.apis:
            api.settle(api.store, api.clock)
            own = "engine_" if api is self.engine else ""
            for table, rows in api.store.tables.items():
                living = {key: row for key, row in rows.items() if not row.get("deleted_at") and not row.get("_own")}
                if living and table not in PERMANENT:
                    found[own + table] = living
        return found

    def unguarded(self, hosts: Iterable[str]) -> list[str]:
        """Every moment at which one of these names led to a tunnel and no Access application stood before it."""
        return [
            f"{state['at']}: {host}"
            for state in self.cloudflare.store.states
            for host in hosts
            if host in state["state"]["records"] and host not in state["state"]["guarded"]
        ]

    def inbound(self) -> list[str]:
        """Every moment at which a firewall let something in, a server had no firewall, or a bucket was public."""
        servers = [reason for state in self.hetzner.store.states for reason in _open(state["at"], state["state"])]
        buckets = [
            f"{state['at']}: bucket {name} is public"
            for state in self.cloudflare.store.states
            for name in state["state"]["public_buckets"]
        ]
        return servers + buckets


def _name(row: Row) -> str:
    """As a person knows it."""
    return str(row.get("name") or row.get("Name") or (row.get("RepoTags") or [None])[0] or row.get("id") or row["Id"])


def _open(at: str, state: dict[str, Any]) -> Iterator[str]:
    for wall in state["firewalls"].values():
        if any(rule["direction"] == "in" for rule in wall["rules"]):
            yield f"{at}: firewall {wall['name']} has an inbound rule"
    for server in state["servers"].values():
        if not server["firewalls"]:
            yield f"{at}: server {server['name']} has no firewall"


@contextmanager
def clouds(stacks: Sequence[dict[str, Any]], folder: Path, lasting: bool = True) -> Iterator[Clouds]:
    """Serve them; ``stacks`` are configurations whose zones are there, ``folder`` is where the clouds' state lasts.

    What does not last is not written down at each call, which takes its time where there is much.
    """
    files = {name: folder / f"{name}.json" if lasting else None for name in ("hetzner", "cloudflare", "engine")}
    apis = (
        simulators.hetzner.app.api(files["hetzner"]),
        simulators.cloudflare.app.api([_site(values) for values in stacks], files["cloudflare"]),
        simulators.docker.app.api(files["engine"]),
    )
    with ExitStack() as stack:
        addresses = _served(stack, apis, folder / "ports.json")
        hetzner, cloudflare, engine = (address + api.prefix for address, api in zip(addresses, apis, strict=True))
        yield Clouds(*apis, hetzner, cloudflare, engine.replace("http://", "tcp://"))


def _site(values: dict[str, Any]) -> Site:
    zone = values["cloudflare"]
    plan = zone.get("plan", "free")
    return Site(zone["account_id"], zone["zone_id"], domain=values["domain"], team=zone["team"], plan=plan)


def _served(stack: ExitStack, apis: Sequence[Api], file: Path) -> list[str]:
    """On the ports of the last time where they are free: a provider's settings should not change between runs."""
    ports = json.loads(file.read_text(encoding="utf-8")) if file.exists() else [FREE] * len(apis)
    addresses = [_one(stack, api, port) for api, port in zip(apis, ports, strict=True)]
    file.write_text(json.dumps([int(address.rpartition(":")[2]) for address in addresses]), encoding="utf-8")
    return addresses


def _one(stack: ExitStack, api: Api, port: int) -> str:
    try:
        return stack.enter_context(serving(api, port))
    except OSError:
        return stack.enter_context(serving(api, FREE))
