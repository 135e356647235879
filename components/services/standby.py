"""PostgreSQL with a standby: the one that leads, and the one that follows, each on its own machine and volume. Pure.

There are two places, the service's own machine and the standby's. Each keeps its volume whoever leads: a promotion
moves the two servers, and no data.
"""

from dataclasses import replace
from pathlib import Path

from components.spec import ContainerSpec
from components.template import templates
from settings.reference import STANDBY_PASSWORD
from settings.service import Service, Standby
from topology.nodes import standby_of

FOLDER = Path(__file__).parent / "postgres"
CONFIG = "/etc/zero-exposure/standby"
INIT = "/docker-entrypoint-initdb.d/06-standby.sql"
SECRETS = "/run/secrets"
PASSWORD = f"${{self.{STANDBY_PASSWORD}}}"
UNITS = {"k": "kB", "m": "MB", "g": "GB"}
"""Units of the stack file as PostgreSQL writes them."""
COPIES_WITHIN = "86400s"
"""How long the first copy may take: until then a failed check means nothing."""

WHO_LEADS = "who leads is said by the stack file alone"
"""Taken back, a promotion would be undone: by a machine that comes back and is not ready for its first task."""


def leading_files(service: Service) -> dict[str, str]:
    """Path → text of what the one that leads has more; nothing where there is no standby."""
    if service.standby is None:
        return {}
    kept = service.standby.keep_wal
    sql = templates(FOLDER).get_template("standby.sql.j2")
    return {
        **_own("lead.sh", "pg_hba.conf"),
        INIT: sql.render(password=PASSWORD, keep_wal=f"{kept[:-1]}{UNITS[kept[-1]]}"),
        # The preset gives the role this password at each start.
        f"{SECRETS}/role_standby": PASSWORD,
    }


def following_files() -> dict[str, str]:
    """Path → text of all that the one that follows has. The password is in libpq's own form."""
    return {**_own("follow.sh", "pg_hba.conf"), f"{SECRETS}/leader": f"*:*:*:standby:{PASSWORD}\n"}


def leader(spec: ContainerSpec, service: Service, given: Standby) -> ContainerSpec:
    """A server that leads, of what it would be without a standby."""
    own = (*(service.entrypoint or ()), *(service.command or ("postgres",)))
    waits = ("-c", "synchronous_standby_names=standby") if given.synchronous else ()
    return replace(
        spec,
        entrypoint=("sh", f"{CONFIG}/lead.sh"),
        command=(*own, "-c", f"hba_file={CONFIG}/pg_hba.conf", *waits),
        env={**spec.env, "PROMOTED": "yes" if given.leads else "no"},
        machine=given.node if given.leads else spec.machine,
        volumes_of=standby_of(spec.node) if given.leads else spec.node,
        pause_reason=WHO_LEADS,
    )


def follower(spec: ContainerSpec, service: Service, given: Standby) -> ContainerSpec:
    """A server that follows, of what a leader would be. ``spec`` has its own files and networks already."""
    leads = spec.aliases[0]
    check = service.healthcheck
    return replace(
        spec,
        entrypoint=("sh", f"{CONFIG}/follow.sh"),
        command=(),
        env={"LEADER": leads},
        machine=spec.machine if given.leads else given.node,
        volumes_of=leads if given.leads else spec.node,
        healthcheck=check.model_copy(update={"start_period": COPIES_WITHIN}) if check else None,
        aliases=(),
        patient=True,
        pause_reason=WHO_LEADS,
    )


def _own(*names: str) -> dict[str, str]:
    return {f"{CONFIG}/{name}": (FOLDER / name).read_text(encoding="utf-8") for name in names}
