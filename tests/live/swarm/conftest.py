"""One Swarm with the whole example for all tests here. Tests that break a machine come last, and mend it."""

from collections.abc import Iterator

import pytest

from tests.live.docker.conftest import PROGRAMS
from tests.live.swarm.deployed import Deployed, deployed
from tests.programs import need, need_root


@pytest.fixture(scope="session")
def swarm() -> Iterator[Deployed]:
    """Three machines, every service complete."""
    need("curl", *PROGRAMS)
    need_root()
    with deployed() as found:
        yield found
