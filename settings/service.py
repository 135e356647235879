"""A container of the user's: what it runs, whom it talks to, what it may use."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from settings.nodes import LABEL_KEY, LABEL_VALUE, MachineName
from settings.preset import fill_in
from settings.route import Route
from settings.values import (
    AbsolutePath,
    DomainPattern,
    EnvName,
    FileName,
    Image,
    Memory,
    Model,
    Name,
    Port,
    Seconds,
    Size,
    User,
)


class Healthcheck(Model):
    """A command inside the container; exit code 0 means healthy."""

    command: tuple[str, ...] = Field(min_length=1, description="Executed without a shell.")
    interval: Seconds = "10s"
    timeout: Seconds = "5s"
    start_period: Seconds = Field("30s", description="Failures before this age do not count.")
    retries: int = Field(3, ge=1, le=20)


class Limits(Model):
    """What a container may take of the host."""

    memory: Memory = "256m"
    cpus: float = Field(1.0, gt=0, le=64)
    pids: int = Field(200, ge=1, le=32_768, description="Processes and threads together.")


class Standby(Model):
    """A second PostgreSQL on another machine, which follows the first one: docs/scale.md."""

    node: MachineName = Field(description="Its machine, with a volume of its own there.")
    synchronous: bool = Field(
        False,
        description="true: what is acknowledged is on both machines, and while one is away nothing is. false: the "
        "last moment's rows may be lost with the machine.",
    )
    leads: bool = Field(
        False, description="true: this machine's server leads, and the service's own follows. The step of a promotion."
    )
    keep_wal: Size = Field("4g", description="What is kept for it while it is away, at most.")


def _image_or_preset(schema: dict[str, Any]) -> None:
    """JSON Schema sees the stack file before presets are filled in."""
    schema["anyOf"] = [{"required": ["image"]}, {"required": ["preset"]}]
    schema.pop("required", None)


class Service(Model):
    """One entry of ``services``. A preset fills in what is left out."""

    model_config = ConfigDict(json_schema_extra=_image_or_preset)

    preset: Literal["postgres", "redis", "queue", "grafana"] | None = Field(None, description="A ready-made service.")
    image: Image = Field(description="Pinned image. Needed unless a preset names it.")
    user: User | None = Field(None, description="Numeric uid:gid. Needed unless root_reason is given.")
    root_reason: str | None = Field(None, min_length=10, description="Why this image must start as root.")
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    port: Port | None = Field(None, description="Where it listens. Needed by whoever uses or routes to it.")
    routes: tuple[Route, ...] = Field((), description="What visitors can reach. None: internal.")
    uses: tuple[Name, ...] = Field((), description="Services that it opens connections to. Nothing else is reachable.")
    egress: tuple[DomainPattern, ...] = Field((), description="Domains that it may call, on port 443.")
    env: dict[EnvName, str] = Field(default_factory=dict, description="Plain values, never a secret.")
    files: dict[AbsolutePath, str] = Field(
        default_factory=dict,
        description="Path → text. ${postgres.url}, ${queue.password}, ${secrets.name} are filled in. "
        "The whole folder of a file is mounted read-only and hides the image's own.",
    )
    secrets: dict[FileName, str] = Field(
        default_factory=dict, description="Name → text with ${…}; becomes the file /run/secrets/NAME."
    )
    volumes: dict[Name, AbsolutePath] = Field(default_factory=dict, description="Name → path. Protected data.")
    backup: Literal["postgres", "files", "none"] | None = Field(
        None,
        description="How its volumes are backed up. postgres: a dump of each database, of one moment. files: one after "
        "another, while the service writes. none: not at all.",
    )
    tmpfs: dict[AbsolutePath, Size] = Field(default_factory=dict, description="Path → size of scratch space in memory.")
    healthcheck: Healthcheck | None = None
    limits: Limits = Limits()
    replicas: int = Field(1, ge=1, le=9)
    node: MachineName | None = Field(None, description="With nodes: the machine that its volumes are on, and so it is.")
    placement: dict[LABEL_KEY, LABEL_VALUE] = Field(
        default_factory=dict, description="With nodes: labels that a machine must have to run it."
    )
    standby: Standby | None = Field(None, description="With nodes and preset: postgres: a copy on another machine.")

    @model_validator(mode="before")
    @classmethod
    def _fill_in_preset(cls, raw: object) -> object:
        return fill_in(raw) if isinstance(raw, dict) else raw

    @model_validator(mode="after")
    def _has_a_user(self) -> Self:
        if self.user is None and self.root_reason is None:
            raise ValueError('name the user as "uid:gid", or give root_reason')
        if self.user is not None and self.user.split(":")[0] == "0" and self.root_reason is None:
            raise ValueError("user 0 is root: name another uid, or give root_reason")
        return self
