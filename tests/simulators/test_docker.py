"""The simulated Docker Engine, by Docker's own client for Python."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import IPAMConfig, IPAMPool, LogConfig, Ulimit

import simulators.docker.app
from tests.simulators.cloud import Cloud, running

IMAGE = "postgrest/postgrest:v14.17"
SUBNET = "10.130.0.0/29"
NANOSECONDS = 1_000_000_000


@pytest.fixture
def engine() -> Iterator[Cloud]:
    with running(simulators.docker.app.api()) as cloud:
        yield cloud


@pytest.fixture
def client(engine: Cloud) -> Iterator[docker.DockerClient]:
    made = docker.DockerClient(base_url=engine.address.replace("http://", "tcp://"), version="auto")
    yield made
    made.close()


def _container(client: docker.DockerClient, name: str = "dev-api", **more: Any) -> Container:
    client.images.pull(IMAGE)
    return client.containers.create(IMAGE, name=name, **more)


def test_the_client_agrees_on_a_version(client: docker.DockerClient) -> None:
    assert client.ping()
    assert client.version()["ApiVersion"] == "1.47"
    assert client.info()["OSType"] == "linux"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("postgrest/postgrest:v14.17", ["postgrest/postgrest:v14.17"]),
        ("docker.io/library/nginx:1.29", ["nginx:1.29"]),
        ("ghcr.io/some/app:1.0", ["ghcr.io/some/app:1.0"]),
        (f"nginx@sha256:{'a' * 64}", []),
        (f"ghcr.io/some/app:1.0@sha256:{'b' * 64}", []),
        ("registry.example.org:5000/app:1.0", ["registry.example.org:5000/app:1.0"]),
    ],
)
def test_an_image_is_pulled_and_found_by_each_of_its_names(
    client: docker.DockerClient, asked: str, shown: list[str]
) -> None:
    client.images.pull(asked)
    image = client.images.get(asked)
    assert image.tags == shown
    assert client.images.get(str(image.id)).id == image.id
    assert client.images.get(image.attrs["RepoDigests"][0]).id == image.id
    assert [each.id for each in client.images.list()] == [image.id]


def test_what_was_not_pulled_is_not_there(client: docker.DockerClient) -> None:
    with pytest.raises(ImageNotFound):
        client.images.get(IMAGE)
    with pytest.raises(ImageNotFound):
        client.containers.create(IMAGE)


def test_a_volume_is_made_once_and_stays_while_it_is_used(client: docker.DockerClient) -> None:
    made = client.volumes.create("dev-data", labels={"zero-exposure.node": "postgres"})
    assert client.volumes.create("dev-data").attrs["Labels"] == {"zero-exposure.node": "postgres"}
    container = _container(client, volumes=["dev-data:/data", "made-by-its-name:/other:ro"])
    assert sorted(volume.name for volume in client.volumes.list()) == ["dev-data", "made-by-its-name"]
    with pytest.raises(APIError, match="volume is in use"):
        made.remove()
    container.remove()
    made.remove()
    with pytest.raises(NotFound):
        client.volumes.get("dev-data")


def test_a_networks_name_and_addresses_are_its_own(client: docker.DockerClient) -> None:
    ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=SUBNET, gateway="10.130.0.1")])
    network = client.networks.create("dev-link", driver="bridge", internal=True, ipam=ipam, labels={"a": "b"})
    network.reload()
    assert network.attrs["Internal"] is True
    assert network.attrs["IPAM"]["Config"] == [{"Subnet": SUBNET, "Gateway": "10.130.0.1"}]
    with pytest.raises(APIError, match="already exists"):
        client.networks.create("dev-link")
    with pytest.raises(APIError, match="Pool overlaps"):
        client.networks.create("other", ipam=ipam)
    with pytest.raises(APIError, match="pre-defined"):
        client.networks.get("bridge").remove()


def test_a_running_container_holds_its_network_and_its_address(client: docker.DockerClient) -> None:
    ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=SUBNET, gateway="10.130.0.1")])
    network = client.networks.create("dev-link", internal=True, ipam=ipam)
    first, second = _container(client, "first"), _container(client, "second")
    for container in (first, second):
        client.networks.get("bridge").disconnect(container)
        network.connect(container, ipv4_address="10.130.0.2", aliases=["api"])
    assert first.attrs["NetworkSettings"]["Networks"].keys() == {"bridge"}, "that was before"
    first.start()
    first.reload()
    assert first.attrs["NetworkSettings"]["Networks"]["dev-link"]["IPAddress"] == "10.130.0.2"
    with pytest.raises(APIError, match="Address already in use"):
        second.start()
    with pytest.raises(APIError, match="active endpoints"):
        network.remove()
    with pytest.raises(APIError, match="no configured subnet"):
        network.connect(_container(client, "third"), ipv4_address="10.131.0.2")
    first.stop()
    network.remove()


def test_a_container_is_what_was_asked_for(client: docker.DockerClient) -> None:
    check = {"test": ["CMD", "true"], "interval": 10 * NANOSECONDS, "timeout": 5 * NANOSECONDS, "retries": 3}
    made = _container(
        client,
        command=["serve"],
        hostname="api",
        user="3000:3000",
        environment={"A": "b"},
        labels={"zero-exposure.node": "api"},
        healthcheck=check,
        read_only=True,
        init=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        restart_policy={"Name": "unless-stopped"},
        log_config=LogConfig(type="json-file", config={"max-size": "10m"}),
        mem_limit="256m",
        nano_cpus=NANOSECONDS // 2,
        ulimits=[Ulimit(name="nproc", soft=100, hard=100)],
        tmpfs={"/tmp": "rw,size=32m"},  # noqa: S108 - a path in the container
        extra_hosts={"postgres": "10.130.0.3"},
        dns=["10.130.0.4"],
    )
    config, host = made.attrs["Config"], made.attrs["HostConfig"]
    assert (config["Cmd"], config["Hostname"], config["User"]) == (["serve"], "api", "3000:3000")
    assert config["Healthcheck"]["Interval"] == 10 * NANOSECONDS
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (256 << 20, 512 << 20, NANOSECONDS // 2)
    assert host["Ulimits"] == [{"Name": "nproc", "Soft": 100, "Hard": 100}]
    assert (host["ReadonlyRootfs"], host["Init"], host["CapDrop"]) == (True, True, ["ALL"])
    with pytest.raises(APIError, match="already in use by container"):
        _container(client)


def test_it_is_healthy_a_moment_after_its_start(client: docker.DockerClient, engine: Cloud) -> None:
    made = _container(client, healthcheck={"test": ["CMD", "true"]})
    made.start()
    made.reload()
    assert (made.status, made.health) == ("running", "starting")
    engine.advance(1)
    made.reload()
    assert made.health == "healthy"
    made.update(mem_limit="128m", memswap_limit="128m")
    made.reload()
    assert made.attrs["HostConfig"]["Memory"] == 128 << 20
    with pytest.raises(APIError, match="stop the container"):
        made.remove()
    made.stop()
    made.remove(force=True)
    assert client.containers.list(all=True) == []


def _archive(name: str, text: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size, member.uid, member.gid, member.mode = len(text), 70, 70, 0o400
        archive.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


def test_a_file_is_put_into_a_container_and_its_content_is_kept_nowhere(
    client: docker.DockerClient, engine: Cloud
) -> None:
    assert _container(client).put_archive("/", _archive("carrier/0/key", "a-secret"))
    (row,) = engine.state()["containers"].values()
    assert row["_files"]["carrier/0/key"]["uid"] == 70
    assert row["_files"]["carrier/0/key"]["mode"] == "0o400"
    assert "a-secret" not in str(engine.state())
    with pytest.raises(APIError, match="read-only"):
        _container(client, "sealed", read_only=True).put_archive("/", _archive("key", "x"))


@pytest.mark.parametrize(
    ("image", "fails"),
    [("busybox:1.37.0", False), (f"busybox:1.37.0@sha256:{'a' * 64}", False), (IMAGE, True)],
)
def test_a_file_for_an_owner_is_refused_where_the_container_has_a_user(
    client: docker.DockerClient, engine: Cloud, image: str, fails: bool
) -> None:
    client.images.pull(image)
    made = client.containers.create(image, ["none"])
    at = f"{engine.address}/v1.47/containers/{made.id}/archive"
    query = {"path": "/", "copyUIDGID": "true"}
    done = requests.put(at, params=query, data=_archive("carrier/0/key", "a-secret"), timeout=10)
    assert (done.status_code == 500, "getent unable to find entry" in done.text) == (fails, fails)


@pytest.mark.parametrize(
    "more", [{"privileged": True}, {"ports": {"80/tcp": 80}}, {"devices": ["/dev/kvm"]}, {"pid_mode": "host"}]
)
def test_what_the_program_never_asks_for_is_refused_by_name(client: docker.DockerClient, more: dict[str, Any]) -> None:
    with pytest.raises(APIError, match="not simulated"):
        _container(client, **more)


def test_a_fault_and_an_unknown_path_are_the_engines_own_words(client: docker.DockerClient, engine: Cloud) -> None:
    engine.fault(kind="server_error", method="GET", path="/v1.47/volumes")
    with pytest.raises(APIError, match="simulated failure"):
        client.volumes.list()
    with pytest.raises(NotFound, match="not simulated"):
        client.swarm.init()


def test_who_is_on_which_network_is_remembered(client: docker.DockerClient, engine: Cloud) -> None:
    made = _container(client)
    made.start()
    made.stop()
    places = [state["state"]["containers"] for state in engine.history()["states"]]
    assert {"/dev-api": ["bridge"]} in places
    assert places[-1] == {}


def test_it_outlives_its_process(tmp_path: Path) -> None:
    for expected in (0, 1):
        with running(simulators.docker.app.api(tmp_path / "docker.json")) as cloud:
            made = docker.DockerClient(base_url=cloud.address.replace("http://", "tcp://"), version="auto")
            assert len(made.volumes.list()) == expected
            made.volumes.create("kept")
            made.close()
