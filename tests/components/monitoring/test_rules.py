"""Prometheus's rules, judged by promtool: each alert has measurements that raise it, and others that do not.

``rules/NAME.yaml`` holds the tests of the rules in the file of that name, in promtool's own form.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring import render
from tests.components.monitoring.planned import given, write
from tests.programs import need

CASES = Path(__file__).parent / "rules"
RULES = Path(render.__file__).parent / "rules"
ROOT = Path(__file__).parents[3]
NAMES = sorted(path.name.removesuffix(".j2") for path in RULES.iterdir())


def promtool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def alerts(name: str) -> Iterator[dict[str, Any]]:
    """Every alert of a rendered file."""
    for path, text in render.prometheus(given(machines=3)).items():
        if path.endswith(f"/{name}"):
            for group in yaml.safe_load(text)["groups"]:
                yield from group["rules"]


def cases_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CASES / name).read_text(encoding="utf-8"))
    return found


def run_cases(folder: Path, name: str, cases: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """promtool on a file of tests, beside the rules that they are of."""
    write(folder, given(machines=3))
    (folder / "cases.yaml").write_text(yaml.safe_dump({**cases, "rule_files": [name]}), encoding="utf-8")
    return promtool(folder, "test", "rules", "cases.yaml")


def test_prometheus_takes_configuration_and_rules(tmp_path: Path) -> None:
    need("promtool")
    main = write(tmp_path, given(machines=3))
    done = promtool(tmp_path, "check", "config", str(main))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("rules found") == len(NAMES)
    assert promtool(tmp_path, "check", "rules", *NAMES).returncode == 0


def test_the_runbook_says_of_every_alert_what_to_do() -> None:
    told = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    raised = {rule["alert"] for name in NAMES for rule in alerts(name)}
    assert len(raised) > 25
    assert {name for name in raised if f"`{name}`" not in told} == set()


def test_control_a_mistake_in_a_rule_is_found(tmp_path: Path) -> None:
    need("promtool")
    main = write(tmp_path, given(machines=3))
    tunnel = tmp_path / "tunnel.yaml"
    tunnel.write_text(tunnel.read_text().replace("< 1 or", "< 1 orr"))
    assert promtool(tmp_path, "check", "config", str(main)).returncode != 0


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_fires_when_it_should_and_at_no_other_time(name: str, tmp_path: Path) -> None:
    need("promtool")
    done = run_cases(tmp_path, name, cases_of(name))
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_firing_and_a_silent_case(name: str) -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for test in cases_of(name)["tests"]:
        for case in test["alert_rule_test"]:
            (fires if case.get("exp_alerts") else silent).add(case["alertname"])
    declared = {rule["alert"] for rule in alerts(name)}
    assert fires == declared
    assert silent == declared - {"Watchdog"}


@pytest.mark.parametrize("name", NAMES)
def test_control_a_case_of_a_rule_that_never_fires_fails(name: str, tmp_path: Path) -> None:
    need("promtool")
    cases = cases_of(name)
    write(tmp_path, given(machines=3))
    text = re.sub(
        r"^(\s+)expr: .*?\n(?=\s+(for|labels):)",
        r"\1expr: vector(0) > 1\n",
        (tmp_path / name).read_text(),
        flags=re.M | re.S,
    )
    (tmp_path / "never.yaml").write_text(text)
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump({**cases, "rule_files": ["never.yaml"]}))
    assert promtool(tmp_path, "test", "rules", "cases.yaml").returncode != 0


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_says_how_bad_it_is_and_has_its_place_in_the_runbook(name: str) -> None:
    for rule in alerts(name):
        assert rule["labels"]["severity"] in {"critical", "warning", "none"}, rule["alert"]
        path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert anchor in _anchors(ROOT / path), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
