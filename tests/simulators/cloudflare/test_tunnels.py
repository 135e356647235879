"""The simulated Cloudflare's tunnels, by Cloudflare's own client."""

import base64
import json
from typing import Any

import cloudflare
import pytest

from tests.simulators.cloud import Cloud
from tests.simulators.cloudflare.client import ACCOUNT, SECRET, new_tunnel, raw, refused

SSH = {"hostname": "ssh.example.org", "service": "ssh://127.0.0.1:22"}
REST = {"service": "http_status:404"}


def test_a_tunnel_is_made_configured_and_deleted(client: Any) -> None:
    tunnels, tunnel = client.zero_trust.tunnels.cloudflared, new_tunnel(client)
    assert (tunnel.status, tunnel.remote_config) == ("inactive", True)
    given = tunnels.configurations.update(tunnel.id, account_id=ACCOUNT, config={"ingress": [SSH, REST]})
    assert (given.version, given.config.ingress[0].service) == (1, "ssh://127.0.0.1:22")
    assert tunnels.configurations.get(tunnel.id, account_id=ACCOUNT).config.ingress[1].service == "http_status:404"
    assert tunnels.edit(tunnel.id, account_id=ACCOUNT, name="other").name == "other"
    assert tunnels.delete(tunnel.id, account_id=ACCOUNT).deleted_at
    assert list(tunnels.list(account_id=ACCOUNT, is_deleted=False)) == []


def test_a_connectors_token_is_made_of_account_tunnel_and_secret(client: Any) -> None:
    tunnel = new_tunnel(client)
    token = client.zero_trust.tunnels.cloudflared.token.get(tunnel.id, account_id=ACCOUNT)
    assert json.loads(base64.b64decode(token)) == {"a": ACCOUNT, "t": tunnel.id, "s": SECRET}


def test_a_tunnels_secret_is_never_shown(cloud: Cloud, client: Any) -> None:
    tunnel = new_tunnel(client)
    assert SECRET not in raw(cloud, "GET", f"/accounts/{ACCOUNT}/cfd_tunnel/{tunnel.id}").text
    assert cloud.state()["tunnels"][tunnel.id]["_secret"] == SECRET


def test_names_of_tunnels_are_unique_until_they_are_deleted(client: Any) -> None:
    tunnel = new_tunnel(client)
    with refused(1013, cloudflare.ConflictError):
        new_tunnel(client)
    client.zero_trust.tunnels.cloudflared.delete(tunnel.id, account_id=ACCOUNT)
    assert new_tunnel(client).id != tunnel.id


def test_a_connected_tunnel_is_not_deleted(cloud: Cloud, client: Any) -> None:
    tunnels, tunnel = client.zero_trust.tunnels.cloudflared, new_tunnel(client)
    cloud.change("tunnels", tunnel.id, status="healthy", connections=[{"id": "1", "client_id": "c", "colo_name": "X"}])
    assert tunnels.get(tunnel.id, account_id=ACCOUNT).connections[0].colo_name == "X"
    with refused(1022):
        tunnels.delete(tunnel.id, account_id=ACCOUNT)
    tunnels.connections.delete(tunnel.id, account_id=ACCOUNT)
    assert tunnels.delete(tunnel.id, account_id=ACCOUNT).deleted_at


@pytest.mark.parametrize("ingress", [[SSH], [REST, SSH, REST]], ids=["no catch-all", "catch-all in the middle"])
def test_an_ingress_that_can_not_be_is_refused(client: Any, ingress: list[Any]) -> None:
    tunnel = new_tunnel(client)
    with refused(1056):
        client.zero_trust.tunnels.cloudflared.configurations.update(
            tunnel.id, account_id=ACCOUNT, config={"ingress": ingress}
        )


def test_a_short_tunnel_secret_is_refused(cloud: Cloud) -> None:
    done = raw(cloud, "POST", f"/accounts/{ACCOUNT}/cfd_tunnel", json={"name": "app", "tunnel_secret": "c2hvcnQ="})
    assert done.status_code == 400
    assert "shorter than 32 bytes" in done.text
