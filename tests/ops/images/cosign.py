"""A cosign for tests: the flags, the texts and the exit codes of cosign 3.1.3, as it answered for images in a registry
on loopback that were signed or attested by a key and by certificates of an authority made for it, by somebody else, not
at all, and that were not there.

``REGISTRY`` (JSON, in the environment) says what is signed: reference → {"key" or "identity", "digest", "statement"}.
"""

import argparse
import base64
import json
import os
import re
import sys
from typing import Any

STATEMENTS = {"slsaprovenance": "https://slsa.dev/provenance/v0.2", "spdxjson": "https://spdx.dev/Document"}


def main() -> int:
    """Verify one image."""
    words = argparse.ArgumentParser(allow_abbrev=False)
    words.add_argument("command", choices=["verify", "verify-attestation"])
    words.add_argument("image")
    for flag in ("key", "type", "certificate-oidc-issuer", "certificate-identity-regexp"):
        words.add_argument(f"--{flag}")
    words.add_argument("--certificate-github-workflow-repository", default="")
    words.add_argument("--insecure-ignore-tlog", choices=["true", "false"], default="false")
    words.add_argument("--output", choices=["json", "text"], default="json")
    asked = words.parse_args()
    images: dict[str, Any] = json.loads(os.environ["REGISTRY"])
    name = re.sub(r":[^/:@]+(?=@)", "", asked.image)
    if name not in images:
        return _no(11, f"image tag not found: GET https://{name}: NAME_UNKNOWN: Unknown name")
    return _verify(asked, images[name])


def _verify(asked: argparse.Namespace, image: dict[str, Any]) -> int:
    if asked.insecure_ignore_tlog == "true":
        print("WARNING: Skipping tlog verification is an insecure practice", file=sys.stderr)
    if "digest" not in image:
        return _no(10, "no signatures found")
    if image.get("key"):
        if asked.key != image["key"]:
            return _no(1, "no matching attestations: failed to verify signature: could not verify envelope")
        if asked.insecure_ignore_tlog != "true" and not image.get("logged", True):
            return _no(1, "no matching attestations: not enough verified log entries from transparency log: 0 < 1")
    elif not asked.certificate_identity_regexp or not asked.certificate_oidc_issuer:
        return _no(1, "--certificate-identity or --certificate-identity-regexp is required for verification")
    elif not _named(asked, image):
        return _no(1, "no matching attestations: none of the expected identities matched what was in the certificate")
    elif asked.certificate_github_workflow_repository not in ("", image["repository"]):
        return _no(1, "no matching attestations: expected GitHub Workflow Repository not found in certificate")
    return _yes(asked, image)


def _named(asked: argparse.Namespace, image: dict[str, Any]) -> bool:
    """cosign searches for the expression, anywhere in the identity."""
    same = asked.certificate_oidc_issuer == image["issuer"]
    return same and re.search(asked.certificate_identity_regexp, image["identity"]) is not None


def _yes(asked: argparse.Namespace, image: dict[str, Any]) -> int:
    digest = image["digest"]
    if asked.command == "verify":
        print(f"\n{json.dumps([{'critical': {'image': {'docker-manifest-digest': digest}}, 'optional': {}}])}")
        return 0
    if STATEMENTS[asked.type] != image.get("statement"):
        return _no(1, f"none of the attestations matched the predicate type: {asked.type}")
    statement = {"subject": [{"name": asked.image, "digest": {"sha256": digest.removeprefix("sha256:")}}]}
    print(json.dumps({"payload": base64.b64encode(json.dumps(statement).encode()).decode(), "signatures": []}))
    return 0


def _no(code: int, text: str) -> int:
    print(f"Error: {text}\nerror during command execution: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
