"""The simulated Hetzner Cloud's lists, by Hetzner's own client: pages, labels, and what is unique."""

from typing import Any

import pytest

from tests.samples import KEY
from tests.simulators.cloud import Cloud
from tests.simulators.hetzner.client import new_server, refused


def test_lists_have_pages(cloud: Cloud, client: Any) -> None:
    for number in range(60):
        client.firewalls.create(f"wall-{number}")
    assert len(client.firewalls.get_all()) == 60
    page = client.firewalls.get_list(page=2, per_page=50)
    assert (len(page.firewalls), page.meta.pagination.last_page, page.meta.pagination.total_entries) == (10, 2, 60)
    assert len(client.firewalls.get_list().firewalls) == 25
    with refused("invalid_input"):
        client.firewalls.get_list(page=0)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("stack", {"a", "b"}),
        ("!stack", {"c"}),
        ("stack=dev", {"a"}),
        ("stack!=dev", {"b", "c"}),
        ("stack==prod", {"b"}),
    ],
)
def test_lists_are_filtered_by_label(client: Any, selector: str, names: set[str]) -> None:
    client.firewalls.create("a", labels={"stack": "dev"})
    client.firewalls.create("b", labels={"stack": "prod"})
    client.firewalls.create("c")
    assert {wall.name for wall in client.firewalls.get_all(label_selector=selector)} == names


def test_names_and_keys_are_unique(client: Any) -> None:
    client.ssh_keys.create("someone", KEY)
    with refused("uniqueness_error"):
        client.ssh_keys.create("another name, the same key", KEY)
    client.firewalls.create("wall")
    with refused("uniqueness_error"):
        client.firewalls.create("wall")
    new_server(client)
    with refused("uniqueness_error"):
        new_server(client)
