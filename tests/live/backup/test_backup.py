"""Backups and restores on real PostgreSQL and real restic, through the real proxy to an S3 server."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.backup.component import USER
from components.spec import STOPS_WITHIN
from tests.live.backup.stand import DATABASE_PASSWORD, KEY, REPOSITORY_PASSWORD, Server, Stand, endpoint
from tests.live.namespace import give

ROWS = 'SELECT * FROM shop."Odd Table" ORDER BY 1'
SCHEMA = """
CREATE ROLE writer LOGIN PASSWORD 'writer-password';
CREATE SCHEMA shop;
CREATE TABLE shop."Odd Table" (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text, bytes bytea, at timestamptz
);
INSERT INTO shop."Odd Table" (text, bytes, at)
  SELECT md5(i::text) || E' \\t|''"', sha256(i::text::bytea), now() - i * interval '1 s'
  FROM generate_series(1, 3000) i;
GRANT USAGE ON SCHEMA shop TO writer;
GRANT SELECT, INSERT ON shop."Odd Table" TO writer;
REVOKE ALL ON DATABASE app FROM PUBLIC;
GRANT CONNECT ON DATABASE app TO writer;
"""


def filled(stand: Stand, name: str = "first") -> Server:
    """A machine with rows and files."""
    server = stand.server(name)
    server.sql("CREATE DATABASE app", "template1")
    server.sql(SCHEMA)
    note(server, "hello.txt", "hello\n")
    return server


def note(server: Server, name: str, text: str) -> None:
    path = server.folder / "volumes/data" / name
    path.write_text(text, encoding="utf-8")
    give(path, server.user("notes"))


def backed_up(server: Server, *, tested: bool = False) -> None:
    """``tested``: with the weekly test."""
    if not tested:
        server.tested()
    done = server.run("keeper", "backup.sh")
    assert done.returncode == 0, (done.stdout, done.stderr, server.logs())


def restored(server: Server, name: str, snapshot: str = "latest") -> None:
    """The steps that ops/restore gives orders for."""
    done = server.run("keeper", "restore.sh", "fetch", name, snapshot)
    assert done.returncode == 0, (done.stdout, done.stderr)
    kind = "postgres" if name == "postgres" else "files"
    done = server.run(name, f"{kind}-restore.sh")
    assert done.returncode == 0, (done.stdout, done.stderr)
    done = server.run("keeper", "restore.sh", "done", name)
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_what_was_destroyed_is_back_row_by_row(stand: Stand) -> None:
    server = filled(stand)
    rows, notes = server.sql(ROWS), server.folder / "volumes/data/hello.txt"
    backed_up(server)
    server.sql('DROP TABLE shop."Odd Table"')
    notes.unlink()
    note(server, "later.txt", "written after the backup\n")
    restored(server, "postgres")
    restored(server, "notes")
    assert server.sql(ROWS) == rows
    assert notes.read_text(encoding="utf-8") == "hello\n"
    assert [path.name for path in notes.parent.iterdir()] == ["hello.txt"]


def test_what_a_restore_replaced_is_kept_beside_it(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    server.sql('UPDATE shop."Odd Table" SET text = NULL')
    restored(server, "postgres")
    (kept,) = server.sql("SELECT datname FROM pg_database WHERE datname ~ '^app_replaced_'").split()
    assert server.sql('SELECT count(*) FROM shop."Odd Table" WHERE text IS NULL', kept).strip() == "3000"


def test_from_nothing_a_new_server_has_the_same_data_and_does_not_back_up_before(stand: Stand) -> None:
    first = filled(stand)
    rows = first.sql(ROWS)
    backed_up(first)
    first.end()
    second = stand.server("second")
    second.sql("CREATE DATABASE app", "template1")
    second.sql("CREATE ROLE writer LOGIN PASSWORD 'another-password'")
    refused = second.run("keeper", "backup.sh")
    assert (refused.returncode, "backups of another server" in refused.stdout) == (1, True)
    assert len(second.snapshots("postgres")) == 1
    restored(second, "postgres")
    restored(second, "notes")
    assert second.sql(ROWS) == rows
    # The password that the new server's stack has given stays; rights come from the backup.
    assert second.sql(ROWS, role="writer", password="another-password") == rows
    assert (second.folder / "volumes/data/hello.txt").read_text(encoding="utf-8") == "hello\n"
    backed_up(second)
    assert len(second.snapshots("postgres")) == 2


def test_a_new_server_that_cannot_see_the_snapshots_does_not_back_up(stand: Stand) -> None:
    first = filled(stand)
    backed_up(first)
    first.end()
    second = stand.server("second")
    second.wrap("keeper", "restic", 'case " $* " in *" snapshots "*) exit 1 ;; esac; exec "$real" "$@"')
    second.tested()
    assert second.run("keeper", "backup.sh").returncode == 1
    assert not (second.folder / "work/adopted").exists()


def test_a_restore_that_fails_leaves_everything_as_it_was(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    server.sql("INSERT INTO shop.\"Odd Table\" (text) VALUES ('after the backup')")
    rows = server.sql(ROWS)
    assert server.run("keeper", "restore.sh", "fetch", "postgres", "latest").returncode == 0
    (counted,) = (server.folder / "exchange/postgres/fetched/copy").glob("*.rows")
    counted.write_text("wrong|1\n", encoding="ascii")
    done = server.run("postgres", "postgres-restore.sh")
    assert (done.returncode, "everything is as it was" in done.stdout) == (1, True)
    assert server.sql(ROWS) == rows
    assert server.sql("SELECT count(*) FROM pg_database WHERE datname ~ '_replaced_'").strip() == "0"


def fetched(server: Server, name: str) -> None:
    done = server.run("keeper", "restore.sh", "fetch", name, "latest")
    assert done.returncode == 0, (done.stdout, done.stderr)


def crashing(stand: Stand) -> tuple[Server, str]:
    """A machine whose database stops in the middle of a restore, and its rows."""
    server = filled(stand)
    backed_up(server)
    rows = server.sql(ROWS)
    fetched(server, "postgres")
    crash = f"kill -s QUIT $(head -n 1 {server.folder}/database/postmaster.pid); sleep 1; exit 1"
    server.wrap("postgres", "pg_restore", f'"$real" "$@"; {crash}')
    return server, rows


def test_a_database_that_crashes_under_a_restore_is_back_when_it_answers(stand: Stand) -> None:
    server, rows = crashing(stand)
    restoring = server.spawn("postgres", "postgres-restore.sh")
    _until(lambda: server.processes[0].poll() is not None)
    server.run_database()
    assert restoring.wait(120) == 1
    assert "everything is as it was" in (server.folder / "postgres.log").read_text(encoding="utf-8")
    assert server.sql(ROWS) == rows
    assert server.run("keeper", "restore.sh", "abandon", "postgres").returncode == 0


def test_a_database_that_does_not_answer_any_more_is_said_to_be_half_restored(stand: Stand) -> None:
    server, rows = crashing(stand)
    done = server.run("postgres", "postgres-restore.sh", PATIENCE="2")
    assert (done.returncode, "NOT EVERYTHING" in done.stdout, "as it was\n" in done.stdout) == (1, True, False)
    server.run_database()
    # Until it is back no client is started on it, and no backup is made of it.
    assert server.run("keeper", "restore.sh", "abandon", "postgres").returncode == 1
    assert server.run("keeper", "backup.sh").returncode == 1
    assert len(server.snapshots("postgres")) == 1
    assert server.run("postgres", "postgres-restore.sh", "back").returncode == 0
    assert server.sql(ROWS) == rows
    assert server.run("keeper", "restore.sh", "abandon", "postgres").returncode == 0
    server.wrap("postgres", "pg_restore", 'exec "$real" "$@"')
    backed_up(server)


def test_a_restore_that_was_killed_is_taken_back_by_the_next_one(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    rows = server.sql(ROWS)
    fetched(server, "postgres")
    server.wrap("postgres", "pg_restore", "sleep 600")
    killed = server.spawn("postgres", "postgres-restore.sh")
    _until(lambda: server.sql("SELECT 1 FROM pg_database WHERE datname ~ '^app_replaced_'", "template1"))
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert server.run("keeper", "restore.sh", "abandon", "postgres").returncode == 1
    server.wrap("postgres", "pg_restore", 'exec "$real" "$@"')
    restored(server, "postgres")
    assert server.sql(ROWS) == rows
    assert server.sql("SELECT count(*) FROM pg_database WHERE datname ~ '_replaced_'").strip() == "1"


def kept_out(server: Server, name: str, script: str) -> None:
    """While a restore runs no other one begins, nothing is fetched anew, and whoever gives it up waits."""
    exchange = server.folder / "exchange" / name
    _until(lambda: subprocess.run(["flock", "-n", str(exchange), "true"], check=False).returncode)
    assert server.run(name, script).returncode == 75
    assert server.run("keeper", "restore.sh", "fetch", name, "latest").returncode != 0
    waiting = server.spawn("keeper", "restore.sh", "abandon", name)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(3)
    assert (exchange / "fetched/copy/LIST").exists()


def given_up(server: Server, name: str, script: str) -> None:
    """An order that comes late finds nothing any more."""
    assert server.processes[-1].wait(60) == 0
    assert not (server.folder / "exchange" / name / "fetched").exists()
    assert server.run(name, script).returncode == 1


def test_nothing_goes_on_while_a_database_is_restored_whose_order_was_broken_off(stand: Stand) -> None:
    server, go = filled(stand), stand.proxy.folder / "go"
    backed_up(server)
    fetched(server, "postgres")
    rows = server.sql(ROWS)
    server.wrap("postgres", "pg_restore", f'while [ ! -e {go} ]; do sleep 0.1; done; exec "$real" "$@"')
    restoring = server.spawn("postgres", "postgres-restore.sh")
    kept_out(server, "postgres", "postgres-restore.sh")
    go.touch()
    assert restoring.wait(120) == 0, server.logs()
    given_up(server, "postgres", "postgres-restore.sh")
    assert server.sql(ROWS) == rows


def test_nothing_goes_on_while_files_are_restored_whose_order_was_broken_off(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    fetched(server, "notes")
    archive = server.folder / "exchange/notes/fetched/copy/volumes.tar"
    archive.unlink()
    os.mkfifo(archive)
    archive.chmod(0o644)
    restoring = server.spawn("notes", "files-restore.sh")
    kept_out(server, "notes", "files-restore.sh")
    archive.write_bytes(b"")
    assert restoring.wait(60) == 1
    given_up(server, "notes", "files-restore.sh")
    assert (server.folder / "volumes/data/hello.txt").exists()


def test_a_snapshot_of_another_service_is_refused(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    (other,) = server.snapshots("notes")
    done = server.run("keeper", "restore.sh", "fetch", "postgres", other["short_id"])
    assert (done.returncode, "not of this service" in done.stdout) == (1, True)


def test_a_backup_that_is_killed_half_way_leaves_the_last_good_one(stand: Stand) -> None:
    server = filled(stand)
    rows = server.sql(ROWS)
    backed_up(server)
    server.sql("CREATE TABLE shop.large AS SELECT i, sha512(i::text::bytea) FROM generate_series(1, 400000) i")
    killed = server.spawn("keeper", "backup.sh")
    deadline = time.monotonic() + 120
    while not (uploading := _restic(killed.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert uploading
    time.sleep(0.5)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert len(server.snapshots("postgres")) == 1
    server.sql('DROP TABLE shop."Odd Table", shop.large')
    restored(server, "postgres")
    assert server.sql(ROWS) == rows
    backed_up(server)


def _restic(group: int) -> list[int]:
    """restic's processes of a group that are saving the database."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            if os.getpgid(int(path.parent.name)) == group and {b"backup", b"postgres"} <= set(words):
                found.append(int(path.parent.name))
        except (OSError, ProcessLookupError):
            continue
    return found


def test_a_service_that_fails_is_told_of_and_takes_no_other_along(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    before = server.metrics()
    server.stop_database()
    done = server.run("keeper", "backup.sh")
    after = server.metrics()
    assert done.returncode == 1
    assert (len(server.snapshots("notes")), len(server.snapshots("postgres"))) == (2, 1)
    assert after['backup_last_run_ok{name="postgres"}'] == 0
    assert after['backup_last_run_ok{name="notes"}'] == 1
    success = 'backup_last_success_timestamp_seconds{name="%s"}'
    assert after[success % "postgres"] == before[success % "postgres"]
    assert after[success % "notes"] > before[success % "notes"]


@pytest.mark.parametrize("spoil", ["empty", "cut off", "not a dump"])
def test_a_dump_that_is_broken_is_never_a_success(stand: Stand, spoil: str) -> None:
    server = filled(stand)
    actions = {"empty": ': >"$file"', "cut off": 'truncate -s -200 "$file"', "not a dump": 'echo no >"$file"'}
    server.wrap("postgres", "pg_dump", f'"$real" "$@"; for file in *.dump; do {actions[spoil]}; done')
    done = server.run("keeper", "backup.sh")
    assert done.returncode == 1
    assert server.metrics()['backup_last_run_ok{name="postgres"}'] == 0
    assert server.snapshots("postgres") == []


def test_a_backup_of_rows_that_do_not_come_back_turns_the_restore_test(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server, tested=True)
    assert server.metrics()['restore_test_ok{name="postgres"}'] == 1
    # A dump that can be read and lacks a row: what only a restore shows.
    server.wrap("postgres", "pg_dump", '"$real" "$@" --exclude-table-data="shop.*"')
    backed_up(server)
    done = server.run("keeper", "test.sh")
    metrics = server.metrics()
    assert done.returncode == 1
    assert metrics['restore_test_ok{name="postgres"}'] == 0
    assert metrics['restore_test_ok{name="notes"}'] == 1


def test_a_corrupted_repository_is_noticed_and_an_intact_one_is_not(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    assert server.run("keeper", "test.sh").returncode == 0
    for pack in stand.objects("data/"):
        stand.damage(pack)
    server.forget_cache()
    done = server.run("keeper", "test.sh")
    metrics = server.metrics()
    assert done.returncode == 1
    assert metrics['restore_test_ok{name="postgres"}'] == 0
    assert server.run("keeper", "restore.sh", "fetch", "postgres", "latest").returncode == 1


def test_retention_keeps_what_it_says(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    old = ["2025-02-15", "2025-03-01", "2025-03-16", "2025-03-17", "2025-03-28", "2025-03-29", "2025-03-30"]
    for name, days in (("notes", old), ("postgres", old[:1])):
        for day in days:
            time_of = ("--time", f"{day} 02:30:00")
            server.restic("backup", "--quiet", "--host", "dev", "--tag", name, *time_of, "/etc/hostname")
    server.tested()
    keep = {"KEEP_DAILY": "3", "KEEP_WEEKLY": "3", "KEEP_MONTHLY": "3"}
    assert server.run("keeper", "backup.sh", **keep).returncode == 0
    notes, postgres = ([made["time"][:10] for made in server.snapshots(name)] for name in ("notes", "postgres"))
    # Today is the first day, week and month. 2025-03-30 and 2025-03-16 are Sundays, the last days of their weeks.
    assert notes[:-2] == ["2025-02-15", "2025-03-17", "2025-03-29", "2025-03-30"]
    # Of the last two days everything stays, and each service is counted by itself.
    assert postgres[:-2] == ["2025-02-15"]


def test_nothing_secret_is_on_a_command_line_in_an_environment_or_in_a_log(stand: Stand) -> None:
    server = filled(stand)
    running = server.spawn("keeper", "backup.sh")
    shown, names = "", set[str]()
    while running.poll() is None:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                shown += (path / "cmdline").read_text(encoding="utf-8", errors="replace")
                names.add((path / "comm").read_text(encoding="utf-8").strip())
                if (path / "comm").read_text(encoding="utf-8").strip() in ("restic", "pg_dump", "sh"):
                    shown += (path / "environ").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
        time.sleep(0.02)
    assert {"restic", "pg_dump"} <= names
    shown += server.logs()
    assert [secret for secret in (KEY, REPOSITORY_PASSWORD, DATABASE_PASSWORD) if secret in shown] == []
    assert endpoint(stand.settings) in shown


def test_it_goes_out_through_the_proxy_and_reaches_nothing_without(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    assert {line["server"] for line in stand.proxy.log if line["result"] == "TCP_TUNNEL"} == {"203.0.113.10"}
    done = server.run("keeper", "snapshots.sh", HTTPS_PROXY="")
    assert done.returncode != 0


def test_one_at_a_time(stand: Stand) -> None:
    server = filled(stand)
    running = server.spawn("keeper", "backup.sh")
    deadline = time.monotonic() + 60
    while not (server.folder / "work/lock").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    assert server.run("keeper", "backup.sh").returncode == 75
    assert running.wait(120) == 0


# restic takes its lock away when it is stopped since 0.17; one that is older does that when it is interrupted.
STOPPABLE = """
case " $* " in *" backup "*) set -- --limit-upload 200 "$@" ;; esac
setsid "$real" "$@" &
trap 'kill -s INT $!; wait $!' TERM
wait $!
"""


@contextmanager
def checking(stand: Stand, server: Server) -> Iterator["subprocess.Popen[bytes]"]:
    """restic in the middle of a check, with the lock that lets nobody else in."""
    server.forget_cache()
    command = server.namespace.enter("restic", "--option", "s3.bucket-lookup=path", "--limit-download", "1", "check",
                                     "--read-data", user=USER)  # fmt: skip
    process = subprocess.Popen(command, env=server.keeper(), stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        _until(lambda: stand.objects("locks/"))
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _until(true: Callable[[], object], within: float = 120) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def locked(stand: Stand) -> Server:
    """A machine with a backup, and with the lock of a check that was killed."""
    server = filled(stand)
    backed_up(server)
    with checking(stand, server):
        pass
    assert stand.objects("locks/")
    return server


def test_a_keeper_that_was_killed_while_it_checked_backs_up_again(stand: Stand) -> None:
    server = locked(stand)
    backed_up(server)
    assert (len(server.snapshots("postgres")), stand.objects("locks/")) == (2, [])


def test_a_lock_that_was_left_behind_fails_no_test_of_the_repository(stand: Stand) -> None:
    server = locked(stand)
    assert server.run("keeper", "test.sh").returncode == 0
    assert server.metrics()['restore_test_ok{name="repository"}'] == 1


def test_a_restore_waits_for_no_lock_and_takes_none_away(stand: Stand) -> None:
    server = locked(stand)
    left, rows = stand.objects("locks/"), server.sql(ROWS)
    server.sql('DROP TABLE shop."Odd Table"')
    restored(server, "postgres")
    assert (server.sql(ROWS), stand.objects("locks/")) == (rows, left)


def test_a_lock_that_was_left_behind_does_not_keep_a_new_password_out(stand: Stand) -> None:
    server = locked(stand)
    server.give_passwords("the-second", REPOSITORY_PASSWORD)
    backed_up(server)
    assert [_opens(server, each) for each in (REPOSITORY_PASSWORD, "the-second")] == [False, True]


def test_control_the_lock_of_somebody_who_works_stays(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    with checking(stand, server) as process:
        held = stand.objects("locks/")
        assert server.run("keeper", "backup.sh").returncode == 1
        assert process.poll() is None
        assert stand.objects("locks/") == held
    assert len(server.snapshots("postgres")) == 1


def test_a_keeper_that_is_stopped_lets_restic_take_its_lock_away(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    server.sql("CREATE TABLE shop.large AS SELECT i, sha512(i::text::bytea) FROM generate_series(1, 40000) i")
    server.wrap("keeper", "restic", STOPPABLE)
    server.forget_cache()
    keeper = server.spawn("keeper", "schedule.sh")
    _until(lambda: _restic(keeper.pid) and stand.objects("locks/"))
    # It looks for another one's lock first, and knows of its own after that.
    time.sleep(2)
    os.kill(keeper.pid, signal.SIGTERM)
    assert keeper.wait(STOPS_WITHIN) != 0
    assert (_restic(keeper.pid), stand.objects("locks/")) == ([], []), server.logs()
    assert len(server.snapshots("postgres")) == 1


def _opens(server: Server, password: str) -> bool:
    """Whether a password opens the repository."""
    file = server.folder / "asked"
    file.write_text(password, encoding="utf-8")
    give(file, USER)
    command = server.namespace.enter("restic", "--option", "s3.bucket-lookup=path", "cat", "config", user=USER)
    environment = server.keeper() | {"RESTIC_PASSWORD_FILE": str(file)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "wrong password" in done.stderr, done.stderr
    return done.returncode == 0


def test_a_new_password_opens_what_the_old_one_did_and_the_old_one_opens_nothing(stand: Stand) -> None:
    server = filled(stand)
    rows = server.sql(ROWS)
    backed_up(server)
    assert _opens(server, REPOSITORY_PASSWORD)
    server.give_passwords("the-second", REPOSITORY_PASSWORD)
    done = server.run("keeper", "renew.sh")
    assert (done.returncode, "opens nothing" in done.stdout) == (0, True), (done.stdout, done.stderr)
    assert [_opens(server, each) for each in (REPOSITORY_PASSWORD, "the-second")] == [False, True]
    server.sql('DROP TABLE shop."Odd Table"')
    restored(server, "postgres")
    assert server.sql(ROWS) == rows
    backed_up(server)
    assert len(server.snapshots("postgres")) == 2


def test_control_without_the_former_password_the_repository_stays_shut_and_as_it_was(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    server.give_passwords("the-second")
    assert server.run("keeper", "backup.sh").returncode == 1
    assert [_opens(server, each) for each in (REPOSITORY_PASSWORD, "the-second")] == [True, False]


def test_a_renewal_that_was_cut_off_goes_on_and_another_persons_key_stays(stand: Stand) -> None:
    server = filled(stand)
    backed_up(server)
    for password in ("the-second", "somebodys"):
        file = server.folder / "added"
        file.write_text(password, encoding="utf-8")
        give(file, USER)
        server.restic("key", "add", "--new-password-file", str(file))
    server.give_passwords("the-third", REPOSITORY_PASSWORD, "the-second")
    backed_up(server)
    opening = [_opens(server, each) for each in (REPOSITORY_PASSWORD, "the-second", "the-third", "somebodys")]
    assert opening == [False, False, True, True]
    assert not list((server.folder / "work").glob(".former"))


def test_a_stack_that_begins_with_a_later_password_makes_its_repository(stand: Stand) -> None:
    server = filled(stand)
    server.give_passwords("the-second", REPOSITORY_PASSWORD)
    backed_up(server)
    assert [_opens(server, each) for each in (REPOSITORY_PASSWORD, "the-second")] == [False, True]
