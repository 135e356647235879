"""Hetzner's own client of the simulated Hetzner Cloud, and what tests make with it."""

from typing import Any

import pytest
import requests
from hcloud import APIException, Client
from hcloud.firewalls.domain import FirewallRule
from hcloud.images.domain import Image
from hcloud.locations.domain import Location
from hcloud.networks.domain import NetworkSubnet
from hcloud.server_types.domain import ServerType

from tests.simulators.cloud import Cloud

TOKEN = "x" * 64
OUT = FirewallRule("out", "tcp", port="443", destination_ips=["0.0.0.0/0", "::/0"])
SUBNET = NetworkSubnet("10.77.1.0/24", "cloud", "eu-central")


# The client's own annotations let every attribute be None, so what it returns is Any here.
def new_client(cloud: Cloud, token: str = TOKEN, **more: Any) -> Any:
    client = Client(token=token, api_endpoint=cloud.endpoint, poll_interval=0.05, **more)
    client._client._retry_interval_func = lambda _: 0.05
    return client


def refused(code: str | int) -> Any:
    return pytest.raises(APIException, match=rf"\({code}")


def raw(cloud: Cloud, method: str, path: str, token: str = TOKEN, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, cloud.endpoint + path, headers=headers, timeout=30, **more)


def new_server(client: Any, **more: Any) -> Any:
    made = client.servers.create(
        **{"name": "one", "server_type": ServerType(name="cx33"), "image": Image(name="debian-13"), **more}
    )
    for action in (made.action, *made.next_actions):
        action.wait_until_finished()
    made.server.reload()
    return made.server


def new_volume(client: Any, **more: Any) -> Any:
    made = client.volumes.create(**{"size": 20, "name": "data", "location": Location(name="fsn1"), **more})
    made.action.wait_until_finished()
    made.volume.reload()
    return made.volume


def new_network(client: Any, name: str = "private", ip_range: str = "10.77.0.0/16", subnet: Any = None) -> Any:
    network = client.networks.create(name, ip_range)
    network.add_subnet(subnet or SUBNET).wait_until_finished()
    network.reload()
    return network
