"""How many calls an API takes."""

from dataclasses import dataclass

from simulators.clock import Clock


@dataclass
class Limit:
    """A bucket of ``size`` calls that fills again evenly within ``period`` seconds."""

    size: int
    period: float
    clock: Clock

    def __post_init__(self) -> None:
        self._left = float(self.size)
        self._seen = self.clock.now()

    def take(self) -> bool:
        """Spend one call; False where none is left."""
        self._fill()
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _fill(self) -> None:
        now = self.clock.now()
        self._left = min(self.size, self._left + (now - self._seen) * self.size / self.period)
        self._seen = now

    @property
    def remaining(self) -> int:
        """Calls left."""
        return int(self._left)

    @property
    def full_at(self) -> float:
        """When all calls are there again, in seconds since 1970."""
        return self._seen + (self.size - self._left) * self.period / self.size

    @property
    def wait(self) -> int:
        """Seconds until the next call passes."""
        return max(1, round((1 - self._left) * self.period / self.size))
