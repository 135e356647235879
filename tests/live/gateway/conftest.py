"""One stand for all tests that leave it as it is."""

from collections.abc import Iterator

import pytest

from tests.live.gateway.stand import Stand, running
from tests.programs import need


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """The gateway as rendered, with its services."""
    need("nginx")
    with running() as found:
        yield found
