"""One resolver for all tests that leave it as it is."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from settings import blocklist
from tests.live.resolver.stand import Stand, running, stack
from tests.programs import need

LIST = """\
# A hosts file and plain names, mixed.
127.0.0.1 localhost
0.0.0.0 tracker.example.net   # with all names below it
exact.example.net
"""


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    need("unbound", "dig", "drill", "ldns-keygen", "ldns-signzone", "openssl", "unshare", "nsenter")


@pytest.fixture(scope="session")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The resolver as rendered, with a blocklist and an exception to it."""
    root = tmp_path_factory.mktemp("project")
    (root / "list.txt").write_text(LIST, encoding="utf-8")
    pinned = {"source": "https://lists.example.org/list.txt", "file": "list.txt"}
    pinned["sha256"] = hashlib.sha256(LIST.encode()).hexdigest()
    with ExitStack() as cleanup:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocklist, "ROOT", Path(root))
            raw = stack(blocklists={"trackers": pinned}, exceptions=["fine.tracker.example.net"])
            found = cleanup.enter_context(running(raw))
        yield found
