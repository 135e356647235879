"""`make sbom`: what a stack is made of, as CycloneDX, and the licences of the Python packages as a list."""

import argparse
import re
import sys
from pathlib import Path

import pulumi
from rich.console import Console
from rich.table import Table

from ops.preview.pack import PackConfigError
from ops.preview.run import preview
from ops.preview.stackfile import StackFileError, project_name, stack_values
from ops.sbom.document import document
from ops.sbom.parts import Part, debian, images, python
from settings.load import load

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Record the stack offline and write its parts."""
    parser = argparse.ArgumentParser(prog="python -m ops.sbom", description=__doc__)
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "sbom.cdx.json", metavar="FILE")
    options = parser.parse_args()
    try:
        parts = collect(ROOT, options.stack)
    except (StackFileError, PackConfigError, pulumi.RunError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(document(options.stack, parts), encoding="utf-8")
    Console().print(_table(parts))
    Console().print(f"{len(parts)} parts written to {options.out}", soft_wrap=True)
    return 0


def collect(root: Path, stack: str) -> list[Part]:
    """All parts of one stack."""
    settings = load(stack_values(root, stack), project_name(root))
    pins = re.findall(r"^[\w.-]+==[\w.]+", (root / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    return [*images(preview(root, stack).graph), *debian(settings), *python(pins)]


def _table(parts: list[Part]) -> Table:
    table = Table("kind", "name", "version", "licence or use", box=None, padding=(0, 1), header_style="bold")
    for part in parts:
        table.add_row(
            part.kind,
            part.name,
            part.digest or part.version or "the release's newest",
            part.licence or ", ".join(part.used_by),
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
