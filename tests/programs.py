"""System programs that tests run configuration on."""

import os
import shutil

import pytest

INSTALL = "make test-tools"


def need(*programs: str) -> None:
    """Skip a test by the name of the program it lacks. In CI a missing program is a failure, not a skip."""
    missing = [program for program in programs if not shutil.which(program, path=_path())]
    if not missing:
        return
    reason = f"{', '.join(missing)} missing: {INSTALL}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _path() -> str:
    """Daemons live in sbin, which is not on every user's PATH."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
