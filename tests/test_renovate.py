"""Renovate finds every image that a stack may run: its expressions match what stands in the files."""

import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ops.preview.graph import graph
from ops.preview.run import preview
from ops.sbom.parts import images
from settings.image import images as images_by_name
from settings.values import Image

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


@pytest.mark.parametrize("stack", ["dev", "prod", "local", "swarm"])
def test_every_image_of_the_examples_is_found(stack: str) -> None:
    shown = preview(ROOT, stack)
    recorded = graph(stack, shown.target, shown.recording, shown.violations, shown.exposure)
    wanted = {f"{part.name}:{part.version}" for part in images(recorded)}
    assert wanted
    assert wanted - _found() == set()


def _replaced(text: str, value: str, digest: str) -> str:
    """What Renovate makes of a text: the match by the template, with the values that it found. `if` is all that the
    template uses. https://docs.renovatebot.com/configuration-options/#customManagersautoreplacestringtemplate"""
    (manager,) = MANAGERS
    match = re.search(re.sub(r"\(\?<", "(?P<", manager["matchStrings"][0]), text)
    assert match
    template = re.sub(r"{{#if newDigest}}(.*?){{/if}}", r"\1" if digest else "", manager["autoReplaceStringTemplate"])
    found = {"depName": match["depName"], "newValue": value, "newDigest": digest}
    return text.replace(match[0], re.sub(r"{{{(\w+)}}}", lambda name: found[name[1]], template))


def test_an_image_that_has_no_digest_gets_one() -> None:
    """Without the template Renovate has nowhere to put it, and gives the update up: renovatebot/renovate#10993."""
    new = f"sha256:{'b' * 64}"
    assert _replaced("  image: nats:2.14 # bus", "2.14", new) == f"  image: nats:2.14@{new} # bus"
    assert _replaced(f"image: a.dev:5000/b:1@sha256:{'a' * 64}", "2", new) == f"image: a.dev:5000/b:2@{new}"
    assert _replaced("image: nats:2.14", "2.15", "") == "image: nats:2.15"


def test_an_updated_image_makes_no_generated_file_old() -> None:
    assert not [name for name in images_by_name().values() if name in (ROOT / "stack.schema.json").read_text("utf-8")]


@pytest.mark.parametrize("name", sorted(images_by_name()))
def test_every_image_of_our_own_is_pinned_and_used(name: str) -> None:
    assert TypeAdapter(Image).validate_python(images_by_name()[name])
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "settings").glob("*.py")]
    assert any(f'own_image("{name}"' in text for text in texts)


def test_a_digest_is_read_apart_from_the_tag() -> None:
    text = re.sub(r"\(\?<", "(?P<", MANAGERS[0]["matchStrings"][0])
    match = re.search(text, f"image: ghcr.io/a/b:1.2@sha256:{'a' * 64}")
    assert match
    assert (match["depName"], match["currentValue"], match["currentDigest"]) == (
        "ghcr.io/a/b",
        "1.2",
        f"sha256:{'a' * 64}",
    )
