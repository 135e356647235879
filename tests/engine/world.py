"""A stack in simulated clouds, driven by the real CLI through Pulumi's Automation API."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import yaml
from pulumi import automation

from ops.changes.cases import Edit, edited
from ops.destroy.__main__ import release
from ops.orphans.__main__ import main as orphans
from ops.simulated.clouds import Clouds, clouds
from ops.simulated.run import Simulation
from simulators.faults import Fault

ROOT = Path(__file__).parents[2]
NOTHING: Mapping[str, str] = MappingProxyType({})
UNCHANGED = {"same", "refresh"}
"""Operations that change nothing."""


@dataclass
class World:
    """One stack. ``events`` are the engine's own, from every command. ``left_out``: what `up` does not make here."""

    stack: automation.Stack
    clouds: Clouds
    simulation: Simulation
    left_out: Mapping[str, Any] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)
    output: list[str] = field(default_factory=list)

    def preview(self) -> dict[str, int]:
        """Number of resources for each operation; raises ``automation.CommandError``. The whole program is held against
        the policy pack."""
        pack: dict[str, Any] = {} if self.left_out else {"policy_packs": [str(self.simulation.project / "policy")]}
        done = self.stack.preview(**pack, **self.left_out, **self._told())
        return _counts(done.change_summary)

    def up(self, whatever_fails: bool = False, refresh: bool = False) -> dict[str, int]:
        """The same, done. ``whatever_fails``: what does not depend on a failure is made all the same.

        With that the engine never ends where a deletion before a replacement fails (pulumi/pulumi#16373).
        """
        done = self.stack.up(continue_on_error=whatever_fails, refresh=refresh, **self.left_out, **self._told())
        return _counts(done.summary.resource_changes or {})

    def changed_by_another_up(self) -> dict[str, list[str]]:
        """What `up` still changes although nothing was asked for: resource → its inputs."""
        before = len(self.changes())
        self.up()
        told = [event.resource_pre_event.metadata for event in self.changes()[before:]]
        return {each.urn.rpartition("::")[2]: list(each.detailed_diff or each.diffs or []) for each in told}

    def refresh(self) -> dict[str, int]:
        """Read everything anew."""
        done = self.stack.refresh(**self._told())
        return _counts(done.summary.resource_changes or {}) if done.summary else {}

    def destroy(self) -> None:
        """Delete everything that is not protected."""
        release(self.simulation.stack, self._cli)
        self.stack.destroy(exclude_protected=True, **self._told())

    def _cli(self, words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        folder = self.simulation.project
        return subprocess.run(["pulumi", *words], cwd=folder, capture_output=True, text=True, check=True)

    def _told(self) -> dict[str, Any]:
        return {"on_event": self.events.append, "on_output": self.output.append, "on_error": self.output.append}

    def resources(self) -> list[dict[str, Any]]:
        """What the state holds, secrets in plaintext."""
        deployment = self.stack.export_stack().deployment or {}
        resources: list[dict[str, Any]] = deployment.get("resources", [])
        return resources

    def ids(self, token: str) -> dict[str, str]:
        """Name → id of every resource of one type that the state knows."""
        return {row["urn"].rpartition("::")[2]: row["id"] for row in self.resources() if row["type"] == token}

    def forget(self, name: str) -> None:
        """Let Pulumi no longer know what is there, as after a creation whose answer was lost."""
        (urn,) = (row["urn"] for row in self.resources() if row["urn"].endswith(f"::{name}"))
        self._cli(["state", "delete", urn, "--stack", self.simulation.stack, "--yes"])

    def half_made(self) -> list[str]:
        """Types of what the state knows as begun and not finished."""
        marks = ("initErrors", "pendingReplacement", "delete")
        return [row["type"] for row in self.resources() if any(row.get(mark) for mark in marks)]

    def shown(self) -> str:
        """All that was written to a terminal, to the event log and to the state's files."""
        events = json.dumps(self.events, default=vars, ensure_ascii=False)
        files = [
            path.read_text(encoding="utf-8", errors="replace")
            for path in self.simulation.backend.rglob("*")
            if path.is_file()
        ]
        return "\n".join([*self.output, events, *files])

    def configure_secret(self, name: str, value: str) -> None:
        """As `pulumi config set --secret --path zero-exposure:secrets.NAME` does."""
        secret = automation.ConfigValue(value, secret=True)
        self.stack.set_config(f"zero-exposure:secrets.{name}", secret, path=True)

    def edit(self, *edits: Edit) -> None:
        """Change the stack file."""
        file = self.simulation.project / f"Pulumi.{self.simulation.stack}.yaml"
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        values = {key.rpartition(":")[2]: value for key, value in content["config"].items()}
        config = {f"zero-exposure:{key}": value for key, value in edited(values, edits).items()}
        file.write_text(yaml.safe_dump({**content, "config": config}, allow_unicode=True), encoding="utf-8")

    def changes(self) -> list[Any]:
        """Events that announce something else than that nothing changes; of the stack itself none."""
        announced = [event for event in self.events if event.resource_pre_event]
        return [
            event
            for event in announced
            if event.resource_pre_event.metadata.op.value not in UNCHANGED
            and "pulumi:pulumi:Stack" not in event.resource_pre_event.metadata.urn
        ]

    def registrar_signs(self) -> None:
        """The zone's signature is announced by the registrar, so that it is no longer pending."""
        for zone in self.clouds.cloudflare.store.table("zones").values():
            zone["_dnssec"]["status"] = "active"

    def fault(self, cloud: str, **fault: Any) -> None:
        """Plan a fault of ``hetzner``, ``cloudflare`` or ``engine``."""
        getattr(self.clouds, cloud).faults.plan(Fault(**fault))

    def look_for_orphans(self) -> int:
        """`make orphans`, which deletes what it finds; its exit code."""
        return orphans(["--stack", self.simulation.stack, "--root", str(self.simulation.project), "--yes"])


def _counts(changes: Any) -> dict[str, int]:
    """Operations by their plain names."""
    return {str(getattr(operation, "value", operation)): count for operation, count in changes.items()}


def leaving_out(words: Sequence[str]) -> dict[str, Any]:
    """The CLI's arguments that leave something out, as the Automation API takes them."""
    return {"exclude": [words[1]], "exclude_dependents": True} if words else {}


@contextmanager
def world(
    folder: Path, stack: str = "dev", environment: Mapping[str, str] = NOTHING, real_engine: bool = False
) -> Iterator[World]:
    """One stack in clouds of its own."""
    with worlds(folder, [stack], environment, real_engine) as made:
        yield made[0]


@contextmanager
def worlds(
    folder: Path, stacks: Sequence[str], environment: Mapping[str, str] = NOTHING, real_engine: bool = False
) -> Iterator[list[World]]:
    """Stacks side by side: one checkout, one backend, one account at Cloudflare; each has a project at Hetzner and an
    Engine of its own, as servers have. ``environment`` is added to the CLI's.
    """
    simulations = [Simulation(ROOT, stack, folder) for stack in stacks]
    simulations[0].prepare(real_engine)
    left_out = leaving_out(simulations[0].left_out())
    with _served(simulations, folder) as served:
        pairs = list(zip(simulations, served, strict=True))
        made = [{**simulation.environment(each), **environment} for simulation, each in pairs]
        # The Automation API adds this process's environment, so that is made anew too.
        with patch.dict(os.environ, made[0], clear=True):
            yield [
                World(_select(simulation, own), each, simulation, left_out)
                for (simulation, each), own in zip(pairs, made, strict=True)
            ]


@contextmanager
def _served(simulations: Sequence[Simulation], folder: Path) -> Iterator[list[Clouds]]:
    with ExitStack() as stack:
        shared = stack.enter_context(clouds([simulation.values() for simulation in simulations], folder))
        served = [shared]
        for simulation in simulations[1:]:
            (folder / simulation.stack).mkdir(exist_ok=True)
            own = stack.enter_context(clouds([], folder / simulation.stack))
            address = shared.cloudflare_endpoint
            served.append(replace(own, cloudflare=shared.cloudflare, cloudflare_endpoint=address))
        yield served


def _select(simulation: Simulation, made: dict[str, str]) -> automation.Stack:
    options = automation.LocalWorkspaceOptions(env_vars=made)
    return automation.create_or_select_stack(simulation.stack, work_dir=str(simulation.project), opts=options)
