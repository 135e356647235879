"""docs/changes.md is what the real engine plans, and no change of the stack file touches the data."""

from pathlib import Path

import pytest
from pulumi.automation import CommandError

from ops.changes.__main__ import main
from ops.changes.cases import Edit, load
from ops.changes.plans import plans
from ops.changes.table import key, row
from tests.engine.marks import ENGINE
from tests.engine.world import ROOT, world

pytestmark = ENGINE
SAMPLE = {
    "host.location", "host.type", "host.volume_gb", "operators.ssh_keys.*", "edge.min_tls", "edge.former_names[]",
    "gateway.rate", "services.*.image", "services.*.healthcheck.interval", "services.*.limits.memory",
    "services.*.tmpfs.*", "services.*.volumes.* renamed",
}  # fmt: skip
"""One of each kind of effect, and those that the real engine once planned otherwise."""


def test_a_sample_of_the_documentation_is_what_the_engine_plans() -> None:
    cases = load()
    wanted = [case for case in cases.every if key(case) in SAMPLE]
    assert len(wanted) == len(SAMPLE)
    text = (ROOT / "docs" / "changes.md").read_text(encoding="utf-8")
    planned = {key(case): effect for case, effect in plans(ROOT, cases, wanted)}
    assert [row(case, planned) for case in wanted if row(case, planned) not in text.splitlines()] == []
    assert [urn for effect in planned.values() for urn in effect.lost_data()] == []


@pytest.mark.exhaustive
def test_the_whole_documentation_is_what_the_engine_plans() -> None:
    assert main(["--check"]) == 0


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(at=("host", "location"), to="nbg1")],
        [Edit(at=("host", "volume_gb"), to=10)],
        [Edit(at=("host", "encrypted"), to=False)],
    ],
    ids=["moved", "smaller", "no longer encrypted"],
)
def test_an_update_that_would_cost_the_volume_fails_and_the_volume_is_there(tmp_path: Path, edits: list[Edit]) -> None:
    with world(tmp_path) as made:
        made.up()
        before = made.clouds.rows()
        made.edit(*edits)
        with pytest.raises(CommandError):
            made.up()
        after = made.clouds.rows()
        assert after["volumes"].keys() == before["volumes"].keys()
        assert {key: volume["size"] for key, volume in after["volumes"].items()} == {
            key: volume["size"] for key, volume in before["volumes"].items()
        }
        assert after["servers"].keys() == before["servers"].keys(), "the server is left alone too"
