"""`make verify-images`: is each image of a stack signed by whoever is known to sign it? docs/images.md

Exit code 0: yes, as far as somebody signs. 1: a signature is missing or another's, or what is signed is named by a tag
that can be moved; with `--strict` also where nobody is known to sign.
"""

import argparse
import shutil
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pulumi
from rich.console import Console
from rich.text import Text

from ops.images.cosign import ask
from ops.images.verdict import FAILS, Kind, Verdict, judge
from ops.preview.pack import PackConfigError
from ops.preview.run import preview
from ops.preview.stackfile import StackFileError, project_name, stack_values
from ops.sbom.parts import Part, images
from settings.load import SettingsError, load
from settings.signer import Signer, known, signer_of

ROOT = Path(__file__).resolve().parents[2]
INSTALL = "cosign is not on PATH: https://docs.sigstore.dev/cosign/system_config/installation/"
MARKS: dict[Kind, tuple[str, str]] = {
    "signed": ("✔", "green"),
    "tag": ("✘", "red"),
    "refused": ("✘", "red"),
    "nobody": ("?", "yellow"),
}


def main() -> int:
    """Ask for every image, tell all of it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ops.images", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of Pulumi.yaml (default: this project)")
    parser.add_argument("--strict", action="store_true", help="fail where nobody is known to sign an image")
    options = parser.parse_args()
    try:
        found, signers = _read(options.root, options.stack)
    except (StackFileError, SettingsError, PackConfigError, pulumi.RunError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        return 1
    if any(signer_of(image.name, signers) for image in found) and shutil.which("cosign") is None:
        Console(stderr=True).print(INSTALL, style="red", markup=False, soft_wrap=True)
        return 1
    verdicts = list(judge(found, signers, partial(ask, root=options.root)))
    return _show(verdicts, Console(), strict=options.strict)


def _read(root: Path, stack: str) -> tuple[list[Part], dict[str, Signer]]:
    """Images of a stack, and who signs which: what the stack file says comes before what is known."""
    settings = load(stack_values(root, stack), project_name(root))
    return list(images(preview(root, stack).graph)), {**known(), **settings.signers}


def _show(verdicts: list[Verdict], console: Console, *, strict: bool) -> int:
    for verdict in verdicts:
        mark, style = MARKS[verdict.kind]
        console.print(Text.assemble((mark, style), " ", (verdict.image, "bold"), "  ", verdict.text), soft_wrap=True)
    count = Counter(verdict.kind for verdict in verdicts)
    failed = sum(FAILS[verdict.kind] or (strict and verdict.kind == "nobody") for verdict in verdicts)
    console.print(
        f"\n{len(verdicts)} images: {count['signed']} verified by digest, {count['tag']} by tag alone, "
        f"{count['refused']} refused, {count['nobody']} without a known signer."
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
