"""A simulated Hetzner Cloud for each test."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.hetzner.app import api
from tests.simulators.cloud import Cloud, running
from tests.simulators.hetzner.client import new_client


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with running(api()) as served:
        yield served


@pytest.fixture
def client(cloud: Cloud) -> Any:
    return new_client(cloud)
