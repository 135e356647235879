"""`up` that was cut off half way, and `up` again."""

from pathlib import Path

import pytest
from pulumi.automation import CommandError

from tests.engine.marks import ENGINE
from tests.engine.storm import SMALLER
from tests.engine.test_life import KEPT, PROTECTED
from tests.engine.whole import CONTAINER, failure, never_open, not_as_asked, orphans_of
from tests.engine.world import UNCHANGED, World, world

pytestmark = ENGINE
TUNNEL = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"


@pytest.mark.parametrize("call", ["networks/*/connect", "containers/*/start"])
def test_a_container_that_was_cut_off_half_way_is_made_anew(tmp_path: Path, call: str) -> None:
    with world(tmp_path) as made:
        made.fault("engine", kind="server_error", method="POST", path=f"/v*/{call}", nth=3)
        assert failure(made)
        assert made.half_made() == [CONTAINER]
        before = _ids(made)
        made.up()
        anew = [urn for urn, number in _ids(made).items() if before.get(urn, number) != number]
        assert len([urn for urn in anew if CONTAINER in urn]) == 1
        assert set(made.up()) <= UNCHANGED
        assert not_as_asked(made) == []
        row = next(row for row in made.clouds.engine.store.table("containers").values() if row["_running"])
        row["_running"] = False
        assert not_as_asked(made) == [row["Name"]], "the check sees what does not run"


def test_a_volume_whose_attachment_was_lost_is_taken_over_and_never_detached(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        made.fault("hetzner", kind="lost_response", method="POST", path="/volumes/*/actions/attach")
        assert failure(made)
        assert failure(made)
        assert any("volume_already_attached" in line for line in made.output), (
            "the provider does not find out by itself"
        )
        assert made.look_for_orphans() == 0
        made.up()
        assert set(made.up()) <= UNCHANGED
        assert orphans_of(made) == ""
        calls = [call["path"].rpartition("/")[2] for call in made.clouds.hetzner.store.calls]
        assert (calls.count("attach"), calls.count("detach")) == (2, 0)


def test_a_container_that_is_half_made_is_made_anew_although_a_refresh_took_its_mark_away(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        made.fault("engine", kind="lost_response", method="POST", path="/v*/networks/*/connect", nth=3)
        assert failure(made)
        assert made.half_made() == [CONTAINER]
        made.refresh()
        assert made.half_made() == []
        made.up()
        (name,) = not_as_asked(made)
        made.up()
        assert not_as_asked(made) == [name], "neither the engine nor the provider finds out by itself"
        assert made.look_for_orphans() == 0
        made.up()
        assert not_as_asked(made) == []
        assert set(made.up()) <= UNCHANGED
        assert orphans_of(made) == ""


def test_a_tunnel_that_was_deleted_by_hand_is_made_anew(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        made.up()
        made.registrar_signs()
        before = set(made.ids(TUNNEL).values())
        for row in made.clouds.rows()["tunnels"].values():
            row["deleted_at"] = "2026-01-01T00:00:00Z"
        made.refresh()
        assert failure(made), "to the provider it is there"
        assert made.look_for_orphans() == 0
        made.up()
        assert set(made.up()) <= UNCHANGED
        assert not before & set(made.ids(TUNNEL).values())
        assert orphans_of(made) == ""
        assert never_open(made)


def test_a_tunnel_whose_deletion_was_not_answered_does_not_hold_the_end_up(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.edit(*SMALLER)
        made.up()
        made.fault("cloudflare", kind="lost_response", method="DELETE", path="/accounts/*/cfd_tunnel/*")
        for _ in range(2):
            with pytest.raises(CommandError):
                made.destroy()
            made.refresh()
        assert made.look_for_orphans() == 0
        made.destroy()
        assert set(made.clouds.left()) == PROTECTED | KEPT


def _ids(made: World) -> dict[str, str]:
    """URN → id of everything that has one."""
    return {each["urn"]: each["id"] for each in made.resources() if "id" in each}


def test_rate_limits_are_waited_for(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        for cloud in ("hetzner", "cloudflare"):
            made.fault(cloud, kind="rate_limit", nth=3, times=2, seconds=1)
        made.up()
        assert [call["status"] for call in made.clouds.hetzner.store.calls].count(429) == 2
        assert orphans_of(made) == ""
