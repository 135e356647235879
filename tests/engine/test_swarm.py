"""The machines of a Swarm on the real engine, in simulated clouds. That they join is said and not done: a Swarm's own
API, with services, configs and secrets, is not simulated."""

from pathlib import Path

from ops.changes.cases import Edit
from simulators.store import Row
from tests.engine.marks import ENGINE
from tests.engine.world import UNCHANGED, World, world

pytestmark = ENGINE
PROTECTED = {"volumes", "buckets"}
ZONES = {
    name: {"count": 1, "location": location, "type": "ccx13"}
    for name, location in (("near", "fsn1"), ("east", "ash"), ("west", "hil"))
}


def test_a_first_preview_of_a_swarm_needs_no_machine_and_passes_the_pack(tmp_path: Path) -> None:
    with world(tmp_path, "swarm") as made:
        made.left_out = {}
        assert made.preview()["create"] > 200
        assert made.clouds.changes() == []


def test_machines_share_a_network_and_no_hardware_and_leave_both_at_their_end(tmp_path: Path) -> None:
    with world(tmp_path, "swarm") as made:
        made.up()
        assert _spread(made) == {"manager": 3, "data": 1}
        assert len(set(_addresses(made).values())) == 4
        assert set(made.up()) <= UNCHANGED

        before = _addresses(made)
        made.edit(Edit(at=("nodes", "data", "count"), to=2))
        made.up()
        assert _spread(made) == {"manager": 3, "data": 2}
        assert before.items() <= _addresses(made).items(), "nobody moves for a newcomer"
        assert set(made.up()) <= UNCHANGED

        made.destroy()
        assert set(made.clouds.left()) == PROTECTED
        assert made.clouds.inbound() == []
        assert made.clouds.unguarded(_ssh_hosts(made)) == []


def test_machines_in_several_zones_have_no_network_but_addresses_that_the_one_wall_names(tmp_path: Path) -> None:
    with world(tmp_path, "swarm") as made:
        made.edit(Edit(at=("nodes",), to=ZONES), Edit(at=("services", "postgres", "node"), to="near-1"))
        made.up()
        assert not made.clouds.rows().get("networks")
        assert _named_by_the_wall(made) == _kept_addresses(made)
        assert len(_kept_addresses(made)) == 3
        assert made.changed_by_another_up() == {}

        made.edit(Edit(at=("nodes", "east", "count"), to=3))
        made.up()
        assert len(_kept_addresses(made)) == 5
        assert _named_by_the_wall(made) == _kept_addresses(made)
        assert made.changed_by_another_up() == {}

        made.destroy()
        assert set(made.clouds.left()) == PROTECTED
        assert made.clouds.inbound() == []


def _kept_addresses(made: World) -> set[str]:
    return {row["ip"] for row in made.clouds.rows()["primary_ips"].values()}


def _named_by_the_wall(made: World) -> set[str]:
    (wall,) = made.clouds.rows()["firewalls"].values()
    given = [address.removesuffix("/32") for rule in wall["rules"] for address in rule["destination_ips"]]
    return {address for address in given if "/" not in address}


def _servers(made: World) -> list[Row]:
    return list(made.clouds.rows()["servers"].values())


def _spread(made: World) -> dict[str, int]:
    """Servers in each placement group, by the group of machines that it is for."""
    groups = made.clouds.rows()["placement_groups"]
    members = {row["name"].split("-")[1]: row["id"] for row in groups.values()}
    return {name: [server["_group"] for server in _servers(made)].count(number) for name, number in members.items()}


def _addresses(made: World) -> dict[str, str]:
    """Server → its one address on the one network."""
    (network,) = made.clouds.rows()["networks"].values()
    places = {server["name"]: server["private_net"] for server in _servers(made)}
    assert all([place["network"] for place in own] == [network["id"]] for own in places.values())
    return {name: own[0]["ip"] for name, own in places.items()}


def _ssh_hosts(made: World) -> list[str]:
    """Every name for SSH that there ever was."""
    names = {name for state in made.clouds.cloudflare.store.states for name in state["state"]["records"]}
    found = sorted(name for name in names if name.startswith("ssh-"))
    assert len(found) == 5
    return found
