"""`up` that fails at each call of each API, and `up` again: it converges, and nothing is left over or was ever open."""

import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandError

from ops.changes.cases import Edit
from ops.orphans.__main__ import main as orphans
from simulators.faults import Fault, Faults, Kind
from simulators.store import Row
from tests.engine.world import UNCHANGED, World, world

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI is not on PATH"),
]
Step = tuple[str, str, str]
"""Cloud, method and path with ``*`` for ids."""
CLOUDS = ("hetzner", "cloudflare", "engine")
READING = ("GET", "HEAD")
FELT = {"hetzner": 2, "cloudflare": 11, "engine": 2}
"""How many calls in a row have to fail before the engine hears of it: providers try again by themselves (cloudflare-go
ten times; Go's HTTP client once, where only reading is asked for)."""
BRIEF = {**FELT, "cloudflare": 3}
"""After a connection that ends, cloudflare-go waits up to half a minute, and no answer can tell it to hurry. So it is
left to recover by itself."""
ONCE = dict.fromkeys(CLOUDS, 1)
RUNS = 40
"""The most `up`s that a storm may need: a chain of resources fails one after another."""
CONTAINER = "docker:index/container:Container"
SMALLER = tuple(Edit(at=("services", name)) for name in ("worker", "imgproxy", "queue", "cache"))
"""Leaves the stack one resource of each type at least, and each `up` shorter."""


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
@pytest.mark.parametrize("clouds", [("hetzner", "cloudflare"), ("engine",)], ids=["clouds", "engine"])
@pytest.mark.parametrize(
    ("kind", "calls", "writing"),
    [("server_error", FELT, False), ("silence", BRIEF, False), ("lost_response", ONCE, True)],
    ids=["server_error", "silence", "lost_response"],
)
def test_every_kind_of_call_fails_and_the_stack_is_whole_after_all(
    tmp_path: Path,
    clouds: tuple[str, ...],
    kind: Kind,
    calls: dict[str, int],
    writing: bool,
    record_property: Callable[[str, object], None],
) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        _hurry(made)
        storms = [_storm(made, cloud, Storm(kind, calls[cloud], writing)) for cloud in clouds]
        runs = _until_whole(made)
        struck = {cloud: sorted(storm.struck) for cloud, storm in zip(clouds, storms, strict=True)}
        record_property("failed", struck)
        record_property("up", runs)
        assert min(map(len, struck.values())) > 8
        assert 1 < runs <= RUNS, "something failed, and not for ever"
        assert set(made.up()) <= UNCHANGED
        assert _orphans(made) == ""
        assert _not_as_asked(made) == []
        assert made.clouds.inbound() == []
        assert made.clouds.unguarded([f"ssh-dev.{made.simulation.values()['domain']}"]) == []


def _storm(made: World, cloud: str, storm: Storm) -> Storm:
    """Put a storm in the place of the faults that are planned."""
    object.__setattr__(getattr(made.clouds, cloud), "faults", storm)
    return storm


def _hurry(made: World) -> None:
    """Cloudflare's provider tries as often as ever, and waits no minutes between: it obeys this header."""
    words = made.clouds.cloudflare.words
    hurried = replace(words, headers=lambda limit: {**words.headers(limit), "Retry-After-Ms": "1"})
    object.__setattr__(made.clouds.cloudflare, "words", hurried)


def _until_whole(made: World) -> int:
    """How many `up`s it takes, with `make orphans` after each that fails."""
    for run in range(1, RUNS + 1):
        try:
            made.up(whatever_fails=CONTAINER not in made.half_made())
        except CommandError:
            orphans(["--stack", "dev", "--root", str(made.simulation.project), "--yes"])
        else:
            return run
    return RUNS + 1


def _not_as_asked(made: World) -> list[str]:
    """Containers that do not run, or are not on the networks of the program and on those only."""
    rows = made.clouds.engine.store.table("containers")
    asked = {each["id"]: each["inputs"] for each in made.resources() if each["type"] == CONTAINER}
    return [rows[key]["Name"] for key, inputs in asked.items() if not _as_asked(rows[key], inputs)]


def _as_asked(row: Row, inputs: dict[str, Any]) -> bool:
    networks = {each["name"] for each in inputs.get("networksAdvanced", [])} or {inputs["networkMode"]}
    return bool(row["_running"] == inputs.get("start", True) and set(row["_networks"]) == networks)


@pytest.mark.parametrize("call", ["networks/*/connect", "containers/*/start"])
def test_a_container_that_was_cut_off_half_way_is_made_anew(tmp_path: Path, call: str) -> None:
    with world(tmp_path) as made:
        made.fault("engine", kind="server_error", method="POST", path=f"/v*/{call}", nth=3)
        assert _up(made)
        assert made.half_made() == [CONTAINER]
        before = _ids(made)
        made.up()
        anew = [urn for urn, number in _ids(made).items() if before.get(urn, number) != number]
        assert len([urn for urn in anew if CONTAINER in urn]) == 1
        assert set(made.up()) <= UNCHANGED
        assert _not_as_asked(made) == []
        row = next(row for row in made.clouds.engine.store.table("containers").values() if row["_running"])
        row["_running"] = False
        assert _not_as_asked(made) == [row["Name"]], "the check sees what does not run"


def test_a_volume_whose_attachment_was_lost_is_taken_over_and_never_detached(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        made.fault("hetzner", kind="lost_response", method="POST", path="/volumes/*/actions/attach")
        assert _up(made)
        assert _up(made)
        assert any("volume_already_attached" in line for line in made.output), (
            "the provider does not find out by itself"
        )
        assert orphans(["--stack", "dev", "--root", str(made.simulation.project), "--yes"]) == 0
        made.up()
        assert set(made.up()) <= UNCHANGED
        assert _orphans(made) == ""
        calls = [call["path"].rpartition("/")[2] for call in made.clouds.hetzner.store.calls]
        assert (calls.count("attach"), calls.count("detach")) == (2, 0)


def _ids(made: World) -> dict[str, str]:
    """URN → id of everything that has one."""
    return {each["urn"]: each["id"] for each in made.resources() if "id" in each}


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


NAMED = (
    r"^(/v[\d.]+/(?:images|volumes|networks)|/zones/\*/settings)/(?!create|json).+?(?=/json$|/connect$|/disconnect$|$)"
)


def _shape(path: str) -> str:
    """The path with ``*`` for what differs from resource to resource: ids, and names on the Engine and of settings."""
    path = re.sub(r"/(\d+|[0-9a-f]{32}|[0-9a-f-]{36}|[0-9a-f]{64})(?=/|$)", "/*", path)
    return re.sub(NAMED, r"\1/*", path)


def _tried(folder: Path, kind: str, steps: list[Step]) -> dict[Step, str]:
    """Step → what was wrong after it failed once."""
    tried = {step: _try(folder / f"{kind}-{number}", kind, step) for number, step in enumerate(steps)}
    return {step: why for step, why in tried.items() if why}


def _try(folder: Path, kind: str, step: Step) -> str:
    cloud, method, path = step
    with world(folder) as made:
        # Providers try again by themselves: only a fault that lasts stops them.
        times = 1 if kind == "lost_response" else FELT[cloud]
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
