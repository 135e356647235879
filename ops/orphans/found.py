"""One thing that bears the stack's mark."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """``path`` deletes it, at the API that it was found at; the Engine's are deleted by name. ``kept`` says why it has
    to stay: it may hold data."""

    kind: str
    id: str
    name: str
    path: str = ""
    kept: str = ""
