"""One thing that bears the stack's mark."""

from dataclasses import dataclass

TRIES, PAUSE = 10, 2.0
"""How often a deletion is tried, with seconds between: what holds it, as a task its network, may be on its way out."""


@dataclass(frozen=True)
class Found:
    """``path`` deletes it, at the API that it was found at; the Engine's are deleted by name. ``kept`` says why it has
    to stay: it may hold data."""

    kind: str
    id: str
    name: str
    path: str = ""
    kept: str = ""
