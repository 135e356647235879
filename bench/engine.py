"""`python -m bench.engine`: preview and `up` on the real engine, in simulated clouds: how long they take, how that
grows, and how much of it is this program's own Python. Skipped where the Pulumi CLI is missing.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.stacks import stack
from ops.changes.cases import Values, example
from ops.simulated.clouds import clouds
from ops.simulated.run import MISSING, Simulation

ROOT = Path(__file__).resolve().parents[1]
SAMPLER = ROOT / "bench" / "sampler"
SIZES = (50, 100, 200)
LIMIT = 2.3
"""The most that twice the services may take, as a multiple."""
UNWRITTEN = "up without its state being written at each step"
"""The engine writes the whole state before and after each step, which is the square of a stack's size, and none of this
program's doing: pulumi/pulumi#10960, #22075. So `up` is judged without; nobody should deploy so, since an `up` that is
cut off then knows nothing of what it made. Where Pulumi's own service keeps the state, the CLI sends it each step alone
(3.260.0, pkg/backend/httpstate); that can't be measured without an account."""
AT_ONCE = 64
"""Resources at a time: the provider waits two seconds for each network, whatever this program does."""
JUDGED = ("preview", UNWRITTEN)


@dataclass(frozen=True)
class Taken:
    """Seconds of a command, and of it those in which the project's own code was what the program was busy with."""

    seconds: float
    own: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, own Python {self.own:.1f} s ({100 * self.own / self.seconds:.0f} %)"


def main() -> int:
    """Print times, shares and growth; exit code 1 if it grows faster than about linearly."""
    if shutil.which("pulumi") is None:
        print(f"engine: skipped, {MISSING}")
        return 0
    _measured("dev", example(ROOT, "dev"))
    taken = {size: _measured(f"{size} services", _of(size)) for size in SIZES}
    small, large = (taken[size] for size in SIZES[1:])
    ratios = {command: large[command].seconds / small[command].seconds for command in small}
    for command, ratio in ratios.items():
        bound = f" (at most {LIMIT})" if command in JUDGED else ""
        print(f"{command}: {SIZES[2]} services to {SIZES[1]}: {ratio:.2f}{bound}")
    return int(max(ratios[command] for command in JUDGED) > LIMIT)


def _of(size: int) -> Values:
    """The example's cloud and protection around this many services."""
    services = {key: value for key, value in stack(size).items() if key in ("services", "network")}
    return {**example(ROOT, "dev"), "backup": {}, "generated": ["alert_topic"], **services}


def _measured(name: str, values: Values) -> dict[str, Taken]:
    with _engine(values) as engine:
        taken = {"preview": engine.run("preview"), "up": engine.run("up", "--yes", "--skip-preview")}
    with _engine(values) as engine:
        engine.environment["PULUMI_SKIP_CHECKPOINTS"] = "true"
        taken[UNWRITTEN] = engine.run("up", "--yes", "--skip-preview")
    for command, times in taken.items():
        print(f"{command} of {name}: {times}", flush=True)
    return taken


@dataclass(frozen=True)
class _Engine:
    """The real CLI on one stack."""

    project: Path
    samples: Path
    environment: dict[str, str]

    def run(self, *words: str) -> Taken:
        """One command, timed. Raises ``RuntimeError`` where it fails."""
        begun = time.perf_counter()
        self.cli(*words, "--stack", "dev", "--parallel", str(AT_ONCE))
        seconds = time.perf_counter() - begun
        return Taken(seconds, json.loads(self.samples.read_text(encoding="utf-8"))["own"])

    def cli(self, *words: str) -> None:
        """The CLI itself. Raises ``RuntimeError`` where it fails."""
        command = ["pulumi", *words, "--non-interactive"]
        done = subprocess.run(
            command, cwd=self.project, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stdout[-2000:] + done.stderr)


@contextmanager
def _engine(values: Values) -> Iterator[_Engine]:
    with tempfile.TemporaryDirectory(prefix="zero-exposure-") as folder:
        simulation = Simulation(ROOT, "dev", Path(folder))
        simulation.prepare(real_engine=False)
        config = {"config": {f"zero-exposure:{key}": value for key, value in values.items()}}
        text = yaml.safe_dump(config, allow_unicode=True)
        (simulation.project / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
        samples = Path(folder) / "samples.json"
        sampling = {"PYTHONPATH": SAMPLER, "BENCH_ROOT": simulation.project, "BENCH_SAMPLES": samples}
        with clouds([values], simulation.folder, lasting=False) as served:
            made = simulation.environment(served) | {key: str(path) for key, path in sampling.items()}
            engine = _Engine(simulation.project, samples, made)
            engine.cli("stack", "select", "--create", "dev")
            yield engine


if __name__ == "__main__":
    sys.exit(main())
