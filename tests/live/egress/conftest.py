"""One proxy for all tests that leave it as it is."""

from collections.abc import Iterator

import pytest

from tests.live.egress.stand import Stand, running
from tests.programs import need


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    need("squid", "unbound", "curl", "openssl", "unshare", "nsenter")


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """The proxy as rendered, with its services."""
    with running() as found:
        yield found
