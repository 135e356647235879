"""A stack file as the engine would hand it over."""

import json
from pathlib import Path

import pytest

from ops.preview.stackfile import StackFileError, project_name, stack_values


def _project(folder: Path, stack: str) -> Path:
    (folder / "Pulumi.yaml").write_text("name: demo\nconfig:\n  target: {type: string, default: cloud}\n")
    (folder / "Pulumi.dev.yaml").write_text(stack)
    return folder


def test_objects_are_json_and_keys_have_the_projects_namespace(tmp_path: Path) -> None:
    root = _project(tmp_path, "config:\n  demo:services: {a: {port: 1}}\n  domain: example.org\n  demo:on: true\n")
    values = stack_values(root, "dev")
    assert json.loads(values["demo:services"]) == {"a": {"port": 1}}
    assert (values["demo:domain"], values["demo:on"]) == ("example.org", "true")


def test_defaults_come_from_the_project_file(tmp_path: Path) -> None:
    assert stack_values(_project(tmp_path, "config: {}\n"), "dev") == {"demo:target": "cloud"}
    assert project_name(tmp_path) == "demo"


def test_an_encrypted_value_becomes_a_stand_in(tmp_path: Path) -> None:
    root = _project(tmp_path, "config:\n  hcloud:token: {secure: v1:abc}\n  demo:secrets: {a: {secure: v1:def}}\n")
    values = stack_values(root, "dev")
    assert values["hcloud:token"] == "masked-token"
    assert json.loads(values["demo:secrets"]) == {"a": "masked-a"}


def test_a_missing_stack_names_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match=r"Pulumi\.prod\.yaml: there is no such file; stacks here: dev"):
        stack_values(_project(tmp_path, "config: {}\n"), "prod")


def test_broken_yaml_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match=r"Pulumi\.dev\.yaml"):
        stack_values(_project(tmp_path, "config: [\n"), "dev")
