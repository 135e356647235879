"""A simulated run stays on this machine."""

from pathlib import Path

import pytest

from ops.simulated.guard import NotLoopbackError, check, environment

HERE, THERE = "http://127.0.0.1:4711/v1", "https://api.hetzner.cloud/v1"


@pytest.mark.parametrize("endpoint", [HERE, "http://127.0.0.2:1/", "http://[::1]:4711/client/v4"])
def test_loopback_is_let_through(endpoint: str) -> None:
    environment(endpoint, HERE, "", Path("/state"), {})


@pytest.mark.parametrize(
    "endpoint",
    [
        THERE,
        "http://192.0.2.1/v1",
        "http://localhost:4711/v1",
        "http://127.0.0.1.example.org/v1",
        "http://127.0.0.1@example.org/v1",
        "http://0.0.0.0:4711/v1",
        "",
    ],
)
def test_everything_else_is_refused_for_each_cloud(endpoint: str) -> None:
    with pytest.raises(NotLoopbackError, match="HCLOUD_ENDPOINT"):
        environment(endpoint, HERE, "", Path("/state"), {})
    with pytest.raises(NotLoopbackError, match="CLOUDFLARE_BASE_URL"):
        environment(HERE, endpoint, "", Path("/state"), {})


def test_a_missing_endpoint_is_refused() -> None:
    with pytest.raises(NotLoopbackError, match="HCLOUD_ENDPOINT: missing"):
        check({"CLOUDFLARE_BASE_URL": HERE})


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_is_refused(name: str) -> None:
    with pytest.raises(NotLoopbackError, match=name):
        check({"HCLOUD_ENDPOINT": HERE, "CLOUDFLARE_BASE_URL": HERE, name: "http://192.0.2.1:3128"})


@pytest.mark.parametrize("engine", ["", "tcp://127.0.0.1:4713", "unix:///run/user/1000/docker.sock"])
def test_an_engine_of_this_machine_is_let_through(engine: str) -> None:
    environment(HERE, HERE, "", Path("/state"), {"DOCKER_HOST": engine} if engine else {})


@pytest.mark.parametrize("engine", ["ssh://ops@192.0.2.1", "tcp://192.0.2.1:2376", "tcp://localhost:2375"])
def test_an_engine_of_another_machine_is_refused(engine: str) -> None:
    with pytest.raises(NotLoopbackError, match="DOCKER_HOST"):
        environment(HERE, HERE, "", Path("/state"), {"DOCKER_HOST": engine})


def test_the_simulated_engine_goes_before_the_callers(tmp_path: Path) -> None:
    made = environment(HERE, HERE, "tcp://127.0.0.1:4713", tmp_path, {"DOCKER_HOST": "ssh://ops@192.0.2.1"})
    assert made["DOCKER_HOST"] == "tcp://127.0.0.1:4713"


def test_nothing_of_the_callers_tokens_and_proxies_is_left() -> None:
    caller = {
        "PATH": "/usr/bin",
        "HOME": "/home/someone",
        "HCLOUD_TOKEN": "theirs",
        "HCLOUD_ENDPOINT": THERE,
        "CLOUDFLARE_API_TOKEN": "theirs",
        "CLOUDFLARE_API_KEY": "theirs",
        "CF_API_TOKEN": "theirs",
        "PULUMI_ACCESS_TOKEN": "theirs",
        "PULUMI_CONFIG": '{"hcloud:endpoint": "https://api.hetzner.cloud/v1"}',
        "HTTPS_PROXY": "http://192.0.2.1:3128",
        "https_proxy": "http://192.0.2.1:3128",
    }
    made = environment(HERE, HERE, "", Path("/state"), caller)
    assert "theirs" not in made.values()
    assert set(made) - {"HOME"} == set(environment(HERE, HERE, "", Path("/state"), {}))
    assert made["HOME"] == "/home/someone"
    assert len(made["HCLOUD_TOKEN"]) == 64


def test_the_stand_in_for_ssh_comes_first() -> None:
    first = environment(HERE, HERE, "", Path("/state"), {"PATH": "/usr/bin"})["PATH"].split(":")[0]
    assert (Path(first) / "ssh").is_file()
