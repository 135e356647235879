"""A simulated run, with a stand-in for the CLI that calls the endpoints it was given."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ops.preview.run import preview
from ops.simulated import run
from ops.simulated.run import MissingCliError, RealEngineError, Simulation

ROOT = Path(__file__).parents[3]
CLI = f"""#!{sys.executable}
import json, os, pathlib, sys, urllib.request
log = pathlib.Path(os.environ["HOME"]) / "log"
with log.open("a") as out:
    out.write(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]) + "\\n")
if sys.argv[1] == "up":
    body = json.dumps({{"name": f"wall-{{len(log.read_text().splitlines())}}", "rules": RULES}}).encode()
    headers = {{"Authorization": "Bearer " + os.environ["HCLOUD_TOKEN"], "Content-Type": "application/json"}}
    urllib.request.urlopen(urllib.request.Request(os.environ["HCLOUD_ENDPOINT"] + "/firewalls", body, headers))
    headers["Authorization"] = "Bearer " + os.environ["CLOUDFLARE_API_TOKEN"]
    urllib.request.urlopen(urllib.request.Request(os.environ["CLOUDFLARE_BASE_URL"] + "/zones", None, headers))
if sys.argv[1:3] == ["stack", "export"]:
    print(json.dumps({{"deployment": {{"resources": [
        {{"urn": "urn:data", "type": "docker:index/volume:Volume", "protect": True}},
        {{"urn": "urn:files", "type": "docker:index/volume:Volume"}},
        {{"urn": "urn:disk", "type": "hcloud:index/volume:Volume", "protect": True}},
    ]}}}}))
sys.exit(CODE)
"""
INBOUND = [{"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["0.0.0.0/0"]}]


def _simulation(folder: Path, code: int = 0, rules: object = (), engine: bool = True) -> Simulation:
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    _script(programs / "pulumi", CLI.replace("CODE", str(code)).replace("RULES", repr(list(rules))))  # type: ignore[call-overload]
    _script(programs / "docker", f"#!/bin/sh\nexit {0 if engine else 1}\n")
    caller = {"PATH": str(programs), "HOME": str(folder), "HTTPS_PROXY": "http://192.0.2.1:1", "HCLOUD_TOKEN": "theirs"}
    return Simulation(ROOT, "dev", folder / "simulated", caller)


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _calls(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / "log").read_text().splitlines()]


def test_the_cli_runs_in_the_copy_with_loopback_endpoints_and_the_pack(tmp_path: Path) -> None:
    code, served = _simulation(tmp_path).run("up")
    select, judged, up = _calls(tmp_path)
    assert code == 0
    assert select[0] == ["stack", "select", "--create", "dev", "--non-interactive"]
    assert judged[0][:5] == ["preview", "--stack", "dev", "--policy-pack", "policy"]
    assert "--exclude" not in judged[0], "the pack judges the whole program"
    assert up[0][:5] == ["up", "--stack", "dev", "--yes", "--skip-preview"]
    assert up[2] == str(tmp_path / "simulated" / "project")
    assert up[1]["HCLOUD_ENDPOINT"].startswith("http://127.0.0.1:")
    assert up[1]["CLOUDFLARE_BASE_URL"].startswith("http://127.0.0.1:")
    assert not [name for name in up[1] if name.lower().endswith("_proxy")]
    assert up[1]["HCLOUD_TOKEN"] != "theirs"
    assert served.left()["firewalls"] == ["wall-3"]


def test_what_was_made_is_there_in_the_next_run_on_the_same_ports(tmp_path: Path) -> None:
    _simulation(tmp_path).run("up")
    _, served = _simulation(tmp_path).run("up")
    assert served.left()["firewalls"] == ["wall-3", "wall-6"]
    endpoints = {call[1]["HCLOUD_ENDPOINT"] for call in _calls(tmp_path)}
    assert len(endpoints) == 1


def test_two_stacks_share_nothing(tmp_path: Path) -> None:
    first = _simulation(tmp_path)
    _, served = first.run("up")
    other = Simulation(ROOT, "prod", tmp_path / "other", first.caller)
    _, apart = other.run("preview")
    assert "firewalls" in served.left()
    assert apart.left() == {}


def test_the_clis_exit_code_is_the_runs(tmp_path: Path) -> None:
    code, _ = _simulation(tmp_path, code=3).run("preview")
    assert code == 3
    assert len(_calls(tmp_path)) == 1, "the stack could not be selected, so nothing else was run"


def test_nothing_is_made_after_a_preview_that_failed(tmp_path: Path) -> None:
    simulation = _simulation(tmp_path)
    program = tmp_path / "bin" / "pulumi"
    program.write_text(program.read_text().replace("sys.exit(0)", 'sys.exit(sys.argv[1] == "preview")'))
    code, served = simulation.run("up")
    assert code == 1
    assert [call[0][0] for call in _calls(tmp_path)] == ["stack", "preview"]
    assert served.changes() == []


def test_an_inbound_rule_is_told(tmp_path: Path) -> None:
    _, served = _simulation(tmp_path, rules=INBOUND).run("up")
    assert "has an inbound rule" in served.inbound()[0]


def test_destroy_leaves_out_what_is_protected_and_preview_changes_nothing(tmp_path: Path) -> None:
    _simulation(tmp_path).run("destroy")
    assert [call[0][:2] for call in _calls(tmp_path)][1:3] == [
        ["stack", "export"],
        ["state", "unprotect"],
    ], "services' volumes lie on the server, which goes"
    assert _calls(tmp_path)[-1][0][:5] == ["destroy", "--stack", "dev", "--yes", "--exclude-protected"]
    _simulation(tmp_path).run("preview")
    assert "--yes" not in _calls(tmp_path)[-1][0]
    assert "--exclude" not in _calls(tmp_path)[-1][0]


def test_a_real_engine_gets_no_container_that_leads_out(tmp_path: Path) -> None:
    _simulation(tmp_path, engine=True).run("up")
    arguments, environment, _ = _calls(tmp_path)[-1]
    at = arguments.index("--exclude")
    assert tuple(arguments[at : at + 3]) == run.NO_WAY_OUT
    assert "DOCKER_HOST" not in environment


def test_where_there_is_none_the_simulated_engine_gets_all_of_them(tmp_path: Path) -> None:
    _simulation(tmp_path, engine=False).run("up")
    arguments, environment, _ = _calls(tmp_path)[-1]
    assert "--exclude" not in arguments
    assert environment["DOCKER_HOST"].startswith("tcp://127.0.0.1:")


def test_which_engine_it_is_does_not_change_afterwards(tmp_path: Path) -> None:
    _simulation(tmp_path, engine=False).run("up")
    _simulation(tmp_path, engine=True).run("up")
    assert "--exclude" not in _calls(tmp_path)[-1][0]


def test_of_a_swarm_the_machines_are_made_and_all_of_it_is_judged(tmp_path: Path) -> None:
    replace(_simulation(tmp_path, engine=True), stack="swarm").run("up")
    _, judged, up = [arguments for arguments, _, _ in _calls(tmp_path)]
    assert "--policy-pack" in judged
    assert "--exclude" not in judged
    at = up.index("--exclude")
    assert tuple(up[at : at + 3]) == run.ON_THE_SWARM


def test_any_command_runs_in_the_copy_with_the_same_endpoints_and_its_exit_code_is_the_runs(tmp_path: Path) -> None:
    code, served = _simulation(tmp_path, engine=True).run_beside("/bin/sh", "-c", 'pulumi up "$STACK"; exit 9')
    select, up = _calls(tmp_path)
    assert code == 9
    assert (select[0][0], up[0]) == ("stack", ["up", "dev"])
    assert up[2] == str(tmp_path / "simulated" / "project")
    assert up[1]["DOCKER_HOST"].startswith("tcp://127.0.0.1:"), "a real Engine is not asked for"
    assert served.left()["firewalls"] == ["wall-2"]


def test_nothing_runs_beside_a_stack_on_a_real_engine(tmp_path: Path) -> None:
    _simulation(tmp_path, engine=True).run("up")
    before = _calls(tmp_path)
    with pytest.raises(RealEngineError, match="make clean"):
        _simulation(tmp_path, engine=True).run_beside("pulumi", "up")
    assert _calls(tmp_path) == before


def test_a_missing_cli_is_one_message_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(MissingCliError, match=r"https://www\.pulumi\.com/docs/install/"):
        Simulation(ROOT, "dev", tmp_path, {"PATH": str(tmp_path)}).run("up")
    assert list(tmp_path.iterdir()) == []


# What the exclusions leave out, on the recorded program


Resources = dict[str, dict[str, Any]]


@cache
def _recorded(stack: str) -> Resources:
    return {resource["urn"]: resource for resource in preview(ROOT, stack).graph["resources"]}


def _remaining(resources: Resources, excluded: str) -> Resources:
    """Without the excluded resource, and without all that depends on it or on its provider."""
    gone = {urn for urn in resources if urn.endswith(excluded.removeprefix("**"))}
    assert gone, f"nothing is called {excluded}"
    before: set[str] = set()
    while before != gone:
        before = set(gone)
        gone |= {urn for urn, resource in resources.items() if set(_needs(resource)) & gone}
    return {urn: resource for urn, resource in resources.items() if urn not in gone}


def _needs(resource: dict[str, Any]) -> Iterator[str]:
    yield from resource["dependencies"]
    if resource["provider"]:
        yield resource["provider"].rpartition("::")[0] if resource["provider"].count("::") > 3 else resource["provider"]


def _networks(resources: Resources) -> list[dict[str, Any]]:
    return [found for found in resources.values() if found["type"] == "docker:index/network:Network"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_what_remains_with_an_engine_has_no_way_out(stack: str) -> None:
    everything = _recorded(stack)
    assert not all(found["inputs"].get("internal") for found in _networks(everything)), (
        "the whole program has a way out"
    )
    remaining = _remaining(everything, run.NO_WAY_OUT[1])
    networks = _networks(remaining)
    containers = [found for found in remaining.values() if found["type"] == "docker:index/container:Container"]
    assert networks
    assert [found["name"] for found in networks if not found["inputs"].get("internal")] == []
    inside = {found["inputs"]["name"] for found in networks}
    assert len(containers) > 10
    for container in containers:
        joined = {network["name"] for network in container["inputs"].get("networksAdvanced", [])}
        assert joined <= inside, container["name"]
        assert joined or container["inputs"]["networkMode"] == "none", container["name"]
