"""A database's machine is lost under load, and its standby takes over by a change of the stack file.

The way back is shown by tests/live/postgres/test_standby.py. Comes after the other tests of the Swarm: the database
stays where it is then.
"""

import time
from collections import Counter
from typing import Any

import pytest
from docker.errors import APIError

from tests.live.docker.deployed import until
from tests.live.swarm.deployed import Change, Deployed, recorded
from tests.live.swarm.load import Load
from tests.live.swarm.test_swarm import is_kept, nodes, note

pytestmark = pytest.mark.slow
HOME, OTHER = "manager-1", "manager-2"
FOLLOWS = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'standby' AND state = 'streaming'"
SERIES = 'pg_stat_replication_pg_wal_lsn_diff{application_name="standby"'


def with_standby(**given: Any) -> Change:
    """The example with a standby."""

    def change(services: dict[str, Any]) -> None:
        services["postgres"]["standby"] = {"node": OTHER, **given}

    return change


def sql(swarm: Deployed, text: str) -> str:
    """What the one that leads answers; nothing where it does not."""
    said = f'PGPASSWORD=$(cat /run/secrets/password) psql -h 127.0.0.1 -U postgres -d app -XAtc "{text}"'
    for machine, identity in swarm.tasks("postgres").items():
        if swarm.fleet[machine].alive:
            code, output = swarm.execute(machine, identity, "sh", "-c", said)
            return output.strip() if code == 0 else ""
    return ""


def is_followed(swarm: Deployed) -> bool:
    return sql(swarm, FOLLOWS) == "1"


def state(swarm: Deployed) -> str:
    """What the Swarm thinks of the machine. It was the first of the managers: until they have another, nobody says."""
    try:
        return str(nodes(swarm)[HOME]["Status"]["State"])
    except APIError:
        return ""


def test_the_standby_takes_over_without_a_lost_row(swarm: Deployed) -> None:
    ids = swarm.image_ids
    swarm.apply(recorded(ids, with_standby()))
    until(lambda: is_followed(swarm), 240, "the first copy")
    assert "postgres" in swarm.apply(recorded(ids, with_standby(synchronous=True)))
    swarm.settled("postgres")
    until(lambda: is_followed(swarm), 180, "the standby")
    assert list(swarm.tasks("postgres-standby")) == [OTHER]
    _is_measured(swarm)

    identity = note(swarm)
    with Load(swarm.edge, identity) as load:
        time.sleep(5)
        swarm.fleet[HOME].cut_power()
        lost, kept = time.monotonic(), len(load.kept)
        until(lambda: state(swarm) == "down", 120, "the Swarm knows")
        changed = swarm.apply(recorded(ids, with_standby(leads=True)))
        until(lambda: len(load.kept) > kept + 5, 240, "rows again")
        print(f"rows are kept again {time.monotonic() - lost:.1f} s after the power was cut")
    print(
        f"{len(load.kept)} rows; of {len(load.reads)} reads failed {dict(Counter(each.status for each in load.failed))}"
    )
    assert set(changed) == {"postgres", "postgres-standby"}, "nothing else is touched"
    assert kept > 10
    assert [row for row in load.kept if not is_kept(swarm, row)] == []

    swarm.fleet[HOME].start_again()
    swarm.fleet[HOME].call("unlock")
    until(lambda: state(swarm) == "ready", 120, "the machine is a member again")
    back = time.monotonic()
    until(lambda: is_followed(swarm), 240, "the one that led follows")
    print(f"the one that led follows {time.monotonic() - back:.1f} s after its machine is a member again")
    until(lambda: list(swarm.tasks("postgres-standby")) == [HOME], 120, "it runs where it led")


def _is_measured(swarm: Deployed) -> None:
    """What the alerts ask for is what the exporter tells."""
    machine, identity = next(iter(swarm.tasks("postgres-exporter").items()))
    said = swarm.execute(machine, identity, "wget", "-q", "-O", "-", "http://127.0.0.1:9187/metrics")[1]
    assert any(line.startswith(SERIES) and 'state="streaming"' in line for line in said.splitlines()), said
