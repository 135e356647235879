"""A simulated cloud for a test, and what a test asks of the simulator itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from simulators.api import Api
from simulators.server import serving

SECONDS = 30


@dataclass(frozen=True)
class Cloud:
    """``address`` has no prefix of an API."""

    address: str
    prefix: str

    @property
    def endpoint(self) -> str:
        """What a client is given."""
        return self.address + self.prefix

    def state(self) -> dict[str, dict[str, Any]]:
        """All tables."""
        tables: dict[str, dict[str, Any]] = self._call("GET", "state").json()["tables"]
        return tables

    def history(self) -> dict[str, list[Any]]:
        """Calls and states."""
        history: dict[str, list[Any]] = self._call("GET", "history").json()
        return history

    def calls(self, method: str) -> list[str]:
        """Paths that were called with this method."""
        return [call["path"] for call in self.history()["calls"] if call["method"] == method]

    def change(self, table: str, number: str, **values: Any) -> None:
        """Change a row by hand."""
        self._call("PATCH", f"state/{table}/{number}", json=values)

    def fault(self, **fault: Any) -> None:
        """Plan a fault."""
        self._call("POST", "faults", json=fault)

    def faults(self) -> list[Any]:
        """Faults still to come."""
        faults: list[Any] = self._call("GET", "faults").json()["faults"]
        return faults

    def reset(self) -> None:
        """Forget everything."""
        self._call("POST", "reset")

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._call("POST", "clock", json={"advance": seconds})

    def _call(self, method: str, path: str, **more: Any) -> requests.Response:
        done = requests.request(method, f"{self.address}/_simulator/{path}", timeout=SECONDS, **more)
        done.raise_for_status()
        return done


@contextmanager
def running(api: Api) -> Iterator[Cloud]:
    """Serve an API for a while."""
    with serving(api) as address:
        yield Cloud(address, api.prefix)
