"""`make audit` as a person or a pipeline runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.ops.audit.stand import ROOT


def _audit(*arguments: str, path: str = "/nowhere", **environment: str) -> "subprocess.CompletedProcess[str]":
    """Without programs on PATH nothing can be looked at: neither Engine nor server nor scan."""
    clean = {key: value for key, value in os.environ.items() if key not in ("HCLOUD_TOKEN", "CLOUDFLARE_API_TOKEN")}
    return subprocess.run(
        [sys.executable, "-m", "ops.audit", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**clean, "PATH": path, **environment},
        timeout=300,
    )


def _given(folder: Path, outputs: dict[str, object]) -> tuple[str, ...]:
    file = folder / "outputs.json"
    file.write_text(json.dumps(outputs), encoding="utf-8")
    return "--outputs", str(file), "--json", str(folder / "build" / "evidence.json")


def test_where_nothing_can_be_measured_nothing_passes_and_the_evidence_says_why(tmp_path: Path) -> None:
    given = _given(tmp_path, {"gateway": "http://127.0.0.1:1"})
    done = _audit("--stack", "local", *given)
    evidence = json.loads((tmp_path / "build" / "evidence.json").read_text(encoding="utf-8"))
    assert done.returncode == 0, done.stderr
    assert {check["verdict"] for check in evidence["checks"]} == {"not measured", "not applicable"}
    assert evidence["counts"]["pass"] == 0
    assert not [row for row in (*evidence["checklist"], *evidence["metrics"]) if row["verdict"] == "pass"]
    assert all(check["evidence"] and check["remediation"] for check in evidence["checks"])
    assert "docker can't be run" in (tmp_path / "build" / "evidence.txt").read_text(encoding="utf-8")
    assert _audit("--stack", "local", *given, "--strict").returncode == 1


def test_a_failure_is_exit_code_1_and_comes_with_what_to_do(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\ncase \"$*\" in *inspect*) echo '[]' ;; esac\n", encoding="utf-8")
    docker.chmod(0o755)
    done = _audit("--stack", "local", *_given(tmp_path, {"gateway": ""}), path=f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode == 1
    assert "✘ containers" in done.stdout
    assert "→ Run `pulumi up --refresh`" in done.stdout


def test_without_the_cli_the_message_says_what_else_there_is() -> None:
    done = _audit("--stack", "local")
    assert done.returncode == 1
    assert "--outputs" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_stack_is_one_message(tmp_path: Path) -> None:
    done = _audit("--stack", "nowhere", *_given(tmp_path, {}))
    assert done.returncode == 1
    assert "Pulumi.nowhere.yaml: there is no such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_outputs_that_are_no_outputs_are_one_message(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text("[]", encoding="utf-8")
    done = _audit("--stack", "local", "--outputs", str(file))
    assert (done.returncode, "a map of outputs is needed" in done.stderr) == (1, True)
