"""The whole API of an Engine on which nothing is."""

from pathlib import Path

from simulators.api import Api, Words
from simulators.clock import Clock
from simulators.docker import containers, endpoints, errors, images, networks, system, volumes
from simulators.limits import Limit
from simulators.store import Row, Store

CALLS, PERIOD = 1_000_000, 1.0
"""An Engine has no limit of calls."""
WAIT = 1


def _watched(store: Store) -> Row:
    """What decides who reaches a container: the networks that lead out, and who is on which."""
    open_networks = sorted(row["Name"] for row in store.table("networks").values() if not row["Internal"])
    members = {row["Name"]: sorted(row["_networks"]) for row in store.table("containers").values() if row["_running"]}
    return {"open_networks": open_networks, "containers": members}


WORDS = Words(
    invalid=errors.invalid_body,
    malformed=lambda: errors.error(400, "invalid JSON"),
    unknown_path=lambda: errors.error(404, "page not found: not a path of the API, or not simulated"),
    server_error=lambda: errors.error(500, "simulated failure of the daemon"),
    rate_limited=lambda _: errors.error(429, "too many requests"),
    headers=lambda _: {},
)


def api(file: Path | None = None) -> Api:
    """With a ``file`` it survives the process."""
    clock = Clock()
    parts = (system, images, volumes, networks, endpoints, containers)
    store = Store(file)
    networks.seed(store)
    return Api(
        prefix="",
        routes=[route for part in parts for route in part.ROUTES],
        words=WORDS,
        admit=lambda _: None,
        settle=lambda _, __: None,
        watched=_watched,
        seed=networks.seed,
        limit=Limit(CALLS, PERIOD, clock),
        store=store,
        clock=clock,
    )
