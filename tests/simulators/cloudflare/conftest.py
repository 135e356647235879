"""A simulated Cloudflare for each test."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.cloudflare.app import api
from tests.simulators.cloud import Cloud, running
from tests.simulators.cloudflare.client import SITE, new_client


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with running(api([SITE])) as served:
        yield served


@pytest.fixture
def client(cloud: Cloud) -> Any:
    return new_client(cloud)
