"""Storms: calls of the clouds' APIs that fail, kind by kind."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pulumi.automation import CommandError

from ops.changes.cases import Edit
from simulators.faults import Fault, Faults, Kind
from tests.engine.world import World

CLOUDS = ("hetzner", "cloudflare", "engine")
READING = ("GET", "HEAD")
RUNS = 40
"""The most `up`s that a storm may need: a chain of resources fails one after another."""
SMALLER = tuple(Edit(at=("services", name)) for name in ("worker", "imgproxy", "queue", "cache"))
"""Leaves the stack one resource of each type at least, and each `up` shorter."""


@dataclass(frozen=True)
class Weather:
    """In what way calls fail, and of each cloud how many in a row; ``writing``: only those that change something."""

    kind: Kind
    calls: Mapping[str, int]
    writing: bool = False

    def __str__(self) -> str:
        return self.kind


FELT = {"hetzner": 2, "cloudflare": 11, "engine": 2}
"""How many calls in a row have to fail before the engine hears of it: providers try again by themselves (cloudflare-go
ten times; Go's HTTP client once, where only reading is asked for)."""
ERRORS = Weather("server_error", FELT)
SILENCE = Weather("silence", {**FELT, "cloudflare": 3})
"""After a connection that ends, cloudflare-go waits up to half a minute, and no answer can tell it to hurry. So it is
left to recover by itself."""
LOST = Weather("lost_response", dict.fromkeys(CLOUDS, 1), writing=True)


class Storm(Faults):
    """Lets the first calls of each kind fail, or those of one kind ``only``: its method and path."""

    def __init__(self, weather: Weather, cloud: str, only: tuple[str, str] | None = None) -> None:
        super().__init__()
        self._weather, self._calls, self._only = weather, weather.calls[cloud], only
        self.struck: Counter[tuple[str, str]] = Counter()

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault of this call, where it is one of the first of its kind."""
        step = (method, shape(path))
        spared = step != self._only if self._only else self._weather.writing and method in READING
        if spared or self.struck[step] >= self._calls:
            return None
        self.struck[step] += 1
        return Fault(kind=self._weather.kind)


def raise_storm(made: World, weather: Weather, cloud: str, only: tuple[str, str] | None = None) -> Storm:
    """Put a storm in the place of the faults that are planned."""
    storm = Storm(weather, cloud, only)
    set_faults(made, cloud, storm)
    return storm


def set_faults(made: World, cloud: str, faults: Faults) -> None:
    """Of a cloud whose rules are otherwise its own."""
    object.__setattr__(getattr(made.clouds, cloud), "faults", faults)


def hurry(made: World) -> None:
    """Cloudflare's provider tries as often as ever, and waits no minutes between: it obeys this header."""
    words = made.clouds.cloudflare.words
    hurried = replace(words, headers=lambda limit: {**words.headers(limit), "Retry-After-Ms": "1"})
    object.__setattr__(made.clouds.cloudflare, "words", hurried)


def attempts(made: World, attempt: Callable[[int], object]) -> int:
    """How many attempts it takes, each told its number, with `make orphans` after each that fails.

    Raises ``AssertionError`` with what was said last where it does not come about.
    """
    said = ""
    for run in range(1, RUNS + 1):
        try:
            attempt(run)
        except CommandError as error:
            said = str(error)
            with calm(made):
                made.look_for_orphans()
        else:
            return run
    raise AssertionError(f"does not come about: {said}")


@contextmanager
def calm(made: World) -> Iterator[None]:
    """What fails shall be the engine's calls."""
    before = {cloud: getattr(made.clouds, cloud).faults for cloud in CLOUDS}
    for cloud in CLOUDS:
        set_faults(made, cloud, Faults())
    yield
    for cloud, faults in before.items():
        set_faults(made, cloud, faults)


NAMED = (
    r"^(/v[\d.]+/(?:images|volumes|networks)|/zones/\*/settings)/(?!create|json).+?(?=/json$|/connect$|/disconnect$|$)"
)


def shape(path: str) -> str:
    """The path with ``*`` for what differs from resource to resource: ids, and names on the Engine and of settings."""
    path = re.sub(r"/(\d+|[0-9a-f]{32}|[0-9a-f-]{36}|[0-9a-f]{64})(?=/|$)", "/*", path)
    return re.sub(NAMED, r"\1/*", path)
