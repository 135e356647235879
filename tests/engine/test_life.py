"""A stack's whole life on the real engine and the real providers, in simulated clouds."""

import json
from pathlib import Path

from ops.changes.cases import Edit
from ops.simulated.guard import CLOUDFLARE_TOKEN, HETZNER_TOKEN
from ops.simulated.project import copy_project
from ops.simulated.run import Simulation
from tests.engine.leaks import leaked, secrets_of
from tests.engine.marks import ENGINE
from tests.engine.world import ROOT, UNCHANGED, World, world, worlds

pytestmark = ENGINE
PROTECTED = {"volumes", "buckets", "engine_volumes"}
KEPT = {"engine_images"}
"""What outlives `destroy`: protected data, and images, which the next `up` need not pull."""
CONFIGURED = "configured & given: s3cr3t/+="
"""A secret of the stack file, with what an encoding would change."""


def test_a_first_preview_needs_no_host_and_changes_nothing(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        assert made.preview()["create"] > 50
        assert made.clouds.changes() == []
        assert made.clouds.left() == {}


def test_up_again_refresh_preview_destroy(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        assert set(made.up()) <= {"create", *UNCHANGED}
        assert len(made.clouds.left()["servers"]) == 1
        assert len(made.clouds.left()["tunnels"]) == 2
        assert set(made.up()) <= UNCHANGED
        made.registrar_signs()
        made.refresh()
        assert set(made.preview()) <= UNCHANGED
        before = made.clouds.rows()["volumes"]
        made.destroy()
        assert set(made.clouds.left()) == PROTECTED | KEPT
        assert _left_in_state(made) <= {
            "hcloud:index/volume:Volume",
            "cloudflare:index/r2Bucket:R2Bucket",
            "docker:index/volume:Volume",
            "random:index/randomPassword:RandomPassword",
        }
        made.up()
        assert made.clouds.rows()["volumes"].keys() == before.keys(), "a new server, around the same data"
        assert set(made.up()) <= UNCHANGED
        assert made.clouds.inbound() == []
        assert made.clouds.unguarded(_guarded(made)) == []


def test_while_the_registrar_has_no_record_a_refresh_shows_that_and_nothing_else(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.up()
        made.refresh()
        made.events.clear()
        made.up()
        changed = {event.resource_pre_event.metadata.urn.rpartition("::")[2] for event in made.changes()}
        assert changed == {"edge-dnssec"}


def _left_in_state(made: World) -> set[str]:
    kinds = {resource["type"] for resource in made.resources() if resource.get("custom")}
    return {kind for kind in kinds if not kind.startswith("pulumi:")}


def _guarded(made: World) -> list[str]:
    """Names that must never be there without Access: SSH, and every admin host that has a record of its own."""
    return [f"ssh-{made.simulation.stack}.{made.simulation.values()['domain']}"]


def test_a_preview_of_a_stack_that_is_there_needs_no_ssh_and_tokens_that_only_read(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.up()
        before, by_ssh = made.clouds.changes(), len(made.clouds.engine.store.calls)
        assert by_ssh > 100, "the Engine is reached by ssh, as the server's is"
    readers = {"HCLOUD_TOKEN": "readonly".ljust(64, "0"), "CLOUDFLARE_API_TOKEN": "readonly".ljust(40, "0")}
    with world(tmp_path, environment=readers) as made:
        made.preview()
        assert made.clouds.changes() == before
        assert len(made.clouds.engine.store.calls) == by_ssh, "no connection to the server"


def test_a_policy_violation_stops_up_before_anything_is_made(tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    copy_project(ROOT, changed, "dev")
    component = changed / "components/host/component.py"
    rule = 'hcloud.FirewallRuleArgs(direction="in", protocol="tcp", port="22", source_ips=["0.0.0.0/0"])'
    text = component.read_text(encoding="utf-8")
    assert "rules=rules," in text
    component.write_text(text.replace("rules=rules,", f"rules=[*rules, {rule}],"), encoding="utf-8")
    code, served = Simulation(changed, "dev", tmp_path / "simulated").run("up")
    assert code != 0
    assert served.changes() == []
    assert served.left() == {}


def test_no_secret_is_in_the_state_the_event_log_or_the_output(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.configure_secret("configured", CONFIGURED)
        made.edit(Edit(at=("services", "imgproxy", "files", "/etc/imgproxy/more.env"), to="KEY=${secrets.configured}"))
        made.up()
        made.refresh()
        made.preview()
        secrets = {*secrets_of(made), CONFIGURED, HETZNER_TOKEN, CLOUDFLARE_TOKEN}
        given = {row["_secret"] for row in made.clouds.cloudflare.store.table("tunnels").values()}
        assert given <= secrets, "the search knows what Cloudflare was given"
        assert len(secrets) > 12
        shown = made.shown()
        assert leaked(secrets, shown) == []
    assert "zero-exposure:index:Tunnel" in shown, "the search looks at what there is"
    assert [plain for plain in ("/etc/imgproxy", "IMGPROXY") if plain not in shown] == [], "and at files of containers"


def test_two_environments_side_by_side_share_nothing(tmp_path: Path) -> None:
    with worlds(tmp_path, ["dev", "prod"]) as (dev, prod):
        dev.up()
        before = _rows(dev)
        prod.up()
        assert {key: row for key, row in _rows(dev).items() if key in before} == before
        assert set(dev.up()) <= UNCHANGED
        theirs = _rows(prod).items() - before.items()
        assert len(theirs) > 50
        dev.destroy()
        assert theirs <= _rows(prod).items()
        assert set(prod.up()) <= UNCHANGED


def _rows(made: World) -> dict[tuple[str, str], str]:
    """Everything in the clouds but the zones themselves, and what only passes."""
    return {
        (table, number): json.dumps(row, sort_keys=True)
        for table, rows in made.clouds.rows().items()
        for number, row in rows.items()
    }
