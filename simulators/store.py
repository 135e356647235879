"""What a simulated cloud remembers: tables of rows, and what happened."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""A resource as the API shows it. Keys that begin with ``_`` are never shown by the API itself."""
EMPTY: Row = {"counter": 0, "tables": {}, "calls": [], "states": []}


class Store:
    """Tables by name, and in each the rows by id. With a ``file`` it survives the process.

    The file holds what clients sent, secrets included, so only its owner may read it.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._kept: Row = self._read()

    def _read(self) -> Row:
        if self._file and self._file.exists():
            kept: Row = json.loads(self._file.read_text(encoding="utf-8"))
            return kept
        return {**json.loads(json.dumps(EMPTY)), "salt": secrets.token_hex(8)}

    def save(self) -> None:
        """Write the file in one step: a reader never sees half of it."""
        if not self._file:
            return
        new = self._file.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump(self._kept, out)
        new.replace(self._file)

    def reset(self) -> None:
        """Forget everything, history included. Ids go on, so that an old one never means something new."""
        self._kept = {**json.loads(json.dumps(EMPTY)), "counter": self._kept["counter"], "salt": self._kept["salt"]}

    def count(self) -> int:
        """A number that was never given before."""
        self._kept["counter"] += 1
        return int(self._kept["counter"])

    @property
    def salt(self) -> str:
        """Makes the ids of two stores differ."""
        return str(self._kept["salt"])

    @property
    def tables(self) -> dict[str, dict[str, Row]]:
        """All tables."""
        tables: dict[str, dict[str, Row]] = self._kept["tables"]
        return tables

    def table(self, name: str) -> dict[str, Row]:
        """The rows of one kind, by id."""
        return self.tables.setdefault(name, {})

    @property
    def calls(self) -> list[Row]:
        """Each call: when, method, path, status, fault. No bodies: they hold secrets."""
        calls: list[Row] = self._kept["calls"]
        return calls

    @property
    def states(self) -> list[Row]:
        """Each state of what is watched, in order, from the first change on."""
        states: list[Row] = self._kept["states"]
        return states
