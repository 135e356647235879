"""The server's resources, on mocks."""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import pulumi
import pytest

from components.host.component import Host, HostArgs
from components.host.render import OUTBOUND_TCP, OUTBOUND_UDP, RULES, files
from settings import cloud
from tests.components.host.test_render import VALUES
from tests.mocks import Recording, both_modes, run

VOLUME_KEY = "a-random-key"
TOKEN = "eyJhIjoic2VjcmV0LXRva2VuIn0="
SERVER, FIREWALL = "hcloud:index/server:Server", "hcloud:index/firewall:Firewall"
HOST_KEY = "tls:index/privateKey:PrivateKey"
VOLUME, ATTACHMENT = "hcloud:index/volume:Volume", "hcloud:index/volumeAttachment:VolumeAttachment"
PERSON = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJXq0sE3nQeTpVkYB6Y2oX0kq9v4oJm5m2VQ6mB1bW1F ada"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJXq0sE3nQeTpVkYB6Y2oX0kq9v4oJm5m2VQ6mB1bW1G bob"


def build(change: dict[str, Any] | None = None, encrypted: bool = True) -> None:
    args: dict[str, Any] = {
        "stack": "dev",
        "host": cloud.Host(),
        "operators": cloud.Operators(ssh_keys={"ada": PERSON, "bob": OTHER}),
        "pool": "10.128.0.0/9",
        "admin_token": pulumi.Output.secret(TOKEN),
    }
    if encrypted:
        args["volume_key"] = pulumi.Output.secret(VOLUME_KEY)
    host = Host("host", cast("HostArgs", args | (change or {})))
    for output in ("host_key", "ipv4", "ipv6", "server_id", "firewall_id", "volume_id"):
        pulumi.export(output, getattr(host, output))


def built(preview: bool) -> Recording:
    return run(build, preview)


@both_modes
def test_the_server_is_created_behind_a_firewall_without_an_inbound_rule(preview: bool) -> None:
    (server,), (firewall,) = built(preview).of_type(SERVER), built(preview).of_type(FIREWALL)
    assert len(server.props["firewallIds"]) == 1
    assert server.property_dependencies["firewallIds"] == (firewall.urn,)
    rules = firewall.props["rules"]
    assert {rule["direction"] for rule in rules} == {"out"}
    assert not any("sourceIps" in rule for rule in rules)


def test_provider_and_server_let_out_the_same_ports() -> None:
    (firewall,) = built(preview=False).of_type(FIREWALL)
    allowed = {(rule["protocol"], int(rule["port"])) for rule in firewall.props["rules"]}
    assert allowed == {("tcp", port) for port in OUTBOUND_TCP} | {("udp", port) for port in OUTBOUND_UDP}
    rules = next(file.text for file in files(VALUES) if file.path == RULES).partition("chain output")[2]
    on_server = {
        (protocol, int(port))
        for protocol, ports in re.findall(r"^\s*(tcp|udp) dport \{ (.*) \} accept", rules, re.MULTILINE)
        for port in ports.split(",")
    }
    assert on_server == allowed


@both_modes
def test_data_outlives_the_server(preview: bool) -> None:
    recording = built(preview)
    (volume,), (attachment,) = recording.of_type(VOLUME), recording.of_type(ATTACHMENT)
    assert (volume.protect, volume.props["deleteProtection"]) == (True, True)
    assert "serverId" not in volume.props
    assert attachment.props["automount"] is False


@both_modes
def test_only_the_volume_is_protected(preview: bool) -> None:
    assert [resource.type for resource in built(preview).resources if resource.protect] == [VOLUME]


@both_modes
def test_whether_the_volume_is_encrypted_is_part_of_what_is_protected(preview: bool) -> None:
    for encrypted, label in ((True, {"encrypted": "luks"}), (False, {})):
        recording = run(partial(build, encrypted=encrypted), preview)
        (volume,) = [item for item in recording.registrations if item.resource.type == VOLUME]
        assert volume.resource.props["labels"] == {"zero-exposure": "dev", **label}
        assert volume.replace_on_changes == ("labels.encrypted",)


def test_a_replaced_server_is_gone_before_its_successor_dials_out() -> None:
    (server,) = [item for item in built(preview=False).registrations if item.resource.type == SERVER]
    assert server.delete_before_replace
    assert server.resource.ignore_changes == ()


def inputs(change: dict[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What each kind of resource is given. Other user data replaces the server."""
    recording = run(lambda: build(change), preview=False)
    return {kind: recording.of_type(kind)[0].props for kind in (SERVER, VOLUME, HOST_KEY, FIREWALL)}


@pytest.mark.parametrize(
    "change",
    [
        {"host": cloud.Host(image="debian-12")},
        {"host": cloud.Host(reboot_time="05:00")},
        {"operators": cloud.Operators(ssh_keys={"ada": PERSON})},
        {"pool": "172.16.0.0/12"},
        {"admin_token": "another"},
    ],
    ids=["image", "reboot time", "operators", "pool", "token"],
)
def test_what_replaces_the_server_leaves_volume_and_host_key_alone(change: dict[str, Any]) -> None:
    before, after = inputs({}), inputs(change)
    assert after[SERVER]["userData"] != before[SERVER]["userData"]
    assert {kind: after[kind] for kind in (VOLUME, HOST_KEY, FIREWALL)} == {
        kind: before[kind] for kind in (VOLUME, HOST_KEY, FIREWALL)
    }


def test_size_and_type_change_in_place() -> None:
    before, after = inputs({}), inputs({"host": cloud.Host(volume_gb=40, type="cx43")})
    assert after[SERVER] == {**before[SERVER], "serverType": "cx43"}
    assert after[VOLUME] == {**before[VOLUME], "size": 40}


@both_modes
def test_nobody_is_mailed_a_root_password(preview: bool) -> None:
    (server,) = built(preview).of_type(SERVER)
    assert len(server.props["sshKeys"]) == 2


@both_modes
def test_user_data_is_a_secret_and_says_what_was_rendered(preview: bool) -> None:
    (server,) = built(preview).of_type(SERVER)
    assert "userData" in server.secrets
    assert f"Volume_{built(preview).of_type(ATTACHMENT)[0].props['volumeId']}" in server.props["userData"]
    assert TOKEN in server.props["userData"]
    assert VOLUME_KEY in server.props["userData"]


def leaks(recording: Recording, secret: str) -> list[str]:
    """Where a secret stands in clear: inputs that are not marked, and exports."""
    found = [
        f"{resource.name}.{key}"
        for resource in recording.resources
        for key, value in resource.props.items()
        if key not in resource.secrets and secret in json.dumps(value, default=str)
    ]
    return found + [name for name, value in recording.exports.items() if secret in str(value)]


@pytest.mark.parametrize("secret", [TOKEN, VOLUME_KEY, "masked-host-key"])
@both_modes
def test_no_secret_stands_in_clear(preview: bool, secret: str) -> None:
    assert leaks(built(preview), secret) == []


def test_a_secret_in_clear_would_be_found() -> None:
    def careless() -> None:
        build()
        pulumi.export("token", pulumi.Output.from_input(TOKEN))

    assert leaks(run(careless, preview=False), TOKEN) == ["token"]


@both_modes
def test_the_pinned_host_key_is_one_line(preview: bool) -> None:
    key = built(preview).exports["host_key"]
    assert key.startswith("ssh-ed25519 ")
    assert "\n" not in key
