"""The bill of materials names every part of a deployment, in the standard's own form."""

import json
from pathlib import Path

import pytest

from ops.sbom.__main__ import collect
from ops.sbom.document import document
from ops.sbom.parts import IMAGE, Part, images, split

ROOT = Path(__file__).parents[3]
DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("postgres:18.6-alpine", ("postgres", "18.6-alpine", "")),
        ("ghcr.io/a/b:1.2", ("ghcr.io/a/b", "1.2", "")),
        ("registry.mine.dev:5000/b:1.2", ("registry.mine.dev:5000/b", "1.2", "")),
        (f"registry.mine.dev:5000/b@{DIGEST}", ("registry.mine.dev:5000/b", "", DIGEST)),
        (f"a/b:1.2@{DIGEST}", ("a/b", "1.2", DIGEST)),
    ],
)
def test_a_reference_is_split(reference: str, parts: tuple[str, str, str]) -> None:
    assert split(reference) == parts


def test_an_image_is_listed_once_with_all_that_run_it() -> None:
    resources = [{"type": IMAGE, "name": f"{node}-image", "inputs": {"name": "nats:2"}} for node in ("queue", "bus")]
    assert list(images({"resources": resources})) == [Part("image", "nats", "2", used_by=("bus", "queue"))]


def test_the_example_stack_is_complete_and_its_document_is_valid() -> None:
    parts = collect(ROOT, "dev")
    written = json.loads(document("dev", parts))
    purls = {component["purl"] for component in written["components"]}
    assert len(purls) == len(parts)
    assert "pkg:deb/cloudflare/cloudflared?distro=debian-13" in purls
    assert any(purl.startswith("pkg:docker/postgres@") for purl in purls)
    assert any(purl.startswith("pkg:pypi/pulumi-hcloud@") for purl in purls)
    assert any(purl.startswith("pkg:pypi/grpcio@") for purl in purls), "what is needed by what is needed"
    assert [part.name for part in parts if part.kind == "python" and not part.licence] == []


def test_a_local_stack_has_no_server() -> None:
    assert [part for part in collect(ROOT, "local") if part.kind == "debian"] == []


def test_a_digest_is_the_version_and_a_hash() -> None:
    component = json.loads(document("x", [Part("image", "a/b", "1.2", DIGEST)]))["components"][0]
    assert component["purl"] == f"pkg:docker/a/b@{DIGEST}"
    assert component["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
