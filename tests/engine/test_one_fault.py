"""One kind of call fails, and everything else goes well: the next `up` converges and nothing is left over."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.simulated.run import ON_THE_SWARM
from simulators.faults import Faults
from tests.engine.marks import ENGINE
from tests.engine.storm import ERRORS, LOST, READING, SILENCE, SMALLER, Weather, hurry, raise_storm, set_faults, shape
from tests.engine.whole import failure, orphans_of
from tests.engine.world import World, leaving_out, world

pytestmark = [
    *ENGINE,
    pytest.mark.exhaustive,
    pytest.mark.parametrize("part", ["clouds", "engine"]),
    pytest.mark.parametrize("weather", [ERRORS, SILENCE, LOST], ids=str),
]
PROTECTED_LATER = {"host-data": ["deleteProtection"]}
Step = tuple[str, str, str]
"""Cloud, method and path with ``*`` for ids."""


def test_after_a_failed_call_the_next_up_converges_and_leaves_nothing_over(
    tmp_path: Path, part: str, weather: Weather
) -> None:
    steps = [step for step in _steps(tmp_path, part) if not (weather.writing and step[1] in READING)]
    assert _tried(tmp_path, part, weather, steps) == {}


@contextmanager
def _half(folder: Path, part: str) -> Iterator[World]:
    """A world in which only the clouds' half of the stack is missing, or only the Engine's: each `up` is shorter."""
    if part == "engine":
        shutil.copytree(folder.parent / "base", folder, symlinks=True)
    with world(folder) as made:
        made.edit(*SMALLER)
        hurry(made)
        made.left_out = leaving_out(ON_THE_SWARM if part == "clouds" else ())
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
    found = {(cloud, call["method"], shape(call["path"])) for cloud, call in calls}
    assert len(found) > 10
    return sorted(found)


def _tried(folder: Path, part: str, weather: Weather, steps: list[Step]) -> dict[Step, str]:
    """Step → what was wrong after it alone had failed."""
    wrong: dict[Step, str] = {}
    for number, step in enumerate(steps):
        with _half(folder / str(number), part) as made:
            said = _try(made, weather, step)
        print(f"{part} {weather} {number + 1}/{len(steps)} {' '.join(step)}: {said or 'whole'}", flush=True)
        if said:
            wrong[step] = said
    return wrong


def _try(made: World, weather: Weather, step: Step) -> str:
    cloud, method, path = step
    storm = raise_storm(made, weather, cloud, only=(method, path))
    first = failure(made)
    set_faults(made, cloud, Faults())
    if not storm.struck:
        return "no such call was made, so nothing is shown"
    if weather is LOST:
        # Even where it went well: the provider may have asked again, and made a second one.
        made.look_for_orphans()
    second = failure(made)
    if second:
        # As the runbook says: to the Docker provider an error of the Engine means that what it has just made is gone.
        made.look_for_orphans()
        second = failure(made)
    return _judged(made, first, second)


def _judged(made: World, first: str, second: str) -> str:
    if made.clouds.inbound():
        return f"open: {made.clouds.inbound()}"
    if second:
        return f"does not converge: {second} (at first: {first})"
    # A volume that was not protected at its creation the provider protects one `up` later.
    third, fourth = made.changed_by_another_up(), made.changed_by_another_up()
    if third not in ({}, PROTECTED_LATER) or fourth:
        return f"a third and a fourth up still change something: {third}, {fourth}"
    return orphans_of(made)
