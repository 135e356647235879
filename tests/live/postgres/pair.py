"""A database and its standby as rendered: two places with a volume each, and on each the real server in either part.

The files and commands are those of the recorded services; paths lead into the test's folder. What leads listens on one
address, wherever it runs, as its name does on a Swarm.
"""

import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ops.preview.stackfile import stack_values
from tests.components.cluster.test_component import ROOT, named, swarm
from tests.live.docker.recipes import BUSYBOX
from tests.live.namespace import Namespace, give, wait_until

POSTGRES = Path("/usr/lib/postgresql/15/bin")
ENTRY_POINT = Path(__file__).parents[1] / "docker/standins/postgres.sh"
USER = "65534:65534"
"""Any user but root: the server refuses to run as root."""
SERVICE, CONFIG, SECRET = (
    f"docker:index/{kind}" for kind in ("service:Service", "serviceConfig:ServiceConfig", "secret:Secret")
)
WITHIN = 180.0
"""Seconds for a whole start, initdb or a copy among it, on a machine that others load too."""
LEADS, DATABASE = "10.0.0.1", "app"


@dataclass(frozen=True)
class Part:
    """What a recorded service runs, and with which files."""

    command: tuple[str, ...]
    env: dict[str, str]
    files: dict[str, str]


def parts(synchronous: bool, promoted: bool) -> dict[str, Part]:
    """Of the example with a standby: "postgres", which leads, and "postgres-standby", which follows."""
    services = json.loads(stack_values(ROOT, "swarm")["zero-exposure:services"])
    services["postgres"]["standby"] = {"node": "manager-2", "synchronous": synchronous, "leads": promoted}
    recording = swarm(services=json.dumps(services))
    texts = {
        each.props["name"]: base64.b64decode(each.props["data"]).decode()
        for each in (*recording.of_type(CONFIG), *recording.of_type(SECRET))
    }
    return {name: _part(named(recording, SERVICE, name).props, texts) for name in ("postgres", "postgres-standby")}


def _part(props: Any, texts: dict[str, str]) -> Part:
    container = props["taskSpec"]["containerSpec"]
    files = {entry["fileName"]: texts[entry["configName"]] for entry in container["configs"]}
    files |= {entry["fileName"]: texts[entry["secretName"]] for entry in container["secrets"]}
    return Part((*container["commands"], *container["args"]), dict(container["env"]), files)


@dataclass
class Place:
    """One machine's volume, and the server on it, if one runs there."""

    folder: Path
    namespace: Namespace
    process: "subprocess.Popen[str] | None" = None

    @property
    def volume(self) -> Path:
        return self.folder / "volume"

    @property
    def data(self) -> Path:
        return self.volume / "18/docker"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def start(self, part: Part) -> None:
        """Start the server in one of the two parts, as its container would."""
        self._write(part)
        environment = {
            **part.env,
            "LEADER": LEADS,
            "PGDATA": str(self.data),
            "POSTGRES_PASSWORD_FILE": f"{self.folder}/files/run/secrets/password",
            "PATH": f"{self.folder}/bin:{POSTGRES}:/usr/bin:/bin",
        }
        command = self.namespace.enter(*map(self._placed, part.command), user=USER)
        with (self.folder / "log").open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, text=True, cwd="/", start_new_session=True
            )

    def _placed(self, text: str) -> str:
        for path in ("/etc/zero-exposure", "/run/secrets", "/docker-entrypoint-initdb.d"):
            text = text.replace(path, f"{self.folder}/files{path}")
        own = f"exec postgres -c unix_socket_directories={self.volume}"
        text = text.replace("exec postgres", own)
        return text.replace("/var/lib/postgresql", str(self.volume))

    def _write(self, part: Part) -> None:
        self.volume.mkdir(parents=True, exist_ok=True)
        for path, text in part.files.items():
            place = self.folder / "files" / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.write_text(self._placed(text) if not path.startswith("/run/secrets") else text, encoding="utf-8")
            place.chmod(0o400)
        (self.folder / "bin").mkdir(exist_ok=True)
        for program in BUSYBOX:
            (self.folder / "bin" / program).unlink(missing_ok=True)
            (self.folder / "bin" / program).symlink_to("/bin/busybox")
        entry_point = self.folder / "bin/docker-entrypoint.sh"
        entry_point.write_text(
            self._placed(ENTRY_POINT.read_text(encoding="utf-8"))
            .replace("listen_addresses=*", f"listen_addresses={LEADS}")
            .replace("-c listen_addresses=''", f"-c listen_addresses='' -c unix_socket_directories={self.volume}")
            .replace("#!/bin/sh\n", f"#!/bin/sh\nexport PGHOST={self.volume}\n"),
            encoding="utf-8",
        )
        entry_point.chmod(0o755)
        for folder in (self.volume, self.folder / "files"):
            give(folder, USER)

    def cut_power(self) -> None:
        """Every process is gone, from one moment to the next."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(120)
        self.process = None

    def stop(self) -> None:
        """Stop it as the Engine does the image: PostgreSQL's fast way."""
        if self.process:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(120)
        self.process = None

    def controldata(self, what: str) -> str:
        """A line of what pg_controldata says."""
        said = subprocess.run(
            [POSTGRES / "pg_controldata", self.data], capture_output=True, text=True, check=True
        ).stdout
        return next(line.partition(":")[2].strip() for line in said.splitlines() if line.startswith(what))


@dataclass
class Pair:
    """Both places."""

    namespace: Namespace
    home: Place
    other: Place
    synchronous: bool = True
    promoted: bool = False
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Part]:
        return parts(self.synchronous, self.promoted)

    def lead(self, place: Place) -> None:
        """Start the server that leads, and wait until it answers."""
        self.passwords["postgres"] = self.parts["postgres"].files["/run/secrets/password"]
        place.start(self.parts["postgres"])
        wait_until(lambda: self.sql("SELECT NOT pg_is_in_recovery()") == "t", place.folder / "log", WITHIN)

    def follow(self, place: Place) -> None:
        """Start the server that follows."""
        place.start(self.parts["postgres-standby"])

    def followed(self) -> bool:
        """Whether the one that leads has a standby that has all that there is."""
        return self.sql("SELECT state FROM pg_stat_replication WHERE application_name = 'standby'") == "streaming"

    def wait_until_followed(self, place: Place) -> None:
        wait_until(self.followed, place.folder / "log", WITHIN)

    def sql(self, text: str, within: float = 20.0, role: str = "postgres", database: str = DATABASE) -> str:
        """What the one that leads answers; nothing where it does not, or takes longer than so many seconds. The client
        gives up, and not the server: a wait for a standby that is cancelled there counts as done."""
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", LEADS, "-U", role, "-d", database, "-c", text]
        environment = {**os.environ, "PGPASSWORD": self.passwords[role], "PGCONNECT_TIMEOUT": "5"}
        try:
            done = subprocess.run(
                self.namespace.enter(*command),
                env=environment,
                capture_output=True,
                text=True,
                timeout=within,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    def make_table(self) -> None:
        """Where numbers are kept, and what keeps one."""
        self.sql(
            "CREATE TABLE numbers (number int PRIMARY KEY);"
            "CREATE FUNCTION keep(int) RETURNS int LANGUAGE sql AS 'INSERT INTO numbers VALUES ($1) RETURNING number'"
        )

    def insert(self, number: int) -> bool:
        """Whether a row is acknowledged."""
        return self.sql(f"SELECT keep({number})") == str(number)

    def numbers(self) -> set[int]:
        return {int(line) for line in self.sql("SELECT number FROM numbers").split()}


@contextmanager
def pair() -> Iterator[Pair]:
    """Two empty places. Every process is gone afterwards, and so are the places.

    Not in pytest's own folders, which another run that begins closes to other users.
    """
    with TemporaryDirectory(prefix="ze-pair-") as name, ExitStack() as stack:
        Path(name).chmod(0o755)
        namespace = Namespace([f"{LEADS}/32"])
        stack.callback(namespace.close)
        found = Pair(namespace, Place(Path(name) / "home", namespace), Place(Path(name) / "other", namespace))
        for each in (found.home, found.other):
            each.folder.mkdir()
            stack.callback(each.cut_power)
        yield found
