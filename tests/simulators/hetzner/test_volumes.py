"""The simulated Hetzner Cloud's volumes, by Hetzner's own client."""

from typing import Any

from hcloud.locations.domain import Location

from tests.simulators.hetzner.client import new_server, new_volume, refused


def test_a_volume_is_made_attached_grown_and_deleted(client: Any) -> None:
    volume, server = new_volume(client), new_server(client)
    assert volume.status == "available"
    assert str(volume.id) in volume.linux_device
    volume.attach(server, automount=False).wait_until_finished()
    volume.reload()
    assert volume.server.id == server.id
    assert [held.id for held in client.servers.get_by_id(server.id).volumes] == [volume.id]
    volume.resize(30).wait_until_finished()
    volume.detach().wait_until_finished()
    volume.reload()
    assert (volume.size, volume.server) == (30, None)
    assert volume.delete()


def test_a_deleted_server_leaves_its_volume(client: Any) -> None:
    server = new_server(client)
    volume = new_volume(client, server=server, location=None)
    server.delete().wait_until_finished()
    volume.reload()
    assert volume.server is None


def test_a_volume_has_one_server_and_does_not_go_while_it_is_attached(client: Any) -> None:
    server = new_server(client)
    volume = new_volume(client, server=server, location=None)
    with refused("volume_already_attached"):
        volume.attach(server)
    with refused("invalid_input"):
        volume.delete()
    elsewhere = new_volume(client, name="elsewhere", location=Location(name="hel1"))
    with refused("invalid_input"):
        elsewhere.attach(server)
