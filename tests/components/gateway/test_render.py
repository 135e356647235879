"""The gateway's files, from a stack's plan."""

import json
import re
from typing import Any

from components.gateway.render import CONFIG, LUA, Values, files, routes, values
from settings.stack import Settings
from tests.samples import cloud_stack, local_stack, service, settings
from topology.plan import plan


def rendered(raw: dict[str, Any], *, tunnelled: bool = True) -> tuple[Values, dict[str, str]]:
    stack = settings(raw)
    given = values(plan(stack), stack.gateway, stack.operators.networks, tunnelled=tunnelled)
    return given, files(given)


def with_routes(*routes: dict[str, Any]) -> dict[str, Any]:
    raw = cloud_stack(secrets={"partner": "x" * 20})
    raw["services"]["api"]["routes"] = list(routes)
    return raw


def hosts(raw: dict[str, Any]) -> str:
    return rendered(raw)[1][f"{CONFIG}/hosts.conf"]


def gate(raw: dict[str, Any]) -> Any:
    return json.loads(rendered(raw)[1][f"{CONFIG}/gate.json"])


def test_it_listens_for_the_connector_and_for_prometheus_alone() -> None:
    given, texts = rendered(cloud_stack())
    listened = {match for text in texts.values() for match in re.findall(r"\n\s*listen ([^ ;]+)", text)}
    watched = plan(settings(cloud_stack())).network("link-prometheus-gateway").members["gateway"]
    assert listened == {given.listen, "127.0.0.1:9145", f"{watched}:9145"}
    assert given.listen == "10.128.0.18:8080"


def test_it_believes_the_connector_and_without_a_tunnel_the_machine_itself() -> None:
    assert rendered(cloud_stack())[0].peer == "10.128.0.19"
    assert rendered(local_stack(), tunnelled=False)[0].peer == "10.128.0.17"


def test_every_host_of_the_plan_has_one_server() -> None:
    names = re.findall(r"server_name (\S+);", hosts(cloud_stack()))
    assert sorted(names) == ["admin.example.org", "api.example.org"]


def test_a_host_of_admin_routes_alone_is_closed_before_anything_else() -> None:
    servers = hosts(cloud_stack()).split("\nserver {")
    (admin,) = [server for server in servers if "server_name admin.example.org" in server]
    (visitors,) = [server for server in servers if "server_name api.example.org" in server]
    assert admin.index("operator_by_tunnel") < admin.index("gate.judge")
    assert "operator_by_tunnel" not in visitors


def test_admin_paths_beside_others_are_hidden_in_lower_case() -> None:
    raw = with_routes({"host": "api.example.org"}, {"host": "api.example.org", "path": "/Admin", "admin": True})
    assert gate(raw)["admin"] == {"api.example.org": ["/admin"]}
    assert gate(cloud_stack())["admin"] == {}


def test_paths_of_routes_with_conditions_are_guarded_as_they_are_written() -> None:
    host = {"host": "api.example.org"}
    raw = with_routes(
        host | {"rate": 5},
        host | {"path": "/Hooks", "methods": ["POST"], "api_key": "partner"},
        host | {"path": "/login", "login": True},
        host | {"path": "/events", "streaming": True},
        host | {"path": "/admin", "admin": True},
    )
    assert gate(raw)["guarded"] == {"api.example.org": ["/Hooks", "/login"]}
    assert gate(with_routes(host))["guarded"] == {}


def test_a_host_whose_root_is_an_admin_route_is_closed_but_for_its_other_routes() -> None:
    host = {"host": "api.example.org"}
    closed = gate(with_routes(host | {"admin": True}, host | {"path": "/hooks"}))
    assert closed["closed"] == {"api.example.org": True}
    assert closed["visible"]["api.example.org"] == ["/hooks"]
    assert gate(with_routes(host, host | {"path": "/admin", "admin": True}))["closed"] == {}


def test_hidden_requests_go_below_the_longest_path_that_visitors_have() -> None:
    paths = ["/", "/a", "/a/b", "/a/admin", "/a/Admin/x", "/a/admin.x", "/a/administrators"]
    raw = with_routes(*({"host": "api.example.org", "path": path, "admin": path == "/a/admin"} for path in paths))
    assert gate(raw)["visible"]["api.example.org"] == ["/a/administrators", "/a/b", "/a"]


def test_error_bodies_of_a_service_pass() -> None:
    text = hosts(with_routes({"host": "api.example.org", "path": "/v1", "errors": "service"}))
    assert "proxy_intercept_errors on" not in text.split("location = /v1 {")[1].split("location ")[0]


def test_error_bodies_of_a_service_never_pass_beside_an_admin_path() -> None:
    """The stack file's checks refuse this already; the gateway holds it by itself."""
    admin = {"host": "api.example.org", "path": "/admin", "admin": True}
    unchecked = Settings.model_validate(
        with_routes({"host": "api.example.org", "path": "/v1", "errors": "service"}, admin)
    )
    given = values(plan(unchecked), unchecked.gateway, unchecked.operators.networks, tunnelled=True)
    text = files(given)[f"{CONFIG}/hosts.conf"]
    assert "proxy_intercept_errors on" in text.split("location = /v1 {")[1].split("location ")[0]


def test_a_route_matches_whole_segments() -> None:
    text = hosts(with_routes({"host": "api.example.org", "path": "/v1"}))
    assert "location = /v1 {" in text
    assert "location ^~ /v1/ {" in text
    assert "return 404;" in text


def test_replicas_share_one_upstream() -> None:
    raw = cloud_stack()
    raw["services"]["api"] = service(routes=[{"host": "api.example.org"}], replicas=3)
    upstream = rendered(raw)[1][f"{CONFIG}/upstream.conf"]
    assert len(re.findall(r"server \S+ max_fails", upstream.split("upstream api {")[1].split("}")[0])) == 3


def test_every_route_is_shown_with_all_that_serve_it() -> None:
    raw = with_routes({"host": "api.example.org"}, {"host": "api.example.org", "path": "/v2", "admin": True})
    raw["services"]["api"]["replicas"] = 2
    shown = [route for route in routes(plan(settings(raw))) if "api" in route["nodes"]]
    assert shown == [
        {"host": "api.example.org", "path": "/", "admin": False, "nodes": ["api", "api-2"]},
        {"host": "api.example.org", "path": "/v2", "admin": True, "nodes": ["api", "api-2"]},
    ]


def test_header_rules_go_to_lua_without_their_secret() -> None:
    raw = with_routes({"host": "api.example.org", "api_key": "partner", "require_headers": ["X-Client"]})
    (rule,) = gate(raw)["rules"].values()
    assert rule == {"require": ["x-client"], "forbid": [], "api_key_file": "/run/secrets/api-key-partner"}
    assert "x" * 20 not in "".join(rendered(raw)[1].values())


def test_every_lua_file_and_snippet_is_used() -> None:
    _, texts = rendered(cloud_stack())
    everything = "".join(texts.values())
    for path in texts:
        name = path.rpartition("/")[2]
        used = f'"{name.removesuffix(".lua")}"' if path.startswith(LUA) else name
        assert used in everything or name == "nginx.conf", f"{path} is included nowhere"


def test_headers_of_every_answer_are_set_in_one_place() -> None:
    """One add_header in a server or a location would drop all the others there."""
    found = [path for path, text in rendered(cloud_stack())[1].items() if re.search(r"^\s*add_header", text, re.M)]
    assert found == [f"{CONFIG}/headers.conf"]


def test_the_same_values_give_the_same_files() -> None:
    assert rendered(cloud_stack())[1] == rendered(cloud_stack())[1]
