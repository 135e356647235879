"""What is read from a recorded graph is what the program planned."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.diagram.__main__ import main
from ops.diagram.picture import pictures
from ops.preview.run import preview
from ops.preview.stackfile import project_name, stack_values
from ops.recorded import Stack, read
from settings.load import load
from settings.stack import Settings
from topology.links import links
from topology.model import ANY
from topology.plan import plan

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["dev", "prod", "local", "swarm"])
def example(request: pytest.FixtureRequest) -> tuple[Settings, dict[str, Any]]:
    """An example's settings, and the graph that its run recorded."""
    settings = load(stack_values(ROOT, request.param), project_name(ROOT))
    return settings, preview(ROOT, request.param).graph


Example = tuple[Settings, dict[str, Any]]


def test_links_routes_and_addresses_are_those_of_the_plan(example: Example) -> None:
    settings, graph = example
    stack, planned = read(graph), plan(settings)
    assert {(each.client, each.server) for each in stack.networks if each.client} == set(links(settings))
    assert {(route.host, route.path, route.admin) for route in stack.routes} == {
        (up.route.host, up.route.path, up.route.admin) for up in planned.upstreams
    }
    for network in planned.networks:
        for member, address in network.members.items():
            if member in stack.nodes:
                shown = stack.nodes[member].addresses[f"{stack.name}-{network.name}"]
                assert shown == ("" if address == ANY else str(address))


def test_every_name_of_a_route_leads_to_who_serves_it(example: Example) -> None:
    settings, graph = example
    for route in read(graph).routes:
        service = next(name for name, each in settings.services.items() for r in each.routes if r.host == route.host)
        assert route.nodes[0] == service


def test_every_service_has_its_image_and_user(example: Example) -> None:
    settings, graph = example
    nodes = read(graph).nodes
    for name, service in settings.services.items():
        assert (nodes[name].image, nodes[name].role) == (service.image, "service")
        assert nodes[name].user.count(":") == 1


def test_every_file_is_listed_and_a_secret_has_no_digest() -> None:
    stack = read(preview(ROOT, "dev").graph)
    files = {(file.node, file.path): file for file in stack.files}
    assert files["postgres", "/run/secrets/password"].digest is None
    assert len(files["cache", "/etc/valkey/valkey.conf"].digest or "") == 64
    assert {file.node for file in stack.files} <= set(stack.nodes)


def test_the_picture_of_an_example_shows_every_link_once_and_every_public_name(example: Example) -> None:
    settings, graph = example
    drawn = pictures(read(graph))
    shown = [(arrow.client, arrow.server) for picture in drawn for arrow in picture.arrows if arrow.way == "link"]
    assert sorted(shown) == sorted(links(settings))
    hosts = {host.partition("/")[0] for box in drawn[0].boxes for host in (*box.public, *box.admin)}
    assert hosts >= {route.host for service in settings.services.values() for route in service.routes}


def test_the_command_draws_a_recorded_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "graph.json").write_text(json.dumps(preview(ROOT, "local").graph))
    arguments = ["ops.diagram", "--graph", str(tmp_path / "graph.json"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", arguments)
    assert main() == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"local.svg", "local.mmd"}


def test_a_picture_that_is_not_current_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    graph, picture = tmp_path / "graph.json", tmp_path / "x.svg"
    graph.write_text(json.dumps(preview(ROOT, "local").graph))
    arguments = ["ops.diagram", "--graph", str(graph), "--svg", str(picture)]
    monkeypatch.setattr("sys.argv", [*arguments, "--check"])
    assert main() == 1
    assert "make picture" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", arguments)
    assert main() == 0
    monkeypatch.setattr("sys.argv", [*arguments, "--check"])
    assert main() == 0


def test_the_examples_are_all_drawn() -> None:
    """The fixture names them: a new example stack would be missed."""
    found = {path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")}
    assert found == {"dev", "prod", "local", "swarm"}
    assert all(yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text()) for name in found)


def test_a_stack_without_containers_is_empty_and_no_error() -> None:
    stack = read({"stack": "x", "target": "cloud", "resources": []})
    assert isinstance(stack, Stack)
    assert (stack.nodes, stack.networks, stack.server) == ({}, (), "")
