"""Backups as rendered: the scripts in processes of their own, a real PostgreSQL, real restic, the real proxy, and an S3
server behind it."""

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.backup.component import USER
from components.backup.render import (
    EXCHANGE,
    FORMER,
    KEYS,
    METRICS,
    PASSWORD,
    PGPASS,
    SCRIPTS,
    SECRETS,
    VOLUMES,
    WORK,
    copier_environment,
    former_file,
    keeper_environment,
    keys_file,
    repository,
    scripts,
)
from settings.stack import Settings
from tests.live.certificates import signed
from tests.live.docker.recipes import BUSYBOX
from tests.live.egress.stand import FIRST, proxy, start
from tests.live.egress.stand import Stand as Proxy
from tests.live.namespace import ROOT, Namespace, give, stop
from tests.samples import cloud_stack, service, settings
from topology.model import Topology
from topology.nodes import copier
from topology.plan import plan

POSTGRES = Path("/usr/lib/postgresql/15/bin")
WITHIN = 180.0
"""Seconds that a whole backup may take on a machine that others load too."""
SOMEBODY = ("--header", "Authorization: AWS4-HMAC-SHA256 Credential=identity/20260101/auto/s3/aws4_request")
"""The server asks who it is before it gives an object, and looks at no signature."""
DATABASE_PASSWORD, REPOSITORY_PASSWORD, KEY = "database-password", "repository-password", "the-access-key"


def stack() -> dict[str, Any]:
    """A database and a service with files, kept at R2."""
    raw = cloud_stack(secrets={"key_id": "identity", "key": KEY}, backup={"keys": {"id": "key_id", "secret": "key"}})
    raw["services"]["notes"] = service(volumes={"data": "/data"}, backup="files")
    return raw


@dataclass
class Server:
    """One machine: its database, its files, its containers' volumes. Several may share a repository."""

    folder: Path
    namespace: Namespace
    settings: Settings
    topology: Topology
    trusted: Path
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)
    services: tuple[str, ...] = ("notes", "postgres")

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o755)
        self._write("keeper", {PASSWORD: REPOSITORY_PASSWORD, KEYS: keys_file("identity", KEY)}, USER)
        self._folder("work", USER)
        self._folder("metrics", USER)
        for name in self.services:
            self._write(name, {PGPASS: f"*:*:*:*:{DATABASE_PASSWORD}\n"}, owner())
            self._folder(f"exchange/{name}", owner(), 0o1777)
        self._folder("volumes/data", owner())
        (self.folder / "busybox").mkdir()
        for program in BUSYBOX:
            (self.folder / "busybox" / program).symlink_to("/bin/busybox")

    def _write(self, part: str, secrets: Mapping[str, str], user: str) -> None:
        own = scripts("keeper" if part == "keeper" else "copier")
        for path, text in {**own, **{f"{SECRETS}/{name}": text for name, text in secrets.items()}}.items():
            place = self.folder / "files" / part / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
            place.chmod(0o400)
        give(self.folder / "files" / part, user)

    def give_passwords(self, password: str, *former: str) -> None:
        """The keeper with another password, and those before it."""
        secrets = {PASSWORD: password, KEYS: keys_file("identity", KEY)}
        self._write("keeper", secrets | ({FORMER: former_file(former)} if former else {}), USER)

    def _folder(self, name: str, user: str, mode: int = 0o755) -> None:
        (self.folder / name).mkdir(parents=True)
        give(self.folder / name, user)
        (self.folder / name).chmod(mode)

    def keeper(self) -> dict[str, str]:
        """The keeper's environment, as rendered, at this machine's places."""
        found = keeper_environment(
            "dev", _given(self.settings), self.services, repository("dev", self.settings), self.topology, watched=True
        )
        places = {
            SECRETS: f"{self.folder}/files/keeper{SECRETS}",
            EXCHANGE: f"{self.folder}/exchange",
            METRICS: f"{self.folder}/metrics",
            WORK: f"{self.folder}/work",
        }
        return {**_placed(found, places), "SSL_CERT_FILE": str(self.trusted), "PATH": self._path("keeper")}

    def copier(self, name: str) -> dict[str, str]:
        """The environment of a service's copier."""
        found = copier_environment(name, self.settings.services[name], self.topology)
        places = {
            SECRETS: f"{self.folder}/files/{name}{SECRETS}",
            WORK: f"{self.folder}/exchange/{name}",
            VOLUMES: f"{self.folder}/volumes",
        }
        return {**_placed(found, places), "PATH": self._path(name)}

    def _path(self, part: str) -> str:
        """The images' shell and tools are busybox."""
        return f"{self.folder}/wrapped/{part}:{self.folder}/busybox:{POSTGRES}:{os.environ['PATH']}"

    def run(self, part: str, script: str, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run one of the scripts to its end, as its container would."""
        return subprocess.run(self._command(part, script, *arguments), env=self._environment(part) | more,
                              capture_output=True, text=True, timeout=WITHIN, check=False)  # fmt: skip

    def spawn(self, part: str, script: str, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start one of the scripts; it is stopped with the machine."""
        log = (self.folder / f"{part}.log").open("a", encoding="utf-8")
        process = subprocess.Popen(self._command(part, script, *arguments), env=self._environment(part) | more,
                                   stdout=log, stderr=log, text=True, start_new_session=True)  # fmt: skip
        self.processes.append(process)
        return process

    def _environment(self, part: str) -> dict[str, str]:
        return self.keeper() if part == "keeper" else self.copier(part)

    def _command(self, part: str, script: str, *arguments: str) -> list[str]:
        place = f"{self.folder}/files/{part}{SCRIPTS}/{script}"
        return self.namespace.enter("sh", place, *arguments, user=USER if part == "keeper" else owner())

    def restic(self, *arguments: str) -> str:
        """What restic itself says, with the keeper's environment."""
        command = self.namespace.enter("restic", "--option", "s3.bucket-lookup=path", *arguments, user=USER)
        done = subprocess.run(command, env=self.keeper(), capture_output=True, text=True, timeout=WITHIN, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tested(self) -> None:
        """As if the weekly test had just been."""
        for name in (*self.services, "repository"):
            path = self.folder / "work" / f"tested-{name}"
            path.write_text(f"{int(time.time())}\n", encoding="ascii")
            give(path, USER)

    def snapshots(self, name: str) -> list[dict[str, Any]]:
        """A service's snapshots, oldest first."""
        return list(json.loads(self.restic("snapshots", "--json", "--no-lock", "--tag", name)))

    def start_database(self) -> None:
        """A new, empty cluster, where the topology has it."""
        data, password = self.folder / "database", self.folder / "superuser"
        password.write_text(DATABASE_PASSWORD, encoding="utf-8")
        give(password, owner())
        self._folder("database", owner(), 0o700)
        made = [POSTGRES / "initdb", f"--pgdata={data}", "--username=postgres", f"--pwfile={password}", "--no-sync",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]  # fmt: skip
        self._as_owner(*map(str, made))
        (data / "pg_hba.conf").write_text("host all all all scram-sha-256\n", encoding="ascii")
        self.run_database()

    def run_database(self) -> None:
        """Start the cluster that is there."""
        data = self.folder / "database"
        options = ["-c", f"listen_addresses={self.database}", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        command = self.namespace.enter(str(POSTGRES / "postgres"), "-D", str(data), *options, user=owner())
        log = (self.folder / "database.log").open("w", encoding="utf-8")
        self.processes.insert(0, subprocess.Popen(command, stdout=log, stderr=log, text=True))
        ready = [str(POSTGRES / "pg_isready"), "-q", "-h", self.database, "-t", "30"]
        for _ in range(300):
            if self.namespace.run(*ready).returncode == 0:
                return
        raise TimeoutError((self.folder / "database.log").read_text(encoding="utf-8"))

    @property
    def database(self) -> str:
        """The database's address on the link to its copier."""
        return str(self.topology.network(f"link-{copier('postgres')}-postgres").members["postgres"])

    def sql(self, text: str, database: str = "app", role: str = "postgres", password: str = DATABASE_PASSWORD) -> str:
        """What the database answers."""
        command = self.namespace.enter("psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-h", self.database, "-U", role)
        environment = {**os.environ, "PGPASSWORD": password, "PGDATABASE": database}
        done = subprocess.run(
            command, input=text, env=environment, capture_output=True, text=True, timeout=WITHIN, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start_copiers(self) -> None:
        """Every service's copier, waiting for orders. The one that copies files finds them below its own folder."""
        for name in self.services:
            self.spawn(name, "serve.sh")

    def stop_database(self) -> None:
        """End the database, as a crash would."""
        stop(self.processes[0])

    def wrap(self, name: str, program: str, text: str) -> None:
        """Put a program in front of a real one, for what a container runs from now on. ``$real`` is the real one."""
        place = self.folder / "wrapped" / name
        place.mkdir(parents=True, exist_ok=True)
        script = place / program
        real = shutil.which(program, path=f"{POSTGRES}:{os.environ['PATH']}")
        script.write_text(f"#!/bin/sh\nreal={real}\n{text}\n", encoding="utf-8")
        script.chmod(0o755)

    def forget_cache(self) -> None:
        """As on a new machine."""
        shutil.rmtree(self.folder / "work/cache")

    def logs(self) -> str:
        """What the containers have said."""
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("*.log")))

    def user(self, _name: str) -> str:
        """uid:gid of a service."""
        return owner()

    def metrics(self) -> dict[str, float]:
        """Every published metric with its labels."""
        text = (self.folder / "metrics/backup.prom").read_text(encoding="utf-8")
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name.removeprefix("zero_exposure_"): float(value) for name, _, value in lines}

    def _as_owner(self, *command: str) -> None:
        done = subprocess.run(self.namespace.enter(*command, user=owner()), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def end(self) -> None:
        """Stop every process, and forget all that was on this machine."""
        for process in self.processes:
            stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Stand:
    """The bucket, the way to it, and as many machines as a test needs."""

    proxy: Proxy
    settings: Settings
    cleanup: ExitStack

    @contextmanager
    def fresh(self) -> Iterator["Stand"]:
        """An empty bucket, and no machine. Those that are made are gone afterwards."""
        self.s3("--request", "POST", f"https://{endpoint(self.settings)}/moto-api/reset")
        self.s3("--request", "PUT", self.bucket)
        with ExitStack() as self.cleanup:
            yield self

    def server(self, name: str) -> Server:
        """A machine with an empty database."""
        made = Server(
            self.proxy.folder / name,
            self.proxy.namespace,
            self.settings,
            plan(self.settings),
            self.proxy.authority.certificate,
        )
        self.cleanup.callback(made.end)
        made.start_database()
        made.start_copiers()
        return made

    def objects(self, prefix: str) -> list[str]:
        """Keys of the bucket's objects."""
        listed = self.s3(*SOMEBODY, f"{self.bucket}?list-type=2&prefix={prefix}")
        return re.findall(r"<Key>([^<]+)</Key>", listed)

    def damage(self, key: str) -> None:
        """Change one byte in the middle of an object, and not its length."""
        path = self.proxy.folder / "object"
        self.s3(*SOMEBODY, "--output", str(path), f"{self.bucket}/{key}")
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        self.s3(*SOMEBODY, "--upload-file", str(path), f"{self.bucket}/{key}")

    @property
    def bucket(self) -> str:
        """Its URL."""
        return repository("dev", self.settings).location.removeprefix("s3:")

    def s3(self, *arguments: str) -> str:
        """A call past the proxy, of somebody who owns the bucket."""
        host = endpoint(self.settings)
        trust = ("--cacert", str(self.proxy.authority.certificate), "--resolve", f"{host}:443:{FIRST}")
        done = self.proxy.namespace.run("curl", "--silent", "--show-error", "--fail", *trust, *arguments)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout


def endpoint(found: Settings) -> str:
    """Host that the repository is at."""
    return repository("dev", found).location.split("/")[2]


@contextmanager
def running() -> Iterator[Stand]:
    """An S3 server behind the real proxy."""
    found = settings(stack())
    host = endpoint(found)
    database = str(plan(found).network(f"link-{copier('postgres')}-postgres").members["postgres"])
    with proxy(found, {host: (FIRST,)}, [database], {}) as space, ExitStack() as cleanup:
        shown = signed(space.folder, space.authority, host)
        # Without the variable it takes the first part of a host for the bucket.
        program = ["env", "S3_IGNORE_SUBDOMAIN_BUCKETNAME=true", str(Path(sys.executable).with_name("moto_server"))]
        command = [*program, "-H", FIRST, "-p", "443", "-c", str(shown.certificate), "-k", str(shown.key)]
        start("s3", command, "Running on", space.folder, space.namespace, cleanup)
        _call_from_links(space)
        yield Stand(space, found, ExitStack())


def _call_from_links(space: Proxy) -> None:
    """restic cannot be told which address to call from; on a link of its own it would have but one."""
    for client in space.values.clients:
        route = ["local", f"{client.proxy}", "dev", "lo", "table", "local", "src", f"{client.address}"]
        assert space.namespace.run("ip", "route", "replace", *route).returncode == 0


def owner() -> str:
    """uid:gid of the database and of copiers. initdb wants a user that has a name."""
    if not ROOT:
        return f"{os.getuid()}:{os.getgid()}"
    found = pwd.getpwnam("postgres")
    return f"{found.pw_uid}:{found.pw_gid}"


def _given(found: Settings) -> Any:
    return found.backup


def _placed(environment: Mapping[str, str], places: Mapping[str, str]) -> dict[str, str]:
    """The same values with the container's folders replaced by this machine's."""
    found = dict(environment)
    for key, value in environment.items():
        for inside, outside in places.items():
            if value == inside or value.startswith(f"{inside}/"):
                found[key] = outside + value.removeprefix(inside)
    return found
