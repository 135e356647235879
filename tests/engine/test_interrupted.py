"""`up` that fails at each call of each API, and `up` again: it converges, and nothing is left over or was ever open."""

import re
import shutil
from pathlib import Path

import pytest
from pulumi.automation import CommandError

from tests.engine.world import World, world

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI is not on PATH"),
]
Step = tuple[str, str, str]
"""Cloud, method and path with ``*`` for ids."""
NEEDS_A_HAND: set[Step] = {
    ("hetzner", "POST", "/firewalls"),
    ("hetzner", "POST", "/servers"),
    ("hetzner", "POST", "/ssh_keys"),
    ("hetzner", "POST", "/volumes"),
    ("cloudflare", "POST", "/accounts/*/access/apps"),
    ("cloudflare", "POST", "/accounts/*/access/policies"),
    ("cloudflare", "POST", "/accounts/*/access/service_tokens"),
    ("cloudflare", "POST", "/accounts/*/alerting/v3/policies"),
    ("cloudflare", "POST", "/accounts/*/cfd_tunnel"),
    ("cloudflare", "POST", "/accounts/*/r2/buckets"),
    ("cloudflare", "POST", "/zones/*/dns_records"),
    ("cloudflare", "POST", "/zones/*/rulesets"),
}
"""Where an answer was lost, the engine does not know of what was made: it is there twice, or its name is taken. Neither
API takes a key that would make such a call safe to repeat. docs/runbook.md says what to do."""


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
def test_after_a_lost_response_the_next_up_converges_or_a_person_has_to_look(tmp_path: Path) -> None:
    steps = [step for step in _steps(tmp_path) if step[1] != "GET"]
    wrong = _tried(tmp_path, "lost_response", steps)
    assert set(wrong) <= NEEDS_A_HAND, {step: why for step, why in wrong.items() if step not in NEEDS_A_HAND}
    assert [why for why in wrong.values() if "open" in why] == []


def _steps(folder: Path) -> list[Step]:
    """Every kind of call that an undisturbed `up` makes."""
    with world(folder / "undisturbed") as made:
        made.up()
        found = {
            (cloud, call["method"], _shape(call["path"]))
            for cloud in ("hetzner", "cloudflare")
            for call in getattr(made.clouds, cloud).store.calls
        }
    assert len(found) > 20
    return sorted(found)


def _shape(path: str) -> str:
    """The path with ``*`` for ids: numbers, hexadecimal ones and UUIDs."""
    return re.sub(r"/(\d+|[0-9a-f]{32}|[0-9a-f-]{36})(?=/|$)", "/*", path)


def _tried(folder: Path, kind: str, steps: list[Step]) -> dict[Step, str]:
    """Step → what was wrong after it failed once."""
    tried = {step: _try(folder / f"{kind}-{number}", kind, step) for number, step in enumerate(steps)}
    return {step: why for step, why in tried.items() if why}


def _try(folder: Path, kind: str, step: Step) -> str:
    cloud, method, path = step
    with world(folder) as made:
        # Providers try again by themselves: only a fault that lasts stops them.
        times = 1 if kind == "lost_response" else 20
        made.fault(cloud, kind=kind, method=method, path=path, times=times)
        first = _up(made)
        made.no_more_faults()
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
    if not set(made.up()) <= {"same", "refresh"}:
        return "a third up still changes something"
    return _orphans(made)


def _orphans(made: World) -> str:
    """What is in the clouds and not in the state."""
    known = {str(resource.get("id")) for resource in made.resources()}
    rows = {
        str(row.get("id") or row.get("name") or row.get("Id") or row["Name"]): table
        for table, rows in made.clouds.rows().items()
        for row in rows.values()
    }
    orphans = sorted(f"{table} {number}" for number, table in rows.items() if number not in known)
    return f"orphans: {', '.join(orphans)}" if orphans else ""
