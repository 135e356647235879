"""The simulated Hetzner Cloud as a whole, by Hetzner's own client: tokens, limits, faults, history and file."""

from pathlib import Path
from typing import Any

import pytest
import requests
from hcloud.firewalls.domain import FirewallRule

from simulators.hetzner.app import api
from tests.samples import KEY
from tests.simulators.cloud import Cloud, running
from tests.simulators.hetzner.client import OUT, new_client, raw, refused

IN = FirewallRule("in", "tcp", port="22", source_ips=["0.0.0.0/0"])


def test_tokens_are_64_characters_and_may_be_for_reading_only(cloud: Cloud) -> None:
    with refused("unauthorized"):
        new_client(cloud, "short").servers.get_all()
    reader = new_client(cloud, "readonly".ljust(64, "x"))
    assert reader.servers.get_all() == []
    with refused("token_readonly"):
        reader.firewalls.create("wall")


def test_too_many_calls_are_refused_until_some_time_has_passed() -> None:
    with running(api(calls=3)) as cloud:
        assert [raw(cloud, "GET", "/servers").headers["RateLimit-Remaining"] for _ in range(3)] == ["2", "1", "0"]
        done = raw(cloud, "GET", "/servers")
        assert (done.status_code, done.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        assert done.headers["RateLimit-Limit"] == "3"
        cloud.advance(1200)
        assert raw(cloud, "GET", "/servers").status_code == 200


def test_a_client_tries_again_after_a_rate_limit(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="rate_limit", method="POST", path="/firewalls", times=2, seconds=7)
    assert raw(cloud, "POST", "/firewalls").headers["Retry-After"] == "7"
    assert client.firewalls.create("wall").firewall.name == "wall"
    assert cloud.faults() == []


def test_a_server_error_changes_nothing(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="server_error", method="POST", path="/firewalls")
    with refused("server_error"):
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
    with refused("uniqueness_error"):
        client.ssh_keys.create("someone", KEY)


def test_a_fault_strikes_the_nth_call_only(cloud: Cloud, client: Any) -> None:
    cloud.fault(kind="server_error", path="/firewalls/*", nth=2)
    wall = client.firewalls.create("wall").firewall
    client.firewalls.get_by_id(wall.id)
    with refused("server_error"):
        client.firewalls.get_by_id(wall.id)
    client.firewalls.get_by_id(wall.id)
    assert [call["fault"] for call in cloud.history()["calls"]] == [None, None, "server_error", None]


def test_the_history_keeps_an_inbound_rule_that_was_there_for_a_moment(cloud: Cloud, client: Any) -> None:
    wall = client.firewalls.create("wall", rules=[OUT]).firewall
    client.firewalls.set_rules(wall, [OUT, IN])
    client.firewalls.set_rules(wall, [OUT])
    directions = [
        {rule["direction"] for kept in state["state"]["firewalls"].values() for rule in kept["rules"]}
        for state in cloud.history()["states"]
    ]
    assert directions == [set(), {"out"}, {"in", "out"}, {"out"}]


def test_a_reset_forgets_everything(cloud: Cloud, client: Any) -> None:
    client.firewalls.create("wall")
    cloud.fault(kind="server_error")
    cloud.reset()
    assert client.firewalls.get_all() == []
    assert len(cloud.history()["calls"]) == 1


def test_a_file_survives_the_simulator_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "hetzner.json"
    with running(api(file)) as first:
        wall = new_client(first).firewalls.create("wall", rules=[OUT]).firewall
    with running(api(file)) as second:
        assert new_client(second).firewalls.get_by_id(wall.id).name == "wall"
        assert new_client(second).firewalls.create("next").firewall.id > wall.id
    assert file.stat().st_mode & 0o077 == 0
