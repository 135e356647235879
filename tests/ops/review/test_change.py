"""What a pull request's comment says of a change."""

from typing import Any

from ops.review.change import NETWORK, Graph, change
from ops.review.render import render

CONTAINER = "docker:index/container:Container"


def _resource(name: str, kind: str = CONTAINER, **inputs: object) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:dev::x::{kind}::{name}", "type": kind, "name": name, "inputs": inputs}


def _link(client: str, server: str) -> dict[str, Any]:
    ends = {"zero-exposure.client": client, "zero-exposure.server": server}
    labels = [{"label": key, "value": value} for key, value in ends.items()]
    return _resource(f"link-{client}-{server}", NETWORK, labels=labels)


def _graph(*resources: dict[str, Any], ports: int = 0, violations: tuple[dict[str, str], ...] = ()) -> Graph:
    exposure = {
        "open_inbound_ports": ports,
        "security_layers": 6,
        "tls_termination_points": 1,
        "centralized_ingress_percent": 100,
        "checklist": [{"item": "no inbound port", "ok": ports == 0, "evidence": ""}],
    }
    return {"resources": list(resources), "exposure": exposure, "violations": list(violations)}


def test_it_names_what_is_new_gone_and_changed_by_its_inputs() -> None:
    before = _graph(_resource("api", image="a:1", user="1:1"), _resource("old"))
    after = _graph(_resource("api", image="a:2", user="1:1"), _resource("new"))
    found = change(before, after)
    assert [resource.name for resource in found.added] == ["new"]
    assert [resource.name for resource in found.removed] == ["old"]
    assert [(resource.name, resource.keys) for resource in found.changed] == [("api", ("image",))]


def test_the_same_graph_twice_is_no_change() -> None:
    graph = _graph(_resource("api", image="a:1"), _link("gateway", "api"))
    found = change(graph, graph)
    assert (found.added, found.removed, found.changed, found.links_added, found.links_removed) == ((), (), (), (), ())
    assert not any(row.changed for row in found.score)
    assert "No resource changes." in render(found, "dev", "origin/main")


def test_it_says_who_newly_reaches_whom() -> None:
    found = change(_graph(_link("worker", "queue")), _graph(_link("worker", "api")))
    assert found.links_added == (("worker", "api"),)
    assert found.links_removed == (("worker", "queue"),)
    text = render(found, "dev", "origin/main")
    assert "- new: worker → api" in text
    assert "- gone: worker → queue" in text


def test_a_worse_score_is_marked_and_shown_open() -> None:
    found = change(_graph(), _graph(ports=1))
    assert [(row.name, row.before, row.after) for row in found.score if row.changed] == [
        ("open inbound ports", "0", "1"),
        ("1. no inbound port", "pass", "fail"),
    ]
    assert "<details open><summary>Exposure score" in render(found, "dev", "origin/main")


def test_a_mandatory_violation_blocks_and_an_advisory_does_not() -> None:
    found = {"rule": "container-no-ports", "level": "mandatory", "urn": "urn::api", "message": "a port"}
    assert change(None, _graph(violations=(found,))).blocked
    assert not change(None, _graph(violations=({**found, "level": "advisory"},))).blocked


def test_without_a_base_nothing_is_called_new() -> None:
    found = change(None, _graph(_resource("api"), _link("gateway", "api")))
    assert found.added == ()
    assert found.links_added == ()
    assert "nothing to compare with: no such ref" in render(found, "dev", None, "no such ref")


def test_what_comes_from_a_stack_file_starts_no_markup() -> None:
    hostile = {
        "rule": "r",
        "level": "mandatory",
        "urn": "urn::a|b",
        "message": "</td>|<script> @everyone\n# x [l](http://x)",
    }
    text = render(change(None, _graph(violations=(hostile,))), "dev", None, "")
    row = next(line for line in text.splitlines() if line.startswith("| mandatory"))
    assert row.count("|") == 5
    assert not set("<>@[]") & set(row.removeprefix("| mandatory"))
