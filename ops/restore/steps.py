"""What a restore does, step by step, as docker commands. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from components.backup.render import SCRIPTS, VOLUMES
from settings.stack import Settings
from topology.model import Topology
from topology.names import BACKUP
from topology.nodes import copier

Command = tuple[str, ...]
RESTORE = f"{SCRIPTS}/restore.sh"
FROM_NOTHING = "none"
"""In the place of a snapshot: keep what is there, and let backups go on."""


@dataclass(frozen=True)
class Plan:
    """A restore of some services of a stack from one snapshot each."""

    stack: str
    settings: Settings
    topology: Topology
    services: tuple[str, ...]
    snapshot: str

    def fetch(self, service: str) -> Command:
        """Brings the snapshot to the server and compares it with its list. Nothing is changed yet."""
        return self._keeper("fetch", service, self.snapshot)

    def stopped(self, service: str) -> tuple[str, ...]:
        """Nodes that are stopped meanwhile: the clients, and a service whose files change under it."""
        networks = self.topology.networks
        clients = {network.client for network in networks if network.kind == "link" and network.server == service}
        own = {service} if self.settings.services[service].backup == "files" else set[str]()
        return tuple(sorted(clients - {copier(service)} | own))

    def stop(self, service: str) -> Command:
        """Stops them, with the time that they have to end by themselves."""
        return ("stop", "--time", "30", *(f"{self.stack}-{node}" for node in self.stopped(service)))

    def start(self, service: str) -> Command:
        """Starts them again."""
        return ("start", *(f"{self.stack}-{node}" for node in self.stopped(service)))

    def put(self, service: str) -> Command:
        """Puts what was fetched in the place of what is there."""
        if self.settings.services[service].backup == "postgres":
            return ("exec", f"{self.stack}-{copier(service)}", "sh", f"{SCRIPTS}/postgres-restore.sh")
        return tuple(self._writer(service))

    def done(self) -> Command:
        """From now on the repository is this server's own, and backups go on."""
        return self._keeper("done", *self.services)

    def abandon(self) -> Command:
        """Waits for what writes still, and lets backups go on as before; fails where a database is not as it was."""
        return self._keeper("abandon", *self.services)

    def _keeper(self, *words: str) -> Command:
        return ("exec", f"{self.stack}-{BACKUP}", "sh", RESTORE, *words)

    def _writer(self, service: str) -> Iterator[str]:
        """A container for this once: the copier has the same volumes, and may only read them."""
        given = self.settings.services[service]
        yield from ("run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--memory", "256m")
        yield from ("--security-opt", "no-new-privileges:true", "--user", given.user or "0:0")
        yield from ("--volumes-from", f"{self.stack}-{copier(service)}:ro", "--env", "EXCHANGE=/var/tmp")
        for volume in sorted(given.volumes):
            yield from ("--volume", f"{self.stack}-{service}-{volume}:/restored{VOLUMES}/{volume}")
        yield from ("--env", f"VOLUMES=/restored{VOLUMES}", "--entrypoint", "sh")
        yield from (self.settings.backup.image if self.settings.backup else "", f"{SCRIPTS}/files-restore.sh")
