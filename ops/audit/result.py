"""What a check found, and how a check is declared."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ops.audit.live import Live

Verdict = Literal["pass", "fail", "not measured", "not applicable"]


class NotMeasuredError(Exception):
    """Something is there, and could not be looked at. The text says why, and what would help."""


class NotApplicableError(Exception):
    """This stack does not have what the check is about. The text says what."""


@dataclass(frozen=True)
class Result:
    """``evidence`` are lines for a person; ``value`` is what a metric counts."""

    verdict: Verdict
    evidence: tuple[str, ...]
    value: int | None = None


def judged(seen: str, problems: Iterable[str], value: int | None = None) -> Result:
    """A failure where there is any problem. ``seen`` says what was looked at, so that a pass has evidence too."""
    found = tuple(problems)
    return Result("fail" if found else "pass", (seen, *found), value)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """A failure counts most, then what was not measured. A pass needs at least one."""
    order: tuple[Verdict, ...] = ("fail", "not measured", "pass")
    return next((verdict for verdict in order if verdict in verdicts), "not applicable")


@dataclass(frozen=True)
class Check:
    """One thing that is measured.

    ``items`` are numbers of the model's checklist, ``claim`` is the sentence that a pass stands for, and ``threat`` is
    its anchor in docs/threat-model.md. ``measure`` gathers, and judges what it gathered.
    """

    id: str
    items: tuple[int, ...]
    claim: str
    threat: str
    remediation: str
    measure: "Callable[[Live], Result]"

    def run(self, live: "Live") -> Result:
        """What it finds. Whatever keeps it from looking is "not measured", never a pass."""
        try:
            return self.measure(live)
        except NotApplicableError as reason:
            return Result("not applicable", (str(reason),))
        except NotMeasuredError as reason:
            return Result("not measured", (str(reason),))
        except Exception as error:
            return Result("not measured", (f"the check itself failed: {type(error).__name__}: {str(error)[:200]}",))
