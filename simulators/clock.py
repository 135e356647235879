"""Time, as the simulated clouds see it."""

import time
from datetime import UTC, datetime


class Clock:
    """The machine's time, which a test may move ahead instead of waiting."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += seconds

    def stamp(self) -> str:
        """Now, as both APIs write it (RFC 3339, UTC)."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="microseconds")
