"""`make diagram`: draws a stack from its recorded graph, as SVG and as Mermaid. Needs nothing but Python."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pulumi
from rich.console import Console

from ops.diagram import mermaid, svg
from ops.diagram.picture import Picture, pictures
from ops.generated import keep
from ops.preview.pack import PackConfigError
from ops.preview.run import preview
from ops.preview.stackfile import StackFileError
from ops.recorded import Graph, read

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Write every picture of a stack, or the main one alone."""
    options = _options()
    try:
        graph = json.loads(options.graph.read_text(encoding="utf-8")) if options.graph else _record(options.stack)
    except (StackFileError, PackConfigError, pulumi.RunError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        return 1
    drawn = pictures(read(graph))
    if options.svg:
        return _one(drawn[0], options.svg, check=options.check)
    for path in _write(drawn, options.out):
        Console().print(str(path), soft_wrap=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.diagram", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--graph", type=Path, metavar="FILE", help="draw this graph, which ops.preview --json wrote")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "diagram", metavar="DIR")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the main picture here, and nothing else")
    parser.add_argument("--check", action="store_true", help="with --svg: write nothing; exit 1 if it is not current")
    return parser.parse_args()


def _record(stack: str) -> Graph:
    return preview(ROOT, stack).graph


def _write(drawn: tuple[Picture, ...], folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for picture in drawn:
        name = "-".join(filter(None, (picture.stack, picture.concern)))
        for path, text in ((f"{name}.svg", svg.render(picture)), (f"{name}.mmd", mermaid.render(picture))):
            (folder / path).write_text(text, encoding="utf-8")
            yield folder / path


def _one(picture: Picture, path: Path, *, check: bool) -> int:
    return keep(path, svg.render(picture), check=check, stale=f"{path} is not current: make picture")


if __name__ == "__main__":
    sys.exit(main())
