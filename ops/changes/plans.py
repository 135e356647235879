"""Asks the real engine: a base deployed in simulated clouds, and a preview of each change.

The program runs in this process (Pulumi's Automation API), since a new one would import the SDKs anew for each plan.
"""

import os
import runpy
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from pulumi import automation

from ops.changes.cases import Case, Cases, Values, edited
from ops.changes.effect import Effect, effect, refusal
from ops.simulated.clouds import clouds
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
        made = simulation.environment(served)
        # The Automation API adds this process's environment, so that is made anew too.
        with patch.dict(os.environ, made, clear=True):
            stack = _Stack(simulation)
            stack.up(base)
            for case in wanted:
                yield case, stack.plan(edited(base, case.edits))


class _Stack:
    """One stack on the engine."""

    def __init__(self, simulation: Simulation) -> None:
        def program() -> None:
            runpy.run_path(str(simulation.root / "__main__.py"), run_name="__main__")

        folder = str(simulation.project)
        self._file = simulation.project / f"Pulumi.{simulation.stack}.yaml"
        self._stack = automation.create_or_select_stack(
            simulation.stack,
            project_name=NAMESPACE,
            program=program,
            work_dir=folder,
            opts=automation.LocalWorkspaceOptions(work_dir=folder),
        )
        content = yaml.safe_load(self._file.read_text(encoding="utf-8"))
        self._kept = {key: value for key, value in content.items() if key != "config"}

    def up(self, values: Values) -> None:
        """Deploy."""
        self._write(values)
        try:
            self._stack.up()
        except automation.CommandError as error:
            raise PlanError(str(error)) from None

    def plan(self, values: Values) -> Effect:
        """What it would do."""
        self._write(values)
        events: list[Any] = []
        try:
            self._stack.preview(on_event=events.append)
        except automation.CommandError as error:
            try:
                return refusal(str(error))
            except ValueError:
                raise PlanError(str(error)) from None
        return effect([_step(event) for event in events if event.resource_pre_event])

    def _write(self, values: Values) -> None:
        config = {f"{NAMESPACE}:{key}": value for key, value in values.items()}
        self._file.write_text(yaml.safe_dump({**self._kept, "config": config}, allow_unicode=True), encoding="utf-8")


def _step(event: Any) -> dict[str, str]:  # noqa: ANN401 - the SDK's own events
    metadata = event.resource_pre_event.metadata
    return {"op": metadata.op.value, "urn": metadata.urn}
