"""`up` that fails at each call of each API, and `up` again: it converges, and nothing is left over or was ever open."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandError

from ops.changes.cases import Edit
from ops.orphans.__main__ import main as orphans
from simulators.faults import Fault, Faults, Kind
from simulators.store import Row
from tests.engine.test_life import KEPT, PROTECTED
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
OFF_THE_ENGINE = {"exclude": ["**docker:index/**"], "exclude_dependents": True}
CONTAINER = "docker:index/container:Container"
SMALLER = tuple(Edit(at=("services", name)) for name in ("worker", "imgproxy", "queue", "cache"))
"""Leaves the stack one resource of each type at least, and each `up` shorter."""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@example.org"
IN_PLACE = (
    Edit(at=("host", "type"), to="cx43"),
    Edit(at=("host", "volume_gb"), to=40),
    Edit(at=("tunnel", "session"), to="4h"),
    Edit(at=("tunnel", "ssh_host"), to="shell.example.org"),
    Edit(at=("operators", "emails"), to=["bob@example.org"]),
    Edit(at=("edge", "min_tls"), to="1.3"),
    Edit(at=("edge", "requests_per_10s"), to=300),
    Edit(at=("services", "api", "limits", "memory"), to="300m"),
)
ANEW = (
    Edit(at=("operators", "ssh_keys", "alice"), to=KEY),
    Edit(at=("services", "dashboard")),
    Edit(at=("services", "api", "image"), to="postgrest/postgrest:v14.18"),
    Edit(at=("gateway", "rate"), to=60),
    Edit(at=("network", "subnets"), to={"api>postgres": "10.255.255.0/29"}),
)
"""A new server, services that go and come, and volumes and networks of theirs."""


class Storm(Faults):
    """Lets the first calls of each kind fail, or those of one kind ``only``: its method and path."""

    def __init__(self, kind: Kind, calls: int, writing: bool = False, only: tuple[str, str] | None = None) -> None:
        super().__init__()
        self._kind: Kind = kind
        self._calls, self._writing, self._only = calls, writing, only
        self.struck: Counter[tuple[str, str]] = Counter()

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault of this call, where it is one of the first of its kind."""
        step = (method, _shape(path))
        spared = step != self._only if self._only else self._writing and method in READING
        if spared or self.struck[step] >= self._calls:
            return None
        self.struck[step] += 1
        return Fault(kind=self._kind)


weathers = pytest.mark.parametrize(
    ("kind", "calls", "writing"),
    [("server_error", FELT, False), ("silence", BRIEF, False), ("lost_response", ONCE, True)],
    ids=["server_error", "silence", "lost_response"],
)
places = pytest.mark.parametrize("clouds", [("hetzner", "cloudflare"), ("engine",)], ids=["clouds", "engine"])


@pytest.mark.exhaustive
@places
@weathers
def test_every_kind_of_call_fails_and_the_stack_is_whole_after_all(
    tmp_path: Path, clouds: tuple[str, ...], kind: Kind, calls: dict[str, int], writing: bool
) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        _hurry(made)
        storms = _storms(made, clouds, kind, calls, writing)
        # With this the engine hangs where a deletion fails, and here nothing is deleted but what is half made.
        runs = _until(made, lambda: made.up(whatever_fails=CONTAINER not in made.half_made()))
        _told(storms, "up", runs, more_than=8)
        _is_whole(made)


@pytest.mark.exhaustive
@places
@weathers
def test_every_kind_of_call_of_changes_and_of_the_end_fails_and_they_come_about(
    tmp_path: Path, clouds: tuple[str, ...], kind: Kind, calls: dict[str, int], writing: bool
) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        _hurry(made)
        made.up()
        volumes = made.clouds.rows()["volumes"].keys()
        for name, change in (("in place", IN_PLACE), ("anew", ANEW)):
            made.edit(*change)
            storms = _storms(made, clouds, kind, calls, writing)
            _told(storms, name, _until(made, made.up))
            _is_whole(made)
            assert made.clouds.rows()["volumes"].keys() == volumes
        storms = _storms(made, clouds, kind, calls, writing)
        _told(storms, "destroy", _until(made, made.destroy))
        assert set(made.clouds.left()) == PROTECTED | KEPT
        assert made.clouds.rows()["volumes"].keys() == volumes
        assert _never_open(made)


def _storms(made: World, clouds: Sequence[str], kind: Kind, calls: dict[str, int], writing: bool) -> dict[str, Storm]:
    return {cloud: _storm(made, cloud, Storm(kind, calls[cloud], writing)) for cloud in clouds}


def _told(storms: dict[str, Storm], what: str, runs: int, more_than: int = 0) -> None:
    """For docs/simulated.md."""
    for cloud, storm in storms.items():
        print(f"{what}: {cloud} {len(storm.struck)} kinds of calls, {runs} runs: {sorted(storm.struck)}", flush=True)
        assert len(storm.struck) > more_than
    assert runs <= RUNS, "not for ever"


def _is_whole(made: World) -> None:
    """As asked, after an `up` that changes nothing more."""
    assert set(made.up()) <= UNCHANGED
    assert _orphans(made) == ""
    assert _not_as_asked(made) == []
    assert _never_open(made)


def _never_open(made: World) -> bool:
    domain = made.simulation.values()["domain"]
    return not made.clouds.inbound() and not made.clouds.unguarded([f"ssh-dev.{domain}", f"shell.{domain}"])


def _storm(made: World, cloud: str, storm: Storm) -> Storm:
    """Put a storm in the place of the faults that are planned."""
    _faults(made, cloud, storm)
    return storm


def _faults(made: World, cloud: str, faults: Faults) -> None:
    object.__setattr__(getattr(made.clouds, cloud), "faults", faults)


def _hurry(made: World) -> None:
    """Cloudflare's provider tries as often as ever, and waits no minutes between: it obeys this header."""
    words = made.clouds.cloudflare.words
    hurried = replace(words, headers=lambda limit: {**words.headers(limit), "Retry-After-Ms": "1"})
    object.__setattr__(made.clouds.cloudflare, "words", hurried)


def _until(made: World, attempt: Callable[[], object]) -> int:
    """How many attempts it takes, with `make orphans` after each that fails."""
    for run in range(1, RUNS + 1):
        try:
            attempt()
        except CommandError:
            with _calm(made):
                orphans(["--stack", "dev", "--root", str(made.simulation.project), "--yes"])
        else:
            return run
    return RUNS + 1


@contextmanager
def _calm(made: World) -> Iterator[None]:
    """What fails shall be the engine's calls."""
    before = {cloud: getattr(made.clouds, cloud).faults for cloud in CLOUDS}
    for cloud in CLOUDS:
        _faults(made, cloud, Faults())
    yield
    for cloud, faults in before.items():
        _faults(made, cloud, faults)


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
@pytest.mark.parametrize("part", ["clouds", "engine"])
@pytest.mark.parametrize(
    ("kind", "calls"), [("server_error", FELT), ("silence", BRIEF)], ids=["server_error", "silence"]
)
def test_after_a_failed_call_the_next_up_converges_and_leaves_nothing_over(
    tmp_path: Path, part: str, kind: Kind, calls: dict[str, int]
) -> None:
    assert _tried(tmp_path, part, kind, calls, _steps(tmp_path, part)) == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("part", ["clouds", "engine"])
def test_after_a_lost_response_and_a_look_for_orphans_the_next_up_converges(tmp_path: Path, part: str) -> None:
    writing = [step for step in _steps(tmp_path, part) if step[1] not in READING]
    assert _tried(tmp_path, part, "lost_response", ONCE, writing) == {}


@contextmanager
def _half(folder: Path, part: str) -> Iterator[World]:
    """A world in which only the clouds' half of the stack is missing, or only the Engine's: each `up` is shorter."""
    if part == "engine":
        shutil.copytree(folder.parent / "base", folder, symlinks=True)
    with world(folder) as made:
        made.edit(*SMALLER)
        _hurry(made)
        made.left_out = OFF_THE_ENGINE if part == "clouds" else {}
        yield made


def _steps(folder: Path, part: str) -> list[Step]:
    """Every kind of call that an undisturbed `up` of this half makes. The Engine's half stands on the other one."""
    with _half(folder / "base", "clouds") as base:
        base.up()
        if part == "clouds":
            return _kinds(base, ("hetzner", "cloudflare"))
    with _half(folder / "undisturbed", part) as made:
        made.up()
        return _kinds(made, ("engine",))


def _kinds(made: World, clouds: Sequence[str]) -> list[Step]:
    calls = [(cloud, call) for cloud in clouds for call in getattr(made.clouds, cloud).store.calls]
    found = {(cloud, call["method"], _shape(call["path"])) for cloud, call in calls}
    assert len(found) > 20
    return sorted(found)


NAMED = (
    r"^(/v[\d.]+/(?:images|volumes|networks)|/zones/\*/settings)/(?!create|json).+?(?=/json$|/connect$|/disconnect$|$)"
)


def _shape(path: str) -> str:
    """The path with ``*`` for what differs from resource to resource: ids, and names on the Engine and of settings."""
    path = re.sub(r"/(\d+|[0-9a-f]{32}|[0-9a-f-]{36}|[0-9a-f]{64})(?=/|$)", "/*", path)
    return re.sub(NAMED, r"\1/*", path)


def _tried(folder: Path, part: str, kind: Kind, calls: dict[str, int], steps: list[Step]) -> dict[Step, str]:
    """Step → what was wrong after it alone had failed."""
    wrong: dict[Step, str] = {}
    for number, step in enumerate(steps):
        with _half(folder / str(number), part) as made:
            said = _try(made, kind, step, calls[step[0]])
        print(f"{part} {kind} {number + 1}/{len(steps)} {' '.join(step)}: {said or 'whole'}", flush=True)
        if said:
            wrong[step] = said
    return wrong


def _try(made: World, kind: Kind, step: Step, times: int) -> str:
    cloud, method, path = step
    storm = _storm(made, cloud, Storm(kind, times, only=(method, path)))
    first = _up(made)
    _faults(made, cloud, Faults())
    if not storm.struck:
        return "no such call was made, so nothing is shown"
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
