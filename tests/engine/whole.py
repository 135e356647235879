"""Whether a stack is as asked: nothing over, nothing half made, and at no moment open."""

from typing import Any

from pulumi.automation import CommandError

from simulators.store import Row
from tests.engine.world import UNCHANGED, World

CONTAINER = "docker:index/container:Container"


def is_whole(made: World) -> None:
    """As asked, after an `up` that changes nothing more."""
    assert set(made.up()) <= UNCHANGED
    assert orphans_of(made) == ""
    assert not_as_asked(made) == []
    assert never_open(made)


def never_open(made: World) -> bool:
    domain = made.simulation.values()["domain"]
    return not made.clouds.inbound() and not made.clouds.unguarded([f"ssh-dev.{domain}", f"shell.{domain}"])


def not_as_asked(made: World) -> list[str]:
    """Containers that do not run, or are not on the networks of the program and on those only."""
    rows = made.clouds.engine.store.table("containers")
    asked = {each["id"]: each["inputs"] for each in made.resources() if each["type"] == CONTAINER}
    return [rows[key]["Name"] for key, inputs in asked.items() if not _as_asked(rows[key], inputs)]


def _as_asked(row: Row, inputs: dict[str, Any]) -> bool:
    networks = {each["name"] for each in inputs.get("networksAdvanced", [])} or {inputs["networkMode"]}
    return bool(row["_running"] == inputs.get("start", True) and set(row["_networks"]) == networks)


def failure(made: World) -> str:
    """Empty where it went well."""
    try:
        made.up()
    except CommandError as error:
        return str(error)[-500:]
    return ""


def orphans_of(made: World) -> str:
    """What is in the clouds and not in the state."""
    known = {str(resource.get("id")) for resource in made.resources() if not resource.get("pendingReplacement")}
    rows = {
        str(row.get("id") or row.get("name") or row.get("Id") or row["Name"]): table
        for table, rows in made.clouds.rows().items()
        if table != "engine_images"  # the provider adds their names to their ids
        for row in rows.values()
    }
    orphans = sorted(f"{table} {number}" for number, table in rows.items() if number not in known)
    return f"orphans: {', '.join(orphans)}" if orphans else ""
