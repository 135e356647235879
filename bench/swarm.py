"""`python -m bench.swarm`: how the offline preview of a Swarm grows from 5 machines and 75 services to 20 and 300."""

import shutil
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import yaml

from bench.preview import alternating
from ops.preview.run import preview
from ops.scale import SERVICES, settled, simulated

ROOT = Path(__file__).resolve().parents[1]
MACHINES = (5, 10, 20)
LIMIT = 2.3
"""The most that twice the machines with twice the services may take, as a multiple."""


def main() -> int:
    """Print the times and their ratios; exit code 1 if it grows faster than about linearly."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(ROOT / "Pulumi.yaml", root)
        for machines in MACHINES:
            (root / f"Pulumi.{_name(machines)}.yaml").write_text(yaml.safe_dump(_stack(machines)), encoding="utf-8")
        preview(root, _name(MACHINES[0]))
        found = alternating(root, [_name(machines) for machines in MACHINES])
    times = {machines: found[_name(machines)] for machines in MACHINES}
    ratios = [times[larger] / times[smaller] for smaller, larger in pairwise(MACHINES)]
    told = ", ".join(f"{each} machines and {each * SERVICES} services {times[each]:.2f} s" for each in MACHINES)
    print(
        f"offline preview of a Swarm: {told}, ratios {', '.join(f'{ratio:.2f}' for ratio in ratios)} (at most {LIMIT})"
    )
    return 0 if max(ratios) <= LIMIT else 1


def _stack(machines: int) -> dict[str, object]:
    raw = simulated(machines)
    raw["network"] = {"subnets": settled(raw)[0].network.subnets}
    return {"config": {f"zero-exposure:{key}": value for key, value in raw.items()}}


def _name(machines: int) -> str:
    return f"machines{machines}"


if __name__ == "__main__":
    sys.exit(main())
