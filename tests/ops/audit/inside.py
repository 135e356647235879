"""A server as it answers by SSH, for tests that ask it."""

import stat
from collections.abc import Callable
from pathlib import Path

from ops.audit.engine import Engine, Machine
from ops.audit.live import Live
from ops.audit.result import Result
from ops.audit.table import CHECKS
from tests.ops.audit.stand import OUTPUTS, STACK, program
from tests.samples import cloud_stack, settings
from topology.plan import plan

Answering = Callable[..., Live]
"""A word of the command → the text and the exit code that answer it; of every other command there is no answer."""


def answering_in(folder: Path) -> Answering:
    """A stack whose server is a script in this folder."""

    def make(**answers: tuple[str, int]) -> Live:
        cases = "\n".join(
            f"*{word}*) cat <<'END'\n{text}\nEND\nexit {code} ;;" for word, (text, code) in answers.items()
        )
        script = folder / "ssh"
        script.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}\nesac\nexit 255\n', encoding="utf-8")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        given = settings(cloud_stack())
        return Live(STACK, given, plan(given), program(), OUTPUTS, Engine(Machine((str(script),))))

    return make


def measured(live: Live, check: str) -> Result:
    """What one check says of it."""
    return next(each for each in CHECKS if each.id == check).run(live)
