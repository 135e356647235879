"""The simulated Hetzner Cloud's SSH keys, by Hetzner's own client."""

from typing import Any

from tests.samples import KEY
from tests.simulators.hetzner.client import refused


def test_an_ssh_key_is_made_read_changed_and_deleted(client: Any) -> None:
    key = client.ssh_keys.create("someone", KEY, labels={"a": "b"})
    assert key.fingerprint.count(":") == 15
    assert client.ssh_keys.get_by_id(key.id).public_key == KEY
    assert client.ssh_keys.get_by_fingerprint(key.fingerprint).id == key.id
    assert client.ssh_keys.update(key, name="other", labels={"c": "d"}).labels == {"c": "d"}
    assert client.ssh_keys.get_by_name("other").id == key.id
    assert client.ssh_keys.delete(key)
    with refused("not_found"):
        client.ssh_keys.get_by_id(key.id)


def test_a_key_that_is_none_is_refused(client: Any) -> None:
    with refused("invalid_input"):
        client.ssh_keys.create("someone", "ssh-ed25519 nonsense")
