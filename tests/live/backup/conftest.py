"""One bucket behind one proxy for all tests; each makes machines of its own."""

from collections.abc import Iterator

import pytest

from tests.live.backup.stand import Stand, running
from tests.programs import need


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    need(
        "restic", "squid", "unbound", "curl", "openssl", "unshare", "nsenter", "psql", "pg_dump", "flock", "shellcheck"
    )


@pytest.fixture(scope="session")
def store() -> Iterator[Stand]:
    """The S3 server and the way to it."""
    with running() as found:
        yield found


@pytest.fixture
def stand(store: Stand) -> Iterator[Stand]:
    """An empty bucket."""
    with store.fresh() as found:
        yield found
