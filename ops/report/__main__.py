"""`make report`: one HTML page about a stack: score, evidence, pictures, who reaches whom, rules, images, files."""

import argparse
import sys
from pathlib import Path

import pulumi
from rich.console import Console

from ops.preview.pack import PackConfigError, pack_config
from ops.preview.run import preview
from ops.preview.stackfile import StackFileError
from ops.report.page import page
from ops.report.render import render

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Record the stack offline and write its report. Whether it may be deployed is the preview's to answer."""
    parser = argparse.ArgumentParser(prog="python -m ops.report", description=__doc__)
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: build/report/STACK.html")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of Pulumi.yaml (default: this project)")
    options = parser.parse_args()
    out = options.out or ROOT / "build" / "report" / f"{options.stack}.html"
    try:
        text = render(page(preview(options.root, options.stack), pack_config(options.root)))
    except (StackFileError, PackConfigError, pulumi.RunError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    Console().print(str(out), soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
