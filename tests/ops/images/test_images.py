"""Each image is held against whoever signs it, and nothing but a clear yes passes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.images.cosign import Answer, ask, command
from ops.images.verdict import Kind, judge
from ops.sbom.parts import Part
from settings.image import images
from settings.signer import Signer, known

ROOT = Path(__file__).parents[3]
STANDIN = Path(__file__).with_name("cosign.py")
DIGEST, RESTIC = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
GITHUB = "https://token.actions.githubusercontent.com"
BUILDER = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml"
PROVENANCE = {
    "issuer": GITHUB,
    "identity": f"{BUILDER}@refs/tags/v2.1.0",
    "repository": "restic/restic",
    "digest": RESTIC,
    "statement": "https://slsa.dev/provenance/v0.2",
}
KEYED = {"key": "keys/acme.pub", "digest": DIGEST, "logged": False}
ACME = Signer(key="keys/acme.pub", logged=False)


@pytest.fixture
def cosign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts the stand-in on PATH, and what its registry has."""
    program = tmp_path / "bin" / "cosign"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STANDIN}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    def registry(**images: dict[str, Any]) -> None:
        monkeypatch.setenv("REGISTRY", json.dumps(images))

    registry()
    return registry


def _verdicts(image: Part, signers: dict[str, Signer]) -> list[tuple[Kind, str]]:
    found = judge([image], signers, lambda reference, signer: ask(reference, signer, ROOT))
    return [(verdict.kind, verdict.text) for verdict in found]


def test_an_image_of_a_keys_owner_passes_by_its_digest(cosign: Any) -> None:
    cosign(**{f"registry.acme.dev/api@{DIGEST}": KEYED})
    image = Part("image", "registry.acme.dev/api", "1.4", DIGEST)
    assert _verdicts(image, {"registry.acme.dev/": ACME}) == [("signed", "signed by key keys/acme.pub; by digest")]


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        ({}, "image tag not found"),
        ({f"registry.acme.dev/api@{DIGEST}": {}}, "no signatures found"),
        ({f"registry.acme.dev/api@{DIGEST}": {**KEYED, "key": "keys/other.pub"}}, "no matching attestations"),
        ({f"registry.acme.dev/api@{RESTIC}": KEYED}, "image tag not found"),
    ],
    ids=["not there", "not signed", "another's signature", "another digest"],
)
def test_whatever_is_not_a_clear_yes_is_refused(cosign: Any, there: dict[str, Any], reason: str) -> None:
    cosign(**there)
    image = Part("image", "registry.acme.dev/api", "1.4", DIGEST)
    ((kind, text),) = _verdicts(image, {"registry.acme.dev/": ACME})
    assert kind == "refused"
    assert reason in text


def test_a_tag_is_not_enough_and_the_digest_to_write_is_named(cosign: Any) -> None:
    cosign(**{"registry.acme.dev/api:1.4": KEYED})
    ((kind, text),) = _verdicts(Part("image", "registry.acme.dev/api", "1.4"), {"registry.acme.dev/": ACME})
    assert kind == "tag"
    assert text.endswith(f"write registry.acme.dev/api:1.4@{DIGEST}")


def test_a_signature_that_should_be_in_the_log_is_not_taken_from_outside_it(cosign: Any) -> None:
    cosign(**{f"registry.acme.dev/api@{DIGEST}": KEYED})
    image = Part("image", "registry.acme.dev/api", "", DIGEST)
    ((kind, text),) = _verdicts(image, {"registry.acme.dev/": Signer(key="keys/acme.pub")})
    assert (kind, "transparency log" in text) == ("refused", True)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, "signed"),
        ({"repository": "evil/restic"}, "refused"),
        ({"identity": f"https://evil.example/?{BUILDER}@refs/tags/v2.1.0"}, "refused"),
        ({"identity": f"{BUILDER}@refs/heads/main"}, "refused"),
        ({"issuer": "https://accounts.google.com"}, "refused"),
        ({"statement": "https://spdx.dev/Document"}, "refused"),
    ],
    ids=["its own", "repository", "identity that only contains it", "branch", "issuer", "other statement"],
)
def test_restics_images_are_taken_from_restics_release_workflow_alone(
    cosign: Any,
    change: dict[str, str],
    kind: Kind,
) -> None:
    cosign(**{f"ghcr.io/restic/restic@{RESTIC}": {**PROVENANCE, **change}})
    image = Part("image", "ghcr.io/restic/restic", "0.19.1", RESTIC)
    assert [found for found, _ in _verdicts(image, known())] == [kind]


def test_nobody_is_asked_of_an_image_that_nobody_signs() -> None:
    found = list(judge([Part("image", "postgres", "18.6")], known(), lambda *_: Answer(problem="asked")))
    assert [(verdict.kind, verdict.text) for verdict in found] == [
        ("nobody", "no known signer; by tag, which its owner can move")
    ]


def test_a_command_line_carries_all_that_was_declared() -> None:
    words = command("ghcr.io/restic/restic:1", known()["ghcr.io/restic/restic"])
    assert words[:4] == ["cosign", "verify-attestation", "--type", "slsaprovenance"]
    assert words[words.index("--certificate-identity-regexp") + 1].startswith("^(?:https://github\\.com/slsa-framework")
    assert words[words.index("--certificate-github-workflow-repository") + 1] == "restic/restic"
    assert command("a/b:1", ACME) == [
        "cosign", "verify", "--key", "keys/acme.pub", "--insecure-ignore-tlog=true", "--output", "json", "a/b:1",
    ]  # fmt: skip


def _project(tmp_path: Path, signers: dict[str, Any]) -> Path:
    """The local example, with signers."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("Pulumi.yaml", "policy", "__main__.py", "deployment.py", "topology", "settings", "components"):
        (folder / name).symlink_to(ROOT / name)
    content = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8"))
    content["config"]["zero-exposure:signers"] = signers
    (folder / "Pulumi.local.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def _run(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "ops.images", "--stack", "local", "--root", str(folder), *flags]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("key", "flags", "code"),
    [("keys/acme.pub", [], 0), ("keys/other.pub", [], 1), ("keys/acme.pub", ["--strict"], 1)],
    ids=["all as declared", "another's signature", "strict, and nobody signs the others"],
)
def test_the_exit_code_decides(cosign: Any, tmp_path: Path, key: str, flags: list[str], code: int) -> None:
    digest = images()["restic"].partition("@")[2]
    cosign(**{f"ghcr.io/restic/restic@{digest}": {**KEYED, "digest": digest, "key": key}})
    signer = {"key": "keys/acme.pub", "logged": False}
    done = _run(_project(tmp_path, {"ghcr.io/restic/restic": signer}), *flags)
    assert done.returncode == code, done.stderr
    assert f"{'0' if 'other' in key else '1'} verified by digest" in done.stdout


def test_a_missing_cosign_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(shutil.which("sh") or "/bin/sh").parent / "nowhere"))
    done = _run(_project(tmp_path, {}))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "cosign is not on PATH: https://docs.sigstore.dev/cosign/system_config/installation/"
