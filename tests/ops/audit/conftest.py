"""A stack as it should be, for tests that look at it from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.certificates import Certificate, authority, signed
from tests.ops.audit.inside import Answering, answering_in
from tests.ops.audit.stand import Stand, stand
from tests.programs import need


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificate, Certificate, Certificate, Path]:
    """An authority, a certificate of its, one that ends soon, and their folder."""
    need("openssl")
    folder = tmp_path_factory.mktemp("certificates")
    by = authority(folder, "authority")
    return by, signed(folder, by, "*.example.org", days=60), signed(folder, by, "api.example.org", days=5), folder


@pytest.fixture
def clean(certificates: tuple[Certificate, Certificate, Certificate, Path]) -> Iterator[Stand]:
    """A stack as it should be."""
    with stand(certificates[0], certificates[1]) as found:
        yield found


@pytest.fixture
def behind_ssh(tmp_path: Path) -> Answering:
    """A stack whose server answers each command with a text and an exit code."""
    return answering_in(tmp_path)
