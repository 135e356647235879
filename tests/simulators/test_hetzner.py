"""The simulated Hetzner Cloud, by Hetzner's own client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hcloud import APIException, Client
from hcloud.actions.domain import Action
from hcloud.firewalls.domain import Firewall, FirewallResource, FirewallRule
from hcloud.images.domain import Image
from hcloud.locations.domain import Location
from hcloud.networks.domain import Network, NetworkSubnet
from hcloud.placement_groups.domain import PlacementGroup
from hcloud.primary_ips.domain import PrimaryIP
from hcloud.server_types.domain import ServerType
from hcloud.servers.domain import Server, ServerCreatePublicNetwork
from hcloud.ssh_keys.domain import SSHKey
from hcloud.volumes.domain import Volume

from simulators.hetzner.app import api
from tests.samples import KEY
from tests.simulators.cloud import Cloud, running

TOKEN = "x" * 64
OUT = FirewallRule("out", "tcp", port="443", destination_ips=["0.0.0.0/0", "::/0"])
SUBNET = NetworkSubnet("10.77.1.0/24", "cloud", "eu-central")
IN = FirewallRule("in", "tcp", port="22", source_ips=["0.0.0.0/0"])


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with running(api()) as served:
        yield served


@pytest.fixture
def client(cloud: Cloud) -> Any:
    return _client(cloud)


# The client's own annotations let every attribute be None, so what it returns is Any here.
def _client(cloud: Cloud, token: str = TOKEN, **more: Any) -> Any:
    client = Client(token=token, api_endpoint=cloud.endpoint, poll_interval=0.05, **more)
    client._client._retry_interval_func = lambda _: 0.05
    return client


def _refused(code: str | int) -> Any:
    return pytest.raises(APIException, match=rf"\({code}")


def _server(client: Any, **more: Any) -> Any:
    made = client.servers.create(
        **{"name": "one", "server_type": ServerType(name="cx33"), "image": Image(name="debian-13"), **more}
    )
    for action in (made.action, *made.next_actions):
        action.wait_until_finished()
    made.server.reload()
    return made.server


def _volume(client: Any, **more: Any) -> Any:
    made = client.volumes.create(**{"size": 20, "name": "data", "location": Location(name="fsn1"), **more})
    made.action.wait_until_finished()
    made.volume.reload()
    return made.volume


def _network(client: Any, name: str = "private", ip_range: str = "10.77.0.0/16", subnet: Any = None) -> Any:
    network = client.networks.create(name, ip_range)
    network.add_subnet(subnet or SUBNET).wait_until_finished()
    network.reload()
    return network


# Lives of resources


def test_an_ssh_key_is_made_read_changed_and_deleted(client: Any) -> None:
    key = client.ssh_keys.create("someone", KEY, labels={"a": "b"})
    assert key.fingerprint.count(":") == 15
    assert client.ssh_keys.get_by_id(key.id).public_key == KEY
    assert client.ssh_keys.get_by_fingerprint(key.fingerprint).id == key.id
    assert client.ssh_keys.update(key, name="other", labels={"c": "d"}).labels == {"c": "d"}
    assert client.ssh_keys.get_by_name("other").id == key.id
    assert client.ssh_keys.delete(key)
    with _refused("not_found"):
        client.ssh_keys.get_by_id(key.id)


def test_a_firewall_obeys_an_empty_list_of_rules(client: Any) -> None:
    """That old rules stay is the provider's doing: it does not make this call."""
    wall = client.firewalls.create("wall", rules=[OUT]).firewall
    assert [rule.port for rule in wall.rules] == ["443"]
    for action in client.firewalls.set_rules(wall, []):
        action.wait_until_finished()
    assert client.firewalls.get_by_id(wall.id).rules == []
    assert client.firewalls.delete(wall)
    assert client.firewalls.get_all() == []


def test_a_server_is_behind_its_firewall_from_its_first_moment_on(cloud: Cloud, client: Any) -> None:
    wall = client.firewalls.create("wall", rules=[OUT]).firewall
    server = _server(client, firewalls=[wall])
    moments = [state["state"]["servers"].get(str(server.id)) for state in cloud.history()["states"]]
    assert [moment["firewalls"] for moment in moments if moment] == [[wall.id], [wall.id]]
    assert [moment["status"] for moment in moments if moment] == ["initializing", "running"]


def test_the_history_keeps_an_inbound_rule_that_was_there_for_a_moment(cloud: Cloud, client: Any) -> None:
    wall = client.firewalls.create("wall", rules=[OUT]).firewall
    client.firewalls.set_rules(wall, [OUT, IN])
    client.firewalls.set_rules(wall, [OUT])
    directions = [
        {rule["direction"] for kept in state["state"]["firewalls"].values() for rule in kept["rules"]}
        for state in cloud.history()["states"]
    ]
    assert directions == [set(), {"out"}, {"in", "out"}, {"out"}]


def test_a_server_lives_through_power_type_and_deletion(client: Any) -> None:
    server = _server(client, location=Location(name="nbg1"), labels={"a": "b"})
    assert (server.status, server.location.name, server.server_type.name) == ("running", "nbg1", "cx33")
    assert server.public_net.ipv4.ip
    assert server.public_net.ipv6.ip
    with _refused("server_not_stopped"):
        server.change_type(ServerType(name="cx43"), upgrade_disk=True)
    server.shutdown().wait_until_finished()
    server.change_type(ServerType(name="cx43"), upgrade_disk=True).wait_until_finished()
    server.power_on().wait_until_finished()
    server.reload()
    assert (server.status, server.server_type.name, server.primary_disk_size) == ("running", "cx43", 160)
    assert server.update(name="two").name == "two"
    server.delete().wait_until_finished()
    assert client.servers.get_all() == []


def test_a_volume_is_made_attached_grown_and_deleted(client: Any) -> None:
    volume, server = _volume(client), _server(client)
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
    server = _server(client)
    volume = _volume(client, server=server, location=None)
    server.delete().wait_until_finished()
    volume.reload()
    assert volume.server is None


def test_a_placement_group_knows_its_servers(client: Any) -> None:
    group = client.placement_groups.create("apart", "spread").placement_group
    server = _server(client, placement_group=group)
    assert client.placement_groups.get_by_id(group.id).servers == [server.id]
    assert server.placement_group.id == group.id
    assert group.delete()
    assert client.servers.get_by_id(server.id).placement_group is None


def test_an_address_outlives_the_server_that_has_it(client: Any) -> None:
    address = client.primary_ips.create(
        "ipv4", "kept", location=Location(name="fsn1"), assignee_type="server"
    ).primary_ip
    public = ServerCreatePublicNetwork(ipv4=address, enable_ipv6=True)
    server = _server(client, public_net=public)
    assert server.public_net.ipv4.ip == address.ip
    with _refused("server_not_stopped"):
        client.primary_ips.delete(address)
    with _refused("primary_ip_already_assigned"):
        _server(client, name="second", public_net=public)
    server.delete().wait_until_finished()
    address.reload()
    assert address.assignee_id is None
    assert client.primary_ips.update(address, name="other").name == "other"
    assert client.primary_ips.delete(address)


def test_a_server_takes_no_address_of_another_place(client: Any) -> None:
    far = client.primary_ips.create("ipv4", "far", location=Location(name="ash")).primary_ip
    with _refused("invalid_input"):
        _server(client, public_net=ServerCreatePublicNetwork(ipv4=far))


def test_a_network_with_its_subnet_is_made_changed_and_deleted(client: Any) -> None:
    network = client.networks.create("private", "10.77.0.0/16", labels={"a": "b"})
    network.add_subnet(SUBNET).wait_until_finished()
    network.reload()
    shown = [(part.ip_range, part.network_zone, part.gateway) for part in network.subnets]
    assert shown == [("10.77.1.0/24", "eu-central", "10.77.0.1")]
    assert network.update(name="other", labels={}).name == "other"
    network.delete_subnet(SUBNET).wait_until_finished()
    network.reload()
    assert network.subnets == []
    assert network.delete()
    with _refused("not_found"):
        network.delete_subnet(SUBNET)


def test_a_server_comes_onto_a_network_and_leaves_it(client: Any) -> None:
    network, server = _network(client), _server(client)
    server.attach_to_network(network, ip="10.77.1.9", ip_range="10.77.1.0/24").wait_until_finished()
    server.reload()
    (place,) = server.private_net
    assert (place.network.id, place.ip) == (network.id, "10.77.1.9")
    assert [each.id for each in client.networks.get_by_id(network.id).servers] == [server.id]
    server.detach_from_network(network).wait_until_finished()
    server.reload()
    assert server.private_net == []
    with _refused("not_found"):
        server.detach_from_network(network)


def test_a_server_that_asks_for_no_address_gets_a_free_one(client: Any) -> None:
    network = _network(client, ip_range="10.77.1.0/24")
    for name, address in (("one", "10.77.1.2"), ("two", "10.77.1.3")):
        server = _server(client, name=name)
        server.attach_to_network(network).wait_until_finished()
        server.reload()
        assert server.private_net[0].ip == address, "the first is the gateway's"


def test_a_deleted_server_leaves_its_network_and_a_deleted_network_its_servers(client: Any) -> None:
    network, first, second = _network(client), _server(client), _server(client, name="two")
    for server in (first, second):
        server.attach_to_network(network).wait_until_finished()
    first.delete().wait_until_finished()
    network.reload()
    assert [each.id for each in network.servers] == [second.id]
    assert network.delete()
    assert client.servers.get_by_id(second.id).private_net == []


def test_types_images_and_locations_are_found_by_name(client: Any) -> None:
    kind = client.server_types.get_by_name("cx33")
    assert (kind.cores, kind.architecture) == (4, "x86")
    assert "fsn1" in [place.location.name for place in kind.locations]
    assert client.images.get_by_name_and_architecture("debian-13", "arm").architecture == "arm"
    assert client.locations.get_by_name("hel1").network_zone == "eu-central"
    assert client.server_types.get_by_name("none") is None


# Time


def test_an_action_runs_for_a_while_before_it_succeeds(cloud: Cloud, client: Any) -> None:
    made = client.servers.create("one", ServerType(name="cx33"), Image(name="debian-13"))
    assert (made.action.status, made.server.status) == ("running", "initializing")
    assert [action.command for action in made.next_actions] == ["start_server"]
    cloud.advance(60)
    made.action.reload()
    made.server.reload()
    assert (made.action.status, made.action.progress, made.server.status) == ("success", 100, "running")


def test_actions_are_listed_by_id_as_the_provider_polls_them(cloud: Cloud, client: Any) -> None:
    made = client.servers.create("one", ServerType(name="cx33"), Image(name="debian-13"))
    wanted = [made.action.id, made.next_actions[0].id]
    listed = client._client.request("GET", "/actions", params={"id": wanted, "sort": ["status", "id"]})
    assert sorted(action["id"] for action in listed["actions"]) == sorted(wanted)


def test_a_busy_server_is_locked(cloud: Cloud, client: Any) -> None:
    made = client.servers.create("one", ServerType(name="cx33"), Image(name="debian-13"))
    with _refused("locked"):
        made.server.delete()
    cloud.advance(60)
    assert made.server.delete().command == "delete_server"


# Refusals


def test_names_and_keys_are_unique(client: Any) -> None:
    client.ssh_keys.create("someone", KEY)
    with _refused("uniqueness_error"):
        client.ssh_keys.create("another name, the same key", KEY)
    client.firewalls.create("wall")
    with _refused("uniqueness_error"):
        client.firewalls.create("wall")
    _server(client)
    with _refused("uniqueness_error"):
        _server(client)


def test_a_firewall_in_use_is_not_deleted(client: Any) -> None:
    wall = client.firewalls.create("wall", rules=[OUT]).firewall
    server = _server(client, firewalls=[wall])
    with _refused("resource_in_use"):
        client.firewalls.delete(wall)
    for action in client.firewalls.remove_from_resources(wall, [FirewallResource("server", server=server)]):
        action.wait_until_finished()
    assert client.firewalls.delete(wall)


def test_a_firewall_is_applied_later_and_once(client: Any) -> None:
    wall, server = client.firewalls.create("wall", rules=[OUT]).firewall, _server(client)
    for action in client.firewalls.apply_to_resources(wall, [FirewallResource("server", server=server)]):
        action.wait_until_finished()
    assert [applied.server.id for applied in client.firewalls.get_by_id(wall.id).applied_to] == [server.id]
    with _refused("firewall_already_applied"):
        client.firewalls.apply_to_resources(wall, [FirewallResource("server", server=server)])
    with _refused("firewall_resource_not_found"):
        client.firewalls.apply_to_resources(wall, [FirewallResource("server", server=Server(id=1))])


def test_what_is_protected_is_not_deleted(client: Any) -> None:
    volume, server = _volume(client), _server(client)
    volume.change_protection(delete=True).wait_until_finished()
    server.change_protection(delete=True, rebuild=True).wait_until_finished()
    with _refused("protected"):
        volume.delete()
    with _refused("protected"):
        server.delete()
    volume.change_protection(delete=False).wait_until_finished()
    assert volume.delete()


def test_a_volume_has_one_server_and_does_not_go_while_it_is_attached(client: Any) -> None:
    server = _server(client)
    volume = _volume(client, server=server, location=None)
    with _refused("volume_already_attached"):
        volume.attach(server)
    with _refused("invalid_input"):
        volume.delete()
    elsewhere = _volume(client, name="elsewhere", location=Location(name="hel1"))
    with _refused("invalid_input"):
        elsewhere.attach(server)


def test_a_network_is_changed_by_one_action_at_a_time(cloud: Cloud, client: Any) -> None:
    network = client.networks.create("private", "10.77.0.0/16")
    network.add_subnet(SUBNET)
    refused = _raw(cloud, "POST", f"/networks/{network.id}/actions/delete_subnet", json={"ip_range": "10.77.1.0/24"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    cloud.advance(60)
    assert network.delete_subnet(SUBNET).command == "delete_subnet"


def test_a_subnet_with_servers_and_a_protected_network_are_not_deleted(client: Any) -> None:
    network, server = _network(client), _server(client)
    server.attach_to_network(network).wait_until_finished()
    with _refused("service_error"):
        network.delete_subnet(SUBNET)
    network.change_protection(delete=True).wait_until_finished()
    with _refused("protected"):
        network.delete()


@pytest.mark.parametrize(
    "subnet",
    [
        NetworkSubnet("10.78.0.0/24", "cloud", "eu-central"),
        NetworkSubnet("10.77.1.128/25", "cloud", "eu-central"),
        NetworkSubnet("10.77.2.0/24", "cloud", "moon"),
        NetworkSubnet("10.77.2.1/24", "cloud", "eu-central"),
    ],
    ids=lambda subnet: f"{subnet.ip_range} {subnet.network_zone}",
)
def test_a_subnet_that_can_not_be_is_refused(client: Any, subnet: NetworkSubnet) -> None:
    network = _network(client)
    with _refused("invalid_input"):
        network.add_subnet(subnet)


@pytest.mark.parametrize("ip_range", ["192.0.2.0/24", "10.77.0.1/16", "nonsense"])
def test_a_network_is_of_private_addresses(client: Any, ip_range: str) -> None:
    with _refused("invalid_input"):
        client.networks.create("private", ip_range)


@pytest.mark.parametrize("ip", ["10.77.0.1", "10.77.1.0", "10.77.1.255", "10.77.2.2", "10.77.1.2"])
def test_an_address_that_is_not_free_is_refused(client: Any, ip: str) -> None:
    network = _network(client)
    _server(client).attach_to_network(network, ip="10.77.1.2").wait_until_finished()
    with _refused("ip_not_available"):
        _server(client, name="two").attach_to_network(network, ip=ip)


def test_a_server_is_on_a_network_once_in_its_zone_and_on_none_that_overlaps(client: Any) -> None:
    network, server = _network(client), _server(client)
    server.attach_to_network(network).wait_until_finished()
    with _refused("server_already_attached"):
        server.attach_to_network(network)
    with _refused("networks_overlap"):
        server.attach_to_network(_network(client, name="over"))
    far = NetworkSubnet("10.99.1.0/24", "cloud", "us-east")
    with _refused("no_subnet_available"):
        server.attach_to_network(_network(client, name="far", ip_range="10.99.0.0/16", subnet=far))


@pytest.mark.parametrize(
    "rule",
    [
        FirewallRule("out", "tcp", destination_ips=["0.0.0.0/0"]),
        FirewallRule("out", "tcp", port="99999", destination_ips=["0.0.0.0/0"]),
        FirewallRule("out", "icmp", port="1", destination_ips=["0.0.0.0/0"]),
        FirewallRule("out", "tcp", port="443", source_ips=["0.0.0.0/0"]),
        FirewallRule("in", "tcp", port="443", source_ips=["10.0.0.1/8"]),
        FirewallRule("sideways", "tcp", port="443", destination_ips=["0.0.0.0/0"]),
    ],
)
def test_a_rule_that_can_not_be_is_refused(client: Any, rule: FirewallRule) -> None:
    with _refused("invalid_input"):
        client.firewalls.create("wall", rules=[rule])


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "not a host name"},
        {"server_type": ServerType(name="cx99")},
        {"image": Image(name="plan9")},
        {"server_type": ServerType(name="cx33"), "location": Location(name="ash")},
        {"user_data": "x" * (32 * 1024 + 1)},
        {"labels": {"a label": "x"}},
    ],
    ids=str,
)
def test_a_server_that_can_not_be_is_refused(client: Any, wrong: dict[str, Any]) -> None:
    with _refused("invalid_input"):
        _server(client, **wrong)
    assert client.servers.get_all() == []


def test_what_a_server_names_has_to_be_there(client: Any) -> None:
    with _refused("not_found"):
        _server(client, ssh_keys=[SSHKey(id=1)])
    with _refused("not_found"):
        _server(client, firewalls=[Firewall(id=1)])


def test_a_field_that_is_not_simulated_is_refused_and_not_swallowed(cloud: Cloud) -> None:
    done = _raw(cloud, "POST", "/firewalls", json={"name": "wall", "colour": "red"})
    assert (done.status_code, done.json()["error"]["code"]) == (422, "invalid_input")
    assert done.json()["error"]["details"]["fields"][0]["name"] == "colour"


def test_a_key_that_is_none_is_refused(client: Any) -> None:
    with _refused("invalid_input"):
        client.ssh_keys.create("someone", "ssh-ed25519 nonsense")


def _raw(cloud: Cloud, method: str, path: str, token: str = TOKEN, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, cloud.endpoint + path, headers=headers, timeout=30, **more)


def test_tokens_are_64_characters_and_may_be_for_reading_only(cloud: Cloud) -> None:
    with _refused("unauthorized"):
        _client(cloud, "short").servers.get_all()
    reader = _client(cloud, "readonly".ljust(64, "x"))
    assert reader.servers.get_all() == []
    with _refused("token_readonly"):
        reader.firewalls.create("wall")


def test_unknown_paths_and_broken_json_are_errors_of_the_api(cloud: Cloud) -> None:
    assert _raw(cloud, "GET", "/nothing").json()["error"]["code"] == "not_found"
    assert _raw(cloud, "POST", "/firewalls", data="{").json()["error"]["code"] == "json_error"


# Lists


def test_lists_have_pages(cloud: Cloud, client: Any) -> None:
    for number in range(60):
        client.firewalls.create(f"wall-{number}")
    assert len(client.firewalls.get_all()) == 60
    page = client.firewalls.get_list(page=2, per_page=50)
    assert (len(page.firewalls), page.meta.pagination.last_page, page.meta.pagination.total_entries) == (10, 2, 60)
    assert len(client.firewalls.get_list().firewalls) == 25
    with _refused("invalid_input"):
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


# Limits and faults


def test_too_many_calls_are_refused_until_some_time_has_passed() -> None:
    with running(api(calls=3)) as cloud:
        assert [_raw(cloud, "GET", "/servers").headers["RateLimit-Remaining"] for _ in range(3)] == ["2", "1", "0"]
        refused = _raw(cloud, "GET", "/servers")
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        assert refused.headers["RateLimit-Limit"] == "3"
        cloud.advance(1200)
        assert _raw(cloud, "GET", "/servers").status_code == 200


def test_a_client_tries_again_after_a_rate_limit(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="rate_limit", method="POST", path="/firewalls", times=2, seconds=7)
    assert _raw(cloud, "POST", "/firewalls").headers["Retry-After"] == "7"
    assert client.firewalls.create("wall").firewall.name == "wall"
    assert cloud.faults() == []


def test_a_server_error_changes_nothing(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="server_error", method="POST", path="/firewalls")
    with _refused("server_error"):
        client.firewalls.create("wall")
    assert client.firewalls.get_all() == []


def test_silence_changes_nothing_and_ends_without_an_answer(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="silence", method="POST", seconds=0.1)
    with pytest.raises(requests.ConnectionError):
        client.firewalls.create("wall")
    assert client.firewalls.get_all() == []


def test_a_delay_is_a_time_out_for_a_client_that_does_not_wait(cloud: Cloud) -> None:
    cloud.fault(kind="delay", method="GET", seconds=2)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{cloud.endpoint}/servers", timeout=0.5)


def test_a_lost_response_leaves_the_change(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="lost_response", method="POST", path="/ssh_keys")
    with pytest.raises(requests.ConnectionError):
        client.ssh_keys.create("someone", KEY)
    assert [key.name for key in client.ssh_keys.get_all()] == ["someone"]
    with _refused("uniqueness_error"):
        client.ssh_keys.create("someone", KEY)


def test_a_fault_strikes_the_nth_call_only(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="server_error", path="/firewalls/*", nth=2)
    wall = client.firewalls.create("wall").firewall
    client.firewalls.get_by_id(wall.id)
    with _refused("server_error"):
        client.firewalls.get_by_id(wall.id)
    client.firewalls.get_by_id(wall.id)
    assert [call["fault"] for call in cloud.history()["calls"]] == [None, None, "server_error", None]


# The simulator itself


def test_user_data_is_kept_and_never_shown(cloud: Cloud, client: Any) -> None:
    server = _server(client, user_data="#cloud-config\nsecret")
    assert "secret" not in _raw(cloud, "GET", f"/servers/{server.id}").text
    assert cloud.state()["servers"][str(server.id)]["_user_data"] == "#cloud-config\nsecret"


def test_a_reset_forgets_everything(cloud: Cloud, client: Any) -> None:
    client.firewalls.create("wall")
    cloud.fault(kind="server_error")
    cloud.reset()
    assert client.firewalls.get_all() == []
    assert len(cloud.history()["calls"]) == 1


def test_a_file_survives_the_simulator_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "hetzner.json"
    with running(api(file)) as first:
        wall = _client(first).firewalls.create("wall", rules=[OUT]).firewall
    with running(api(file)) as second:
        assert _client(second).firewalls.get_by_id(wall.id).name == "wall"
        assert _client(second).firewalls.create("next").firewall.id > wall.id
    assert file.stat().st_mode & 0o077 == 0


# Field names, as the client's own classes have them


def _fields(model: type) -> set[str]:
    return set(model.__api_properties__)  # type: ignore[attr-defined] # every class of the client has them


ADDED = {
    "servers": {"load_balancers"},
    "images": {"deleted", "deprecated"},
    "networks": {"load_balancers"},
}
"""Fields of the API that the client's classes leave out."""


@pytest.mark.parametrize(
    ("table", "model"),
    [
        ("servers", Server),
        ("firewalls", Firewall),
        ("volumes", Volume),
        ("ssh_keys", SSHKey),
        ("placement_groups", PlacementGroup),
        ("networks", Network),
        ("primary_ips", PrimaryIP),
        ("server_types", ServerType),
        ("locations", Location),
        ("images", Image),
    ],
)
def test_an_answer_has_the_fields_that_the_client_knows(cloud: Cloud, client: Any, table: str, model: type) -> None:
    _one_of_each(client)
    row = _raw(cloud, "GET", f"/{table}").json()[table][0]
    assert set(row) - ADDED.get(table, set()) == _fields(model)


def test_an_action_has_the_fields_that_the_client_knows(cloud: Cloud, client: Any) -> None:
    made = client.volumes.create(10, "data", location=Location(name="fsn1"))
    assert set(_raw(cloud, "GET", f"/actions/{made.action.id}").json()["action"]) == _fields(Action)


def _one_of_each(client: Any) -> None:
    client.ssh_keys.create("someone", KEY)
    client.firewalls.create("wall", rules=[OUT])
    client.placement_groups.create("apart", "spread")
    client.networks.create("private", "10.77.0.0/16")
    client.primary_ips.create("ipv4", "kept", location=Location(name="fsn1"))
    _volume(client)
    _server(client)
