"""The preset's start script on the real server: after it the passwords in /run/secrets hold, and no others."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.programs import give_up, need_root

START = Path(__file__).parents[3] / "settings/presets/postgres/etc/zero-exposure/postgres/start.sh"
BINARIES = Path("/usr/lib/postgresql/15/bin")
OWNER = "65534"
"""Any user but root: the server refuses to run as root."""
ENTRY_POINT = '#!/bin/sh\nexec "$1" -D "$PGDATA" -c listen_addresses= -c unix_socket_directories="$PGDATA/.."\n'


class Server:
    """A cluster in a folder of its own, started by the script as the image would be."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        (folder / "secrets").mkdir()
        (folder / "bin").mkdir()
        (folder / "bin/docker-entrypoint.sh").write_text(ENTRY_POINT)
        (folder / "bin/docker-entrypoint.sh").chmod(0o755)
        (folder / "start.sh").write_text(START.read_text().replace("/run/secrets", str(folder / "secrets")))
        self.secret("password", "first")
        shutil.chown(folder, int(OWNER), int(OWNER))
        self._as_owner("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "scram-sha-256", "--pwfile",
                       str(folder / "secrets/password"), "--no-sync")  # fmt: skip

    def secret(self, name: str, value: str) -> None:
        """What the container finds in /run/secrets."""
        (self.folder / "secrets" / name).write_text(value)
        (self.folder / "secrets" / name).chmod(0o644)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Started by the script, stopped by its process id."""
        environment = {
            "PATH": f"{self.folder / 'bin'}:{BINARIES}:{os.environ['PATH']}",
            "PGDATA": str(self.folder / "data"),
            "POSTGRES_PASSWORD_FILE": str(self.folder / "secrets/password"),
        }
        command = [
            "setpriv",
            f"--reuid={OWNER}",
            f"--regid={OWNER}",
            "--clear-groups",
            "sh",
            str(self.folder / "start.sh"),
        ]
        with self.log.open("a") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd="/")
        try:
            ready = [str(BINARIES / "pg_isready"), "-q", "-h", str(self.folder)]
            for _ in range(300):
                if subprocess.run(ready, check=False).returncode == 0 or process.poll() is not None:
                    break
                subprocess.run(["sleep", "0.1"], check=True)
            assert process.poll() is None, self.log.read_text()
            yield
        finally:
            process.terminate()
            process.wait(60)

    def sql(self, text: str, password: str, role: str = "postgres") -> bool:
        """Whether a statement passes with this password."""
        command = [str(BINARIES / "psql"), "-h", str(self.folder), "-U", role, "-d", "postgres", "-Atc", text]
        environment = {"PGPASSWORD": password, "PATH": os.environ["PATH"]}
        return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0

    def _as_owner(self, program: str, *arguments: str) -> None:
        command = [
            "setpriv",
            f"--reuid={OWNER}",
            f"--regid={OWNER}",
            "--clear-groups",
            str(BINARIES / program),
            *arguments,
        ]
        subprocess.run(command, check=True, capture_output=True, cwd="/")


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """A cluster whose superuser's password is "first"."""
    need_root()
    if not (BINARIES / "postgres").exists():
        give_up("postgresql-15 missing: make test-tools")
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    return Server(tmp_path)


def test_a_new_superusers_password_holds_after_a_restart_and_the_old_one_no_more(server: Server) -> None:
    with server.running():
        assert server.sql("SELECT 1", "first")
    server.secret("password", "second")
    with server.running():
        assert server.sql("SELECT 1", "second")
        assert not server.sql("SELECT 1", "first")


def test_roles_get_the_passwords_of_their_secrets(server: Server) -> None:
    with server.running():
        assert server.sql("CREATE ROLE api LOGIN PASSWORD 'old'", "first")
    server.secret("role_api", "it's \\new")
    with server.running():
        assert server.sql("SELECT 1", "it's \\new", "api")
        assert not server.sql("SELECT 1", "old", "api")


def test_a_secret_for_a_role_that_is_not_there_is_said_without_it_and_stops_nothing(server: Server) -> None:
    server.secret("role_ghost", "never-in-a-log")
    server.secret("password", "second-never-in-a-log")
    with server.running():
        assert server.sql("SELECT 1", "second-never-in-a-log")
    log = server.log.read_text()
    assert 'role "ghost" does not exist' in log
    assert "never-in-a-log" not in log


def test_without_the_setting_a_failing_statement_would_be_logged_with_its_password(server: Server) -> None:
    script = server.folder / "start.sh"
    script.write_text(script.read_text().replace("-c log_min_error_statement=panic", ""))
    server.secret("role_ghost", "in-the-log")
    with server.running():
        pass
    assert "in-the-log" in server.log.read_text()


def test_arguments_reach_the_entry_point_and_an_empty_volume_is_left_to_it(tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "docker-entrypoint.sh").write_text('#!/bin/sh\necho "$@"\n')
    (bin_folder / "docker-entrypoint.sh").chmod(0o755)
    environment = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "PGDATA": str(tmp_path / "none")}
    run: Callable[..., str] = lambda *words: subprocess.run(  # noqa: E731 - two calls of one line
        ["sh", str(START), *words], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert run() == "postgres"
    assert run("postgres", "-c", "work_mem=8MB") == "postgres -c work_mem=8MB"
