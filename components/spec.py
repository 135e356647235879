"""Values that make one container, or all tasks of one service of a Swarm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pulumi

from components.carrier import Files
from settings.service import Healthcheck, Limits

ROOT = "0:0"
HEALTHY_WITHIN = 180
"""Seconds that `pulumi up` waits for a container's health check before it reports a failure."""
STOPS_WITHIN = 30
"""Seconds that a container has to end by itself before it is removed. Without them a database is killed."""


@dataclass(frozen=True)
class Mount:
    """A volume that another part of the stack has made, by its name."""

    volume: pulumi.Input[str]
    path: str
    read_only: bool = False
    owner: str = ""
    """On a Swarm: the node that the volume is for, where each machine makes its own."""


@dataclass(frozen=True)
class ContainerSpec:
    """Values that make one container. ``networks`` maps the topology's network names to the fixed address there;
    ``hosts`` are lines of its hosts file."""

    node: str
    role: str
    image: str
    networks: Mapping[str, IPv4Address]
    user: str | None = None
    root_reason: str | None = None
    entrypoint: Sequence[str] | None = None
    command: Sequence[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    files: Files = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    healthcheck: Healthcheck | None = None
    limits: Limits = field(default_factory=Limits)
    aliases: Sequence[str] = ()
    hosts: Mapping[str, IPv4Address] = field(default_factory=dict)
    dns: Sequence[str] | None = None
    replicas: int = 1
    """What follows is for a Swarm: how many tasks there are, and where."""
    machine: str = ""
    """The one machine that it runs on; any where it is empty."""
    placement: Mapping[str, str] = field(default_factory=dict)
    """Labels of the stack file that a machine must have."""
    apart: bool = False
    """No two tasks on one machine."""
    everywhere: bool = False
    """A task on each machine."""
    virtual: bool = False
    """One address stands for it, for clients that look its name up once."""
    volumes_of: str = ""
    """Node that its volumes are named by, where it is not its own."""
    patient: bool = False
    """It may take as long as it takes: an update does not wait for it."""
    pause_reason: str = ""
    """Why an update that fails is not taken back; it is where this is empty."""


def as_read_back(seconds: str) -> str:
    """``90s`` as the provider reads it back, ``1m30s``: written in another way it would be a change at every `up`."""
    minutes, rest = divmod(int(seconds.removesuffix("s")), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if hours or minutes else ''}{rest}s"
