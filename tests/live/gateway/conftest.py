"""One stand for all tests that leave it as it is."""

from collections.abc import Iterator

import pytest

from tests.live.gateway.nginx import need_nginx
from tests.live.gateway.stand import Stand, running


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """The gateway as rendered, with its services."""
    need_nginx()
    with running() as found:
        yield found
