"""A standby on the real server, by the scripts as rendered: it follows, it takes over, and there are never two."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.namespace import wait_until
from tests.live.postgres.pair import LEADS, POSTGRES, WITHIN, Pair, pair
from tests.programs import give_up, need, need_root


@pytest.fixture
def both() -> Iterator[Pair]:
    """One that leads at home and one that follows, and a table."""
    need_root()
    need("psql", "busybox", "nsenter", "setpriv", "unshare")
    if not (POSTGRES / "pg_basebackup").exists():
        give_up("postgresql-15 missing: make test-tools")
    with pair() as found:
        found.lead(found.home)
        found.follow(found.other)
        found.wait_until_followed(found.other)
        found.make_table()
        yield found


def test_what_is_written_arrives(both: Pair) -> None:
    assert both.insert(1)
    copied = ["psql", "-XAt", "-h", "127.0.0.1", "-U", "postgres", "-d", "app", "-c", "SELECT number FROM numbers"]
    environment = {"PGPASSWORD": both.passwords["postgres"], "PATH": os.environ["PATH"]}
    done = subprocess.run(both.namespace.enter(*copied), env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert both.sql("SELECT slot_name, active FROM pg_replication_slots") == "standby|t"
    assert both.sql("SHOW max_slot_wal_keep_size") == "4GB"


def test_no_acknowledged_row_is_lost_when_the_one_that_leads_loses_its_power(both: Pair) -> None:
    acknowledged: list[int] = []

    def write() -> None:
        for number in range(100_000):
            if not both.insert(number):
                return
            acknowledged.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(acknowledged) > 20, both.home.folder / "log", WITHIN)
    both.home.cut_power()
    writer.join()
    both.promoted, both.synchronous = True, False
    both.other.stop()
    both.lead(both.other)
    assert set(acknowledged) - both.numbers() == set()
    assert both.insert(-1)
    both.sql("CHECKPOINT")
    assert both.other.controldata("Latest checkpoint's TimeLineID") == "2"
    assert not (both.other.data / "standby.signal").exists()


def test_the_one_that_led_before_follows_and_what_it_had_is_put_aside(both: Pair) -> None:
    both.home.cut_power()
    both.promoted, both.synchronous = True, False
    both.other.stop()
    both.lead(both.other)
    both.follow(both.home)
    both.wait_until_followed(both.home)
    aside = [path for path in both.home.volume.glob("18/replaced_*") if (path / "PG_VERSION").exists()]
    assert len(aside) == 1
    assert both.insert(7)
    # And back again: where it was before, in order.
    both.other.stop()
    both.home.stop()
    both.promoted = False
    both.lead(both.home)
    assert both.numbers() == {7}
    both.follow(both.other)
    both.wait_until_followed(both.other)


def test_nothing_is_acknowledged_while_the_standby_is_away_and_both_go_on_together(both: Pair) -> None:
    both.other.cut_power()
    assert not both.insert(1)
    both.follow(both.other)
    both.wait_until_followed(both.other)
    assert both.insert(2)


def test_without_synchronous_rows_are_acknowledged_while_the_standby_is_away(both: Pair) -> None:
    both.synchronous = False
    both.home.stop()
    both.lead(both.home)
    both.wait_until_followed(both.other)
    both.other.cut_power()
    assert both.insert(1)


def test_two_servers_never_run_on_one_volume(both: Pair) -> None:
    """As in a promotion, where the one that follows has not ended yet when the one that leads is started."""
    both.home.cut_power()
    both.promoted, both.synchronous = True, False
    follows, both.other.process = both.other.process, None
    both.other.start(both.parts["postgres"])
    time.sleep(2)
    assert (both.other.data / "standby.signal").exists()
    assert both.sql("SELECT 1") == ""
    assert follows is not None
    follows.terminate()
    follows.wait(120)
    wait_until(lambda: both.sql("SELECT NOT pg_is_in_recovery()") == "t", both.other.folder / "log", WITHIN)


def test_a_promotion_to_a_machine_without_a_copy_begins_nothing(both: Pair) -> None:
    both.home.cut_power()
    both.other.cut_power()
    subprocess.run(["rm", "-rf", both.other.data], check=True)
    both.promoted = True
    both.other.start(both.parts["postgres"])
    assert both.other.process is not None
    assert both.other.process.wait(120) == 1
    assert "no copy of the database" in both.other.log
    assert not both.other.data.exists()


def test_another_database_is_not_followed_and_the_data_stays_as_it_is(both: Pair) -> None:
    both.home.cut_power()
    both.promoted, both.synchronous = True, False
    both.other.stop()
    both.lead(both.other)
    assert both.insert(5)
    both.other.cut_power()
    # By mistake: back to a machine whose volume is empty.
    both.promoted = False
    subprocess.run(["rm", "-rf", both.home.data], check=True)
    both.lead(both.home)
    both.follow(both.other)
    wait_until(lambda: "another database leads" in both.other.log, both.other.folder / "log", WITHIN)
    both.other.cut_power()
    both.home.cut_power()
    both.promoted = True
    both.lead(both.other)
    assert both.numbers() == {5}


def test_a_standby_that_was_away_for_too_long_copies_anew_when_it_is_told_to(both: Pair) -> None:
    both.synchronous = False
    both.home.stop()
    both.lead(both.home)
    both.other.cut_power()
    both.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    both.sql("SELECT pg_reload_conf()")
    for _ in range(3):
        both.sql("INSERT INTO numbers SELECT max(number) + 1 FROM numbers; SELECT pg_switch_wal(); CHECKPOINT", 60)
        both.insert(int(time.monotonic() * 1000) % 2_000_000_000)
    both.sql("CHECKPOINT", 60)
    assert both.sql("SELECT wal_status FROM pg_replication_slots") == "lost"
    both.follow(both.other)
    wait_until(lambda: "has already been removed" in both.other.log, both.other.folder / "log", WITHIN)
    assert not both.followed()
    both.other.stop()
    # The limit of before: under that of this test even a standby that follows is soon behind by too much.
    both.sql("ALTER SYSTEM RESET max_slot_wal_keep_size")
    both.sql("SELECT pg_reload_conf()")
    (both.other.data / "standby.signal").unlink()
    both.follow(both.other)
    both.wait_until_followed(both.other)
    assert both.sql("SELECT wal_status FROM pg_replication_slots") == "reserved"


def test_the_standbys_role_copies_and_looks_into_no_database(both: Pair) -> None:
    both.passwords["standby"] = both.parts["postgres"].files["/run/secrets/role_standby"]
    assert both.sql("SELECT 1", role="standby") == ""
    assert both.sql("SELECT rolreplication, rolsuper FROM pg_roles WHERE rolname = 'standby'") == "t|f"


def test_a_new_password_of_the_standby_holds_after_both_have_started_again(both: Pair) -> None:
    fresh = "another-password"
    for place, name, text in ((both.home, "postgres", fresh), (both.other, "postgres-standby", f"*:*:*:*:{fresh}\n")):
        place.stop()
        part = both.parts[name]
        path = "/run/secrets/role_standby" if name == "postgres" else "/run/secrets/leader"
        place.start(type(part)(part.command, part.env, {**part.files, path: text}))
    wait_until(lambda: both.sql("SELECT 1") == "1", both.home.folder / "log", WITHIN)
    both.wait_until_followed(both.other)


def test_no_password_is_in_a_command_line_or_a_log(both: Pair) -> None:
    secrets = {*both.passwords.values(), both.parts["postgres"].files["/run/secrets/role_standby"]}
    lines = "".join(path.read_text(errors="replace") for path in _command_lines())
    assert f"host={LEADS}" in lines, "the search sees what it should see"
    for text in (lines, both.home.log, both.other.log):
        assert not [secret for secret in secrets if secret in text]


def _command_lines() -> Iterator[Path]:
    for folder in Path("/proc").iterdir():
        path = folder / "cmdline"
        if folder.name.isdigit() and path.exists():
            yield path


def test_a_database_that_is_there_already_gets_a_standby() -> None:
    """It was made without one, so that its scripts of a first start knew of none."""
    need_root()
    with pair() as found:
        part = found.parts["postgres"]
        without = {path: text for path, text in part.files.items() if "standby" not in path}
        found.passwords["postgres"] = part.files["/run/secrets/password"]
        found.home.start(type(part)(("sh", "/etc/zero-exposure/postgres/start.sh"), part.env, without))
        wait_until(lambda: found.sql("SELECT 1") == "1", found.home.folder / "log", WITHIN)
        found.make_table()
        assert found.insert(1)
        found.home.stop()
        found.lead(found.home)
        found.follow(found.other)
        found.wait_until_followed(found.other)
        assert found.insert(2)
        assert found.numbers() == {1, 2}
