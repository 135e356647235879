"""`up` that fails at each call of each API, and `up` again: it converges, and nothing is left over or was ever open."""

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from pulumi.automation import CommandError

from ops.orphans.__main__ import main as orphans
from simulators.faults import Fault, Faults, Kind
from tests.engine.world import UNCHANGED, World, world

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI is not on PATH"),
]
Step = tuple[str, str, str]
"""Cloud, method and path with ``*`` for ids."""
CLOUDS = ("hetzner", "cloudflare", "engine")
READING = ("GET", "HEAD")
TRIES = 6
"""How often a provider tries a call by itself, at most: a fault that shall be felt has to last longer."""
RUNS = 12
"""The most `up`s that a storm may need: a chain of resources fails one after another."""


class Storm(Faults):
    """Lets the first calls of each kind fail."""

    def __init__(self, kind: Kind, calls: int, writing: bool) -> None:
        super().__init__()
        self._kind: Kind = kind
        self._calls, self._writing = calls, writing
        self.struck: Counter[tuple[str, str]] = Counter()

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault of this call, where it is one of the first of its kind."""
        step = (method, _shape(path))
        if (self._writing and method in READING) or self.struck[step] >= self._calls:
            return None
        self.struck[step] += 1
        return Fault(kind=self._kind)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("kind", "calls", "writing"),
    [("server_error", TRIES, False), ("silence", TRIES, False), ("lost_response", 1, True)],
)
def test_every_kind_of_call_fails_and_the_stack_is_whole_after_all(
    tmp_path: Path, kind: Kind, calls: int, writing: bool, record_property: Callable[[str, object], None]
) -> None:
    with world(tmp_path) as made:
        storms = [_storm(made, cloud, Storm(kind, calls, writing)) for cloud in CLOUDS]
        runs = _until_whole(made)
        for cloud, storm in zip(CLOUDS, storms, strict=True):
            record_property(cloud, f"{len(storm.struck)} kinds of calls failed")
        record_property("up", runs)
        assert sum(len(storm.struck) for storm in storms) > 40
        assert 1 < runs <= RUNS, "something failed, and not for ever"
        assert set(made.up()) <= UNCHANGED
        assert _orphans(made) == ""
        assert made.clouds.inbound() == []
        assert made.clouds.unguarded([f"ssh-dev.{made.simulation.values()['domain']}"]) == []


def _storm(made: World, cloud: str, storm: Storm) -> Storm:
    """Put a storm in the place of the faults that are planned."""
    object.__setattr__(getattr(made.clouds, cloud), "faults", storm)
    return storm


def _until_whole(made: World) -> int:
    """How many `up`s it takes, with `make orphans` after each that fails."""
    for run in range(1, RUNS + 1):
        try:
            made.up(whatever_fails=True)
        except CommandError:
            orphans(["--stack", "dev", "--root", str(made.simulation.project), "--yes"])
        else:
            return run
    return RUNS + 1


def test_rate_limits_are_waited_for(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        for cloud in ("hetzner", "cloudflare"):
            made.fault(cloud, kind="rate_limit", nth=3, times=2, seconds=1)
        made.up()
        assert [call["status"] for call in made.clouds.hetzner.store.calls].count(429) == 2
        assert _orphans(made) == ""


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["server_error", "silence"])
def test_after_a_failed_call_the_next_up_converges_and_leaves_nothing_over(tmp_path: Path, kind: str) -> None:
    wrong = _tried(tmp_path, kind, _steps(tmp_path))
    assert wrong == {}


@pytest.mark.exhaustive
def test_after_a_lost_response_and_a_look_for_orphans_the_next_up_converges(tmp_path: Path) -> None:
    wrong = _tried(tmp_path, "lost_response", [step for step in _steps(tmp_path) if step[1] not in READING])
    assert wrong == {}


def _steps(folder: Path) -> list[Step]:
    """Every kind of call that an undisturbed `up` makes."""
    with world(folder / "undisturbed") as made:
        made.up()
        found = {
            (cloud, call["method"], _shape(call["path"]))
            for cloud in CLOUDS
            for call in getattr(made.clouds, cloud).store.calls
        }
    assert len(found) > 20
    return sorted(found)


def _shape(path: str) -> str:
    """The path with ``*`` for what differs from resource to resource: ids, and names on the Engine."""
    path = re.sub(r"/(\d+|[0-9a-f]{32}|[0-9a-f-]{36}|[0-9a-f]{64})(?=/|$)", "/*", path)
    return re.sub(
        r"(?<=/)(images|volumes|networks|settings)/(?!create|json).+?(?=/json$|/connect$|/disconnect$|$)", r"\1/*", path
    )


def _tried(folder: Path, kind: str, steps: list[Step]) -> dict[Step, str]:
    """Step → what was wrong after it failed once."""
    tried = {step: _try(folder / f"{kind}-{number}", kind, step) for number, step in enumerate(steps)}
    return {step: why for step, why in tried.items() if why}


def _try(folder: Path, kind: str, step: Step) -> str:
    cloud, method, path = step
    with world(folder) as made:
        # Providers try again by themselves: only a fault that lasts stops them.
        times = 1 if kind == "lost_response" else TRIES
        made.fault(cloud, kind=kind, method=method, path=path, times=times)
        first = _up(made)
        made.no_more_faults()
        if first and kind == "lost_response":
            orphans(["--stack", "dev", "--root", str(made.simulation.project), "--yes"])
        return _judged(made, first, _up(made))


def _up(made: World) -> str:
    """Empty where it went well."""
    try:
        made.up()
    except CommandError as error:
        return str(error)[-500:]
    return ""


def _judged(made: World, first: str, second: str) -> str:
    if made.clouds.inbound():
        return f"open: {made.clouds.inbound()}"
    if second:
        return f"does not converge: {second} (at first: {first})"
    if not set(made.up()) <= UNCHANGED:
        return "a third up still changes something"
    return _orphans(made)


def _orphans(made: World) -> str:
    """What is in the clouds and not in the state."""
    known = {str(resource.get("id")) for resource in made.resources()}
    rows = {
        str(row.get("id") or row.get("name") or row.get("Id") or row["Name"]): table
        for table, rows in made.clouds.rows().items()
        if table != "engine_images"  # the provider adds their names to their ids
        for row in rows.values()
    }
    orphans = sorted(f"{table} {number}" for number, table in rows.items() if number not in known)
    return f"orphans: {', '.join(orphans)}" if orphans else ""
