"""Faults that a test asks for: what a cloud does on a bad day."""

from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["rate_limit", "server_error", "silence", "delay", "lost_response"]


class Fault(BaseModel):
    """What happens to the ``nth`` call that fits, and to those after it until it has happened ``times`` times.

    - ``rate_limit``: 429, with ``seconds`` in Retry-After
    - ``server_error``: 500, and nothing is changed
    - ``silence``: nothing is changed, and after ``seconds`` the connection ends without an answer
    - ``delay``: the answer comes ``seconds`` late
    - ``lost_response``: everything is changed as asked, and the connection ends without an answer
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    method: str = "*"
    path: str = Field("*", description="Pattern of the path without the API's prefix, as a shell writes it.")
    nth: int = Field(1, ge=1)
    times: int = Field(1, ge=1)
    seconds: float = Field(0, ge=0)

    def fits(self, method: str, path: str) -> bool:
        """Is it about such a call?"""
        return self.method in ("*", method) and fnmatchcase(path, self.path)


class Faults:
    """The faults that are still to come, each with the number of calls that fitted so far."""

    def __init__(self) -> None:
        self._planned: list[tuple[Fault, list[int]]] = []

    def plan(self, fault: Fault) -> None:
        """Let this happen."""
        self._planned.append((fault, [0]))

    def clear(self) -> None:
        """Let nothing more happen."""
        self._planned.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault of this call. Every planned one counts the call, the first that is due happens."""
        struck = None
        for fault, seen in self._planned:
            if fault.fits(method, path):
                seen[0] += 1
                if fault.nth <= seen[0] < fault.nth + fault.times:
                    struck = struck or fault
        return struck

    def pending(self) -> list[Fault]:
        """What has not happened to its end."""
        return [fault for fault, seen in self._planned if seen[0] < fault.nth + fault.times - 1]
