"""What cosign is asked, and what its answer says. https://docs.sigstore.dev/cosign/verifying/verify/"""

import base64
import binascii
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from settings.signer import Signer

WAITS = 180
"""Seconds for one image: cosign asks the registry, and where keyless the transparency log's keys."""


@dataclass(frozen=True)
class Answer:
    """``digest`` is that of what was verified, where cosign names one; ``problem`` is empty where it was."""

    digest: str = ""
    problem: str = ""


def command(reference: str, signer: Signer) -> list[str]:
    """The command line. Paths of keys are relative to the project."""
    kind = ["verify-attestation", "--type", signer.attestation] if signer.attestation else ["verify"]
    return ["cosign", *kind, *_whose(signer), "--output", "json", reference]


def _whose(signer: Signer) -> Iterator[str]:
    if signer.key is not None:
        yield from ("--key", signer.key)
        if not signer.logged:
            # Without it a key's signature has to be in the log, which names every private image in public.
            yield "--insecure-ignore-tlog=true"
        return
    yield from ("--certificate-oidc-issuer", str(signer.issuer))
    # cosign searches; here the whole identity has to match, or https://evil.example/?https://github.com/… would do.
    yield from ("--certificate-identity-regexp", f"^(?:{signer.identity})$")
    if signer.repository is not None:
        yield from ("--certificate-github-workflow-repository", signer.repository)


def ask(reference: str, signer: Signer, root: Path) -> Answer:
    """Run cosign for one image. Whatever is not a clear yes is a problem."""
    try:
        done = subprocess.run(
            command(reference, signer), cwd=root, capture_output=True, text=True, check=False, timeout=WAITS
        )
    except subprocess.TimeoutExpired:
        return Answer(problem=f"no answer within {WAITS} s")
    if done.returncode != 0:
        return Answer(problem=_reason(done.stderr) or f"cosign ended with {done.returncode}")
    return Answer(digest=_digest(done.stdout))


def _reason(text: str) -> str:
    """cosign's error, which stands between its warnings and the same once more."""
    found = re.search(r"^Error: (.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def _digest(text: str) -> str:
    """Of an image: a list of payloads. Of a statement: an envelope, whose payload names its subject."""
    for line in text.splitlines():
        try:
            found = json.loads(line)
            for entry in found if isinstance(found, list) else [found]:
                if "payload" in entry:
                    subject = json.loads(base64.b64decode(entry["payload"]))["subject"][0]
                    return f"sha256:{subject['digest']['sha256']}"
                return str(entry["critical"]["image"]["docker-manifest-digest"])
        except (ValueError, binascii.Error, LookupError, TypeError):
            continue
    return ""
