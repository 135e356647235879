"""One offline preview: the program itself, its stack file, the policy pack and the SDKs' types."""

import json
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.preview.graph import graph
from ops.preview.inputs import check_inputs
from ops.preview.pack import pack_config
from ops.preview.record import Recording, record
from ops.preview.simulated import outputs_of
from ops.preview.stackfile import project_name, stack_values
from policy.rules.engine import check_resource, check_stack, exposure
from policy.rules.model import Exposure, PackConfig, Violation

PROGRAM = Path(__file__).resolve().parents[2] / "__main__.py"


@dataclass(frozen=True)
class Preview:
    """What one run showed."""

    stack: str
    target: str
    recording: Recording
    violations: list[Violation]
    exposure: Exposure

    @property
    def blocked(self) -> bool:
        """Whether the policy pack would stop a deployment."""
        return any(violation.blocking for violation in self.violations)

    @property
    def graph(self) -> dict[str, Any]:
        """The recorded graph as other tools read it."""
        return graph(self.stack, self.target, self.recording, self.violations, self.exposure)


def preview(root: Path, stack: str) -> Preview:
    """Run the program with one stack file of the project in ``root``.

    Raises ``StackFileError``, ``PackConfigError`` or what the program raises; a wrong stack file is a
    ``pulumi.RunError``.
    """
    config = pack_config(root)
    values = stack_values(root, stack)
    project = project_name(root)
    recording = record(_run, project=project, stack=stack, preview=True, config=values, outputs=outputs_of)
    target = values.get(f"{project}:target", "cloud")
    return Preview(stack, target, recording, _violations(recording, config), exposure(recording.resources))


def _run() -> None:
    runpy.run_path(str(PROGRAM), run_name="__main__")


def _violations(recording: Recording, config: PackConfig) -> list[Violation]:
    found = [violation for resource in recording.resources for violation in check_inputs(resource)]
    found += [violation for resource in recording.resources for violation in check_resource(resource, config)]
    return [*found, *check_stack(recording.resources, config)]


def to_json(value: object) -> str:
    """The text of a graph, stable and readable."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
