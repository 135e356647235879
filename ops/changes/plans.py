"""Asks the real engine: a base deployed in simulated clouds, and a preview of each change."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ops.changes.cases import Case, Cases, Values, edited
from ops.changes.effect import Effect, effect, refusal
from ops.simulated.clouds import clouds
from ops.simulated.guard import check
from ops.simulated.run import Simulation

NAMESPACE = "zero-exposure"


class PlanError(Exception):
    """The engine did not plan. The text is its own."""


def plans(root: Path, cases: Cases, wanted: Sequence[Case]) -> Iterator[tuple[Case, Effect]]:
    """Each case with what the engine plans. Raises ``PlanError``."""
    for base in cases.bases:
        here = [case for case in wanted if case.base == base and case.instead is None]
        if here:
            with tempfile.TemporaryDirectory(prefix="zero-exposure-") as folder:
                yield from _of_base(Simulation(root, base, Path(folder)), cases.base(root, base), here)


def _of_base(simulation: Simulation, base: Values, wanted: Sequence[Case]) -> Iterator[tuple[Case, Effect]]:
    simulation.prepare(real_engine=False)
    with clouds([base], simulation.folder) as served:
        engine = _Engine(simulation, simulation.environment(served))
        engine.up(base)
        for case in wanted:
            yield case, engine.plan(edited(base, case.edits))


class _Engine:
    """The CLI on one stack."""

    def __init__(self, simulation: Simulation, environment: Mapping[str, str]) -> None:
        self._simulation = simulation
        self._environment = dict(environment)
        self._run("stack", "select", "--create", simulation.stack)
        self._salt = self._file.read_text(encoding="utf-8") if self._file.exists() else ""

    @property
    def _file(self) -> Path:
        return self._simulation.project / f"Pulumi.{self._simulation.stack}.yaml"

    def up(self, values: Values) -> None:
        """Deploy."""
        self._write(values)
        done = self._run("up", "--yes", "--skip-preview", "--stack", self._simulation.stack)
        if done.returncode:
            raise PlanError(done.stdout[-3000:] + done.stderr)

    def plan(self, values: Values) -> Effect:
        """What it would do."""
        self._write(values)
        done = self._run("preview", "--json", "--stack", self._simulation.stack)
        try:
            plan: dict[str, Any] = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise PlanError(done.stdout[-3000:] + done.stderr) from None
        if not done.returncode:
            return effect(plan["steps"])
        said = [each["message"] for each in plan.get("diagnostics", []) if each["severity"] == "error"]
        try:
            return refusal("\n".join(said))
        except ValueError as error:
            raise PlanError(str(error)) from None

    def _write(self, values: Values) -> None:
        config = {f"{NAMESPACE}:{key}": value for key, value in values.items()}
        kept = {key: value for key, value in (yaml.safe_load(self._salt) or {}).items() if key != "config"}
        self._file.write_text(yaml.safe_dump({**kept, "config": config}, allow_unicode=True), encoding="utf-8")

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        check(self._environment)
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self._simulation.project,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
