"""The simulated Hetzner Cloud's placement groups, by Hetzner's own client."""

from typing import Any

from tests.simulators.hetzner.client import new_server


def test_a_placement_group_knows_its_servers(client: Any) -> None:
    group = client.placement_groups.create("apart", "spread").placement_group
    server = new_server(client, placement_group=group)
    assert client.placement_groups.get_by_id(group.id).servers == [server.id]
    assert server.placement_group.id == group.id
    assert group.delete()
    assert client.servers.get_by_id(server.id).placement_group is None
