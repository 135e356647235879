"""`python -m bench.preview`: how the offline preview grows from 250 to 500 services."""

import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import yaml

from bench.stacks import stack
from ops.preview.run import preview

ROOT = Path(__file__).resolve().parents[1]
SIZES = (250, 500)
ROUNDS = 3
LIMIT = 2.3
"""The most that twice the services may take, as a multiple."""


def main() -> int:
    """Print the times and their ratio; exit code 1 if it grows faster than about linearly."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(ROOT / "Pulumi.yaml", root)
        for size in SIZES:
            config = {f"zero-exposure:{key}": value for key, value in stack(size).items()}
            (root / f"Pulumi.{_name(size)}.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
        preview(root, _name(SIZES[0]))
        found = alternating(root, [_name(size) for size in SIZES])
    times = {size: found[_name(size)] for size in SIZES}
    ratio = times[SIZES[1]] / times[SIZES[0]]
    print("offline preview: " + ", ".join(f"{size} services {times[size]:.2f} s" for size in SIZES), end="")
    print(f", ratio {ratio:.2f} (at most {LIMIT})")
    return 0 if ratio <= LIMIT else 1


def _name(size: int) -> str:
    return f"size{size}"


def alternating(root: Path, names: Sequence[str]) -> dict[str, float]:
    """Median seconds of each stack's preview; the stacks take turns, so that a busy machine slows all."""
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name in names:
            start = time.perf_counter()
            preview(root, name)
            taken[name].append(time.perf_counter() - start)
    return {name: median(times) for name, times in taken.items()}


if __name__ == "__main__":
    sys.exit(main())
