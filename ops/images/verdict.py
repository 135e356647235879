"""What there is to say of each image of a stack. Pure but for the question that is handed in."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ops.images.cosign import Answer
from ops.sbom.parts import Part
from settings.signer import Signer, signer_of

Kind = Literal["signed", "tag", "refused", "nobody"]
FAILS: dict[Kind, bool] = {"signed": False, "tag": True, "refused": True, "nobody": False}
"""``nobody`` is known to sign most public images, so it fails with ``--strict`` alone."""


@dataclass(frozen=True)
class Verdict:
    """``text`` says what was found, and what to do where that is not enough."""

    image: str
    used_by: tuple[str, ...]
    kind: Kind
    text: str


def judge(
    images: Iterable[Part], signers: Mapping[str, Signer], ask: Callable[[str, Signer], Answer]
) -> Iterator[Verdict]:
    """One verdict for each image."""
    for image in images:
        signer = signer_of(image.name, signers)
        if signer is None:
            yield Verdict(_reference(image), image.used_by, "nobody", f"no known signer; {_pinned(image)}")
        else:
            yield _asked(image, signer, ask(_reference(image), signer))


def _asked(image: Part, signer: Signer, answer: Answer) -> Verdict:
    reference, whose = _reference(image), _whose(signer)
    if answer.problem:
        return Verdict(reference, image.used_by, "refused", f"not verified as {whose}: {answer.problem}")
    if not image.digest:
        written = f"{reference}@{answer.digest}" if answer.digest else "its digest"
        return Verdict(
            reference, image.used_by, "tag", f"signed by {whose}, but a tag can be moved after this: write {written}"
        )
    return Verdict(reference, image.used_by, "signed", f"signed by {whose}; by digest")


def _pinned(image: Part) -> str:
    return "by digest" if image.digest else "by tag, which its owner can move"


def _whose(signer: Signer) -> str:
    return f"key {signer.key}" if signer.key else signer.repository or f"{signer.identity}"


def _reference(image: Part) -> str:
    return "".join(
        (image.name, f":{image.version}" if image.version else "", f"@{image.digest}" if image.digest else "")
    )
