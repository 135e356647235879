"""What tests need of the machine they run on."""

import os
import shutil
from typing import NoReturn

import pytest

INSTALL = "make test-tools"


def need(*programs: str) -> None:
    """Skip a test by the name of the program it lacks. In CI a missing program is a failure, not a skip."""
    missing = [program for program in programs if not shutil.which(program, path=_path())]
    if missing:
        give_up(f"{', '.join(missing)} missing: {INSTALL}")


def need_root() -> None:
    """Skip a test that only root can run. In CI that is a failure, not a skip."""
    if os.geteuid() != 0:
        give_up("needs root")


def give_up(reason: str) -> NoReturn:
    """The machine lacks something: a skip with its reason, and in CI a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _path() -> str:
    """Daemons live in sbin, which is not on every user's PATH."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
