"""Dashboards: a service for operators, with the one link to Prometheus, on questions that Prometheus understands."""

import configparser
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring import render
from policy.rules.engine import check_resource, check_stack
from policy.rules.model import PackConfig
from settings.load import SettingsError
from settings.preset import preset
from settings.stack import Settings
from tests.components.monitoring.planned import everything
from tests.components.monitoring.test_component import CONTAINER, ran
from tests.components.monitoring.test_rules import promtool
from tests.mocks import both_modes
from tests.programs import need
from tests.samples import cloud_stack, settings
from topology.names import PROMETHEUS
from topology.plan import plan

FILES: dict[str, str] = preset("grafana")["service"]["files"]
FOLDER = "/etc/zero-exposure/dashboards"
BOARDS = {path: json.loads(text) for path, text in FILES.items() if path.startswith(f"{FOLDER}/")}


def stack(admin: bool = True) -> Settings:
    raw = cloud_stack()
    raw["services"]["watch"] = {
        "preset": "grafana",
        "routes": [{"host": "watch.example.org", "admin": admin}],
    }
    return settings(raw)


def panels() -> Iterator[dict[str, Any]]:
    for board in BOARDS.values():
        yield from (panel for panel in board["panels"] if panel["type"] != "row")


def questions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def check(folder: Path, expressions: list[str]) -> subprocess.CompletedProcess[str]:
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions)]
    (folder / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    return promtool(folder, "check", "rules", "panels.yaml")


def test_a_route_that_is_no_admin_route_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"services\.watch\.routes\[0\]\.admin: dashboards are for operators"):
        stack(admin=False)


def test_dashboards_reach_prometheus_and_nothing_else() -> None:
    links = [network for network in plan(stack()).networks if "watch" in (network.client, network.server)]
    assert {(network.client, network.server) for network in links} == {("gateway", "watch"), ("watch", PROMETHEUS)}


def test_without_dashboards_nobody_reaches_prometheus() -> None:
    assert [network.name for network in plan(everything()).networks if network.server == PROMETHEUS] == []


@both_modes
def test_prometheus_listens_beyond_loopback_only_where_dashboards_ask_it(preview: bool) -> None:
    def listens(of: Settings) -> str:
        (container,) = [found for found in ran(of, preview).of_type(CONTAINER) if found.name == PROMETHEUS]
        words: list[str] = list(container.props["command"])
        return next(word for word in words if word.startswith("--web.listen-address="))

    assert listens(everything()) == f"--web.listen-address=127.0.0.1:{render.PROMETHEUS_PORT}"
    assert listens(stack()) == f"--web.listen-address=:{render.PROMETHEUS_PORT}"


@both_modes
def test_a_stack_with_dashboards_breaks_no_rule(preview: bool) -> None:
    recording, config = ran(stack(), preview), PackConfig()
    found = [violation for resource in recording.resources for violation in check_resource(resource, config)]
    found += check_stack(recording.resources, config)
    (watch,) = [resource for resource in recording.of_type(CONTAINER) if resource.name == "watch"]
    assert watch.props["readOnly"]
    assert [(entry.rule, entry.message) for entry in found if entry.blocking and "watch" in entry.message] == []
    assert [entry.urn for entry in found if entry.blocking and entry.urn == watch.urn] == []


def test_every_question_of_a_panel_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    need("promtool")
    assert len(questions()) >= 15
    done = check(tmp_path, questions())
    assert done.returncode == 0, done.stdout + done.stderr


def test_control_a_broken_question_is_found(tmp_path: Path) -> None:
    need("promtool")
    assert check(tmp_path, ["sum(rate(gateway_requests_total[5m])"]).returncode != 0


def test_panels_ask_the_one_source_and_lie_beside_each_other() -> None:
    source = yaml.safe_load(FILES["/etc/grafana/provisioning/datasources/prometheus.yaml"])["datasources"][0]
    assert source["url"] == f"http://{PROMETHEUS}:{render.PROMETHEUS_PORT}"
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        assert panel["datasource"]["uid"] == source["uid"]
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_grafana_lets_nobody_in_as_more_than_a_viewer_and_calls_nobody() -> None:
    given_ini = configparser.ConfigParser()
    given_ini.read_string(FILES["/etc/zero-exposure/grafana/grafana.ini"])
    assert given_ini["auth.anonymous"]["org_role"] == "Viewer"
    assert given_ini["security"].getboolean("disable_initial_admin_creation")
    assert not given_ini["auth.basic"].getboolean("enabled")
    for key in ("reporting_enabled", "check_for_updates", "check_for_plugin_updates"):
        assert not given_ini["analytics"].getboolean(key)
    assert given_ini["plugins"].getboolean("preinstall_disabled")
    home = given_ini["dashboards"]["default_home_dashboard_path"]
    assert home in BOARDS
