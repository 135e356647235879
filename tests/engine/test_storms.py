"""Every kind of call fails, until what was asked for has come about: `up`, changes of the stack file, `destroy`."""

from pathlib import Path

import pytest

from ops.changes.cases import Edit
from tests.engine.marks import ENGINE
from tests.engine.storm import ERRORS, LOST, SILENCE, SMALLER, Storm, Weather, attempts, hurry, raise_storm
from tests.engine.test_life import KEPT, PROTECTED
from tests.engine.whole import CONTAINER, is_whole, never_open
from tests.engine.world import World, world

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
pytestmark = [
    *ENGINE,
    pytest.mark.exhaustive,
    pytest.mark.parametrize("clouds", [("hetzner", "cloudflare"), ("engine",)], ids=["clouds", "engine"]),
    pytest.mark.parametrize("weather", [ERRORS, SILENCE, LOST], ids=str),
]


def test_every_kind_of_call_fails_and_the_stack_is_whole_after_all(
    tmp_path: Path, clouds: tuple[str, ...], weather: Weather
) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        hurry(made)
        storms = [raise_storm(made, weather, cloud) for cloud in clouds]
        # With this the engine hangs where a deletion fails, and here nothing is deleted but what is half made.
        runs = attempts(made, lambda _: made.up(whatever_fails=CONTAINER not in made.half_made()))
        _told(storms, "up", runs, more_than=8)
        is_whole(made)


def test_every_kind_of_call_of_changes_and_of_the_end_fails_and_they_come_about(
    tmp_path: Path, clouds: tuple[str, ...], weather: Weather
) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        hurry(made)
        made.up()
        made.registrar_signs()
        volumes = made.clouds.rows()["volumes"].keys()
        # As the runbook says: of an Engine that errs the provider believes that its networks are gone.
        helps = "engine" not in clouds or weather.writing
        for name, change in (("in place", IN_PLACE), ("anew", ANEW)):
            made.edit(*change)
            storms = [raise_storm(made, weather, cloud) for cloud in clouds]
            _told(storms, name, attempts(made, lambda run: made.up(refresh=helps and run % 2 == 0)))
            is_whole(made)
            assert made.clouds.rows()["volumes"].keys() == volumes
        storms = [raise_storm(made, weather, cloud) for cloud in clouds]
        _told(storms, "destroy", attempts(made, lambda run: _end(made, refresh=helps and run % 2 == 0)))
        assert set(made.clouds.left()) == PROTECTED | KEPT
        assert made.clouds.rows()["volumes"].keys() == volumes
        assert never_open(made)


def _end(made: World, refresh: bool) -> None:
    if refresh:
        made.refresh()
    made.destroy()


def _told(storms: list[Storm], what: str, runs: int, more_than: int = 0) -> None:
    """For docs/simulated.md."""
    for storm in storms:
        print(f"{what}: {len(storm.struck)} kinds of calls, {runs} runs: {sorted(storm.struck)}", flush=True)
        assert len(storm.struck) > more_than
