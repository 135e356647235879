"""What the containers of backups are told, from values. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from settings.backup import R2_HOST, Backup
from settings.service import Service
from settings.stack import Settings
from topology.model import Topology
from topology.names import BACKUP, EGRESS_PORT, PROXY
from topology.nodes import copier

FOLDER = Path(__file__).parent
SCRIPTS = "/etc/zero-exposure/backup"
SECRETS = "/run/secrets"
PASSWORD, FORMER, KEYS, PGPASS = "repository", "former", "keys", "pgpass"
WORK = "/var/tmp"  # noqa: S108 - a folder that every uid may write to: a fresh volume takes that over
"""In the keeper its own volume; in a copier the one that it shares with the keeper."""
METRICS = "/tmp"  # noqa: S108 - for the same reason
EXCHANGE, VOLUMES = "/exchange", "/volumes"
PATIENCE = 6 * 3600
"""Seconds that a copy or a test may take."""


@dataclass(frozen=True)
class Repository:
    """Where snapshots go: restic's name of it, and the region that requests are signed for."""

    location: str
    region: str = ""

    @property
    def remote(self) -> bool:
        """True where keys are needed and the way leads out."""
        return bool(self.region)


def bucket(stack: str, domain: str) -> str:
    """Name of the bucket that the program makes: the account's own, so the stack and its domain are in it."""
    return f"{stack}-{domain.replace('.', '-')}-backup".lower()[:63].rstrip("-")


def repository(stack: str, settings: Settings) -> Repository:
    """The repository of a stack whose settings are right."""
    backup = settings.backup
    if backup is not None and backup.store == "s3" and backup.s3 is not None:
        return Repository(f"s3:https://{backup.s3.endpoint}/{backup.s3.bucket}", backup.s3.region)
    if backup is not None and backup.store == "r2" and settings.cloudflare is not None:
        host = f"{settings.cloudflare.account_id}.{R2_HOST}"
        return Repository(f"s3:https://{host}/{bucket(stack, settings.domain)}", "auto")
    return Repository(f"{WORK}/repository")


def scripts(part: str) -> dict[str, str]:
    """Path in the container → text, of "keeper" or "copier"."""
    return {f"{SCRIPTS}/{path.name}": path.read_text(encoding="utf-8") for path in sorted((FOLDER / part).glob("*.*"))}


def keeper_environment(
    stack: str, backup: Backup, services: tuple[str, ...], where: Repository, topology: Topology, *, watched: bool
) -> dict[str, str]:
    """Plain values for the keeper's scripts and for restic. ``watched``: somebody reads the metrics."""
    return {
        "STACK": stack,
        "SERVICES": " ".join(services),
        "BACKUP_AT": backup.at,
        "KEEP_DAILY": str(backup.keep.daily),
        "KEEP_WEEKLY": str(backup.keep.weekly),
        "KEEP_MONTHLY": str(backup.keep.monthly),
        "WORK": WORK,
        "EXCHANGE": EXCHANGE,
        "METRICS": METRICS if watched else f"{WORK}/published",
        "PATIENCE": str(PATIENCE),
        "RESTIC_REPOSITORY": where.location,
        "RESTIC_PASSWORD_FILE": f"{SECRETS}/{PASSWORD}",
        "RESTIC_CACHE_DIR": f"{WORK}/cache",
        "TMPDIR": WORK,
        **(_way_out(where, topology) if where.remote else {}),
    }


def _way_out(where: Repository, topology: Topology) -> dict[str, str]:
    proxy = topology.network(f"link-{BACKUP}-{PROXY}").host(PROXY)
    return {
        "AWS_SHARED_CREDENTIALS_FILE": f"{SECRETS}/{KEYS}",
        "AWS_DEFAULT_REGION": where.region,
        "HTTPS_PROXY": f"http://{proxy}:{EGRESS_PORT}",
    }


def copier_environment(name: str, service: Service, topology: Topology) -> dict[str, str]:
    """Plain values for the scripts of a service's copier."""
    shared = {"SERVICE": name, "EXCHANGE": WORK, "KIND": service.backup or "none", "VOLUMES": VOLUMES, "TMPDIR": WORK}
    if service.backup != "postgres":
        return shared
    server = topology.network(f"link-{copier(name)}-{name}").host(name)
    return {
        **shared,
        "PGHOST": server,
        "PGPORT": str(service.port),
        "PGUSER": "postgres",
        "PGPASSFILE": f"{SECRETS}/{PGPASS}",
        "PGCONNECT_TIMEOUT": "10",
    }


def former_file(passwords: Sequence[str]) -> str:
    """Passwords that the repository had before, oldest first, one a line."""
    return "".join(f"{password}\n" for password in passwords)


def keys_file(identity: str, secret: str) -> str:
    """The access keys in the form that S3 clients read."""
    return f"[default]\naws_access_key_id = {identity}\naws_secret_access_key = {secret}\n"
