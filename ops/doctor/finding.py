"""One thing that the doctor looked at."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "wrong", "unknown"]


@dataclass(frozen=True)
class Finding:
    """``remedy`` is what to do where the verdict is not "ok". "unknown" could not be looked at; it is no failure."""

    verdict: Verdict
    subject: str
    text: str
    remedy: str = ""


def ok(subject: str, text: str) -> Finding:
    """As it should be."""
    return Finding("ok", subject, text)


def wrong(subject: str, text: str, remedy: str) -> Finding:
    """A deployment would fail, or would not be what it says."""
    return Finding("wrong", subject, text, remedy)


def unknown(subject: str, text: str, remedy: str) -> Finding:
    """Something else has to be right first."""
    return Finding("unknown", subject, text, remedy)
