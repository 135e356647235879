"""Renovate finds every image that a stack may run: its expressions match what stands in the files."""

import json
import re
from pathlib import Path

import pytest

from ops.preview.graph import graph
from ops.preview.run import preview
from ops.sbom.parts import images

ROOT = Path(__file__).parents[1]
MANAGERS = json.loads((ROOT / "renovate.json").read_text(encoding="utf-8"))["customManagers"]


def _found() -> set[str]:
    found = set()
    for manager in MANAGERS:
        patterns = [re.compile(pattern.strip("/")) for pattern in manager["managerFilePatterns"]]
        texts = [re.sub(r"\(\?<", "(?P<", text) for text in manager["matchStrings"]]
        for path in ROOT.rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and any(pattern.search(name) for pattern in patterns):
                content = path.read_text(encoding="utf-8")
                found |= {
                    f"{match['depName']}:{match['currentValue']}"
                    for text in texts
                    for match in re.finditer(text, content)
                }
    return found


@pytest.mark.parametrize("stack", ["dev", "prod", "local"])
def test_every_image_of_the_examples_is_found(stack: str) -> None:
    shown = preview(ROOT, stack)
    recorded = graph(stack, shown.target, shown.recording, shown.violations, shown.exposure)
    wanted = {f"{part.name}:{part.version}" for part in images(recorded)}
    assert wanted
    assert wanted - _found() == set()


def test_a_digest_is_read_apart_from_the_tag() -> None:
    text = re.sub(r"\(\?<", "(?P<", MANAGERS[0]["matchStrings"][0])
    match = re.search(text, f"image: ghcr.io/a/b:1.2@sha256:{'a' * 64}")
    assert match
    assert (match["depName"], match["currentValue"], match["currentDigest"]) == (
        "ghcr.io/a/b",
        "1.2",
        f"sha256:{'a' * 64}",
    )
