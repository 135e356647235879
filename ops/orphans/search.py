"""What bears the stack's mark and is not in its state."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.ssh import connection
from components.tunnel.render import ssh_host
from ops.audit.engine import Engine, Machine
from ops.audit.result import NotMeasuredError
from ops.doctor.api import Api
from ops.orphans.cloudflare import cloudflare, ended
from ops.orphans.engine import engine, half_made, remove, swarm
from ops.orphans.found import PAUSE, TRIES, Found
from ops.orphans.hetzner import attached, hetzner
from ops.orphans.state import State
from ops.orphans.told import give_up, make_anew, take_over
from settings.cloud import Cloudflare
from settings.stack import Settings
from topology.plan import plan

DONE, GONE = (200, 202, 204), (404,)
REFUSED = (400, 401, 403)
NOT_EMPTY = "10008"
"""Cloudflare's word for a bucket that holds something."""


@dataclass(frozen=True)
class Orphan:
    """``delete`` raises ``NotMeasuredError`` or ``StateError`` where it does not succeed."""

    found: Found
    delete: Callable[[], None]


@dataclass(frozen=True)
class Stack:
    """A stack in the clouds, and what Pulumi knows of it."""

    root: Path
    name: str
    settings: Settings
    zone: Cloudflare
    state: State
    hetzner: Api
    cloudflare: Api

    def orphans(self) -> Iterator[Orphan]:
        """In the order in which they can be deleted. Raises ``NotMeasuredError`` where a cloud does not say."""
        for api, rows in (
            (self.hetzner, hetzner(self.hetzner, self.name)),
            (self.cloudflare, cloudflare(self.cloudflare, self.zone, self.name, self.settings.domain)),
        ):
            yield from (Orphan(found, partial(_delete, api, found)) for found in rows if self._unknown(found))

    def attachments(self) -> Iterator[Orphan]:
        """Volumes that are on their server without Pulumi's knowing. To detach one under a running server would cost it
        its data, and the provider does not attach it twice: so it is taken over. Raises ``NotMeasuredError``."""
        for volume, name, server in attached(self.hetzner, self.name):
            if volume in self.state.loose and server in self.state.ids:
                taken = partial(take_over, self.root, self.name, volume, self.state.loose[volume])
                yield Orphan(Found("attachment, which is taken over:", volume, name), taken)

    def tunnels(self) -> Iterator[Orphan]:
        """Those that were deleted without Pulumi's knowing: by hand, or with an answer that was lost. No refresh sees
        it, and nobody can delete them twice: so Pulumi is told. Raises ``NotMeasuredError``."""
        for number, name in ended(self.cloudflare, self.zone, self.name):
            if number in self.state.tunnels:
                told = partial(give_up, self.root, self.name, number)
                yield Orphan(Found("tunnel that is gone, and is made anew:", number, name), told)

    def orphans_of_the_engines(self) -> Iterator[Orphan]:
        """The same of containers and networks, and of what a Swarm keeps. A container that was cut off half way is made
        anew: the engine's own mark of it is gone after a refresh, and no update mends it. Raises ``NotMeasuredError``
        where a server does not answer."""
        topology = plan(self.settings)
        cluster = topology.cluster
        for machine in [each.name for each in cluster.machines] if cluster else [""]:
            docker = self._engine(machine, topology.hosts)
            rows = docker.containers()
            yield from self._removed(docker, engine(docker, rows, self.name))
            for found, urn in half_made(rows, self.state.containers):
                yield Orphan(found, partial(make_anew, self.root, self.name, urn))
        if cluster:
            manager = self._engine(cluster.through, topology.hosts)
            yield from self._removed(manager, swarm(manager, self.name))

    def _removed(self, docker: Engine, rows: Iterator[Found]) -> Iterator[Orphan]:
        yield from (Orphan(row, partial(remove, docker, row)) for row in rows if self._unknown(row))

    def _unknown(self, found: Found) -> bool:
        return found.id not in self.state.ids

    def _engine(self, machine: str, taken: tuple[str, ...]) -> Engine:
        name = ssh_host(self.name, self.settings.domain, self.settings.tunnel.ssh_host, taken, machine)
        host_key = self.state.keys.get("-".join(filter(None, ("host", machine, "key"))), "")
        return Engine(Machine(tuple(connection(name, host_key))))


def _delete(api: Api, found: Found) -> None:
    """A server takes its time to go, and what it has can't be deleted before. So it is asked again until it is gone."""
    for _ in range(TRIES):
        answer = api.delete(found.path)
        if answer.status in (GONE if found.kind == "server" else DONE + GONE):
            return
        if answer.status in REFUSED or answer.code == NOT_EMPTY:
            break
        time.sleep(PAUSE)
    raise NotMeasuredError(f"{found.kind} {found.name}: {answer.said}")
