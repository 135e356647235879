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


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("config:\n  demo:on: true\n  demo:on: hunter2\n", "line 3: demo:on is there already"),
        ("config:\n  demo:services:\n    a: {image: b, port: 1, image: hunter2}\n", "line 3: image is there already"),
        ("config: {}\nconfig: {}\n", "line 2: config is there already"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_with_its_line(tmp_path: Path, stack: str, said: str) -> None:
    with pytest.raises(StackFileError) as caught:
        stack_values(_project(tmp_path, stack), "dev")
    assert str(caught.value) == f"Pulumi.dev.yaml: {said}"


def test_a_key_over_one_that_is_merged_in_is_not_there_twice(tmp_path: Path) -> None:
    stack = "config:\n  demo:a: &a {x: 1, y: 2}\n  demo:b: &b {<<: *a, y: 3}\n  demo:c: {<<: *b, y: 4}\n"
    values = stack_values(_project(tmp_path, stack), "dev")
    assert [json.loads(values[key])["y"] for key in ("demo:a", "demo:b", "demo:c")] == [2, 3, 4]


def test_a_file_that_is_not_utf_8_is_one_message(tmp_path: Path) -> None:
    root = _project(tmp_path, "")
    (root / "Pulumi.dev.yaml").write_bytes("config: {demo:domain: käse}\n".encode("latin-1"))
    with pytest.raises(StackFileError, match=r"Pulumi\.dev\.yaml: not UTF-8, from byte 23 on"):
        stack_values(root, "dev")
