"""Who signs images: the stack file's ``signers`` over the publishers that are known to sign (``signers.yaml``)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, Field, model_validator

from settings.values import Model, worded

KNOWN = Path(__file__).with_name("signers.yaml")


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*(:[0-9]+)?/[a-z0-9._/-]*", text):
        raise ValueError("write registry and repository (ghcr.io/acme/api), or a prefix that ends in / (ghcr.io/acme/)")
    return text


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"this is no regular expression ({error})") from None
    return text


ImagePrefix = Annotated[str, AfterValidator(_prefix)]


class Signer(Model):
    """One publisher's signature: by a public key, or keyless, where a certificate names who signed."""

    key: str | None = Field(
        None,
        pattern=worded(r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", "write a path in the project, such as keys/acme.pub"),
        description="File of the project with the public key (PEM).",
    )
    issuer: str | None = Field(
        None,
        pattern=worded(r"^https://[^\s]+$", "write an address that begins with https://"),
        description="Keyless: who vouched for the signer, such as https://token.actions.githubusercontent.com.",
    )
    identity: Annotated[str, AfterValidator(_expression)] | None = Field(
        None, description="Keyless: a regular expression (RE2) for the whole identity that the certificate names."
    )
    repository: str | None = Field(
        None,
        pattern=worded(r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", "write OWNER/REPOSITORY, such as acme/api"),
        description="Keyless, GitHub: whose workflow ran. Needed where the identity is a workflow that many share.",
    )
    attestation: Literal["slsaprovenance", "slsaprovenance1", "spdxjson", "cyclonedx"] | None = Field(
        None, description="What is signed is a statement of this kind about the image, and not the image itself."
    )
    logged: bool = Field(True, description="false: signatures of the key are in no public transparency log.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.key is None) == (self.issuer is None and self.identity is None and self.repository is None):
            raise ValueError("give either key, or issuer and identity")
        if self.key is None and (self.issuer is None or self.identity is None):
            raise ValueError("issuer and identity go together: either alone says nothing")
        if self.key is None and not self.logged:
            raise ValueError("a keyless signature is worth nothing outside the transparency log: leave logged out")
        return self


def known() -> dict[str, Signer]:
    """The publishers that are known to sign, by prefix."""
    content = yaml.safe_load(KNOWN.read_text(encoding="utf-8"))
    return {_prefix(prefix): Signer.model_validate(values) for prefix, values in content.items()}


def signer_of(image: str, signers: Mapping[str, Signer]) -> Signer | None:
    """Whoever signs an image (its name without tag and digest). The longest prefix decides; one that does not end in /
    is a whole name."""
    name = full_name(image)
    fitting = [prefix for prefix in signers if name == prefix or (prefix.endswith("/") and name.startswith(prefix))]
    return signers[max(fitting, key=len)] if fitting else None


def full_name(image: str) -> str:
    """With the registry that Docker leaves out: ``postgres`` → ``docker.io/library/postgres``."""
    first, slash, _ = image.partition("/")
    if not slash:
        return f"docker.io/library/{image}"
    return image if first == "localhost" or "." in first or ":" in first else f"docker.io/{image}"
