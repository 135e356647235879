"""One Engine with the whole dev stack for all tests here; each leaves it as it found it."""

from collections.abc import Iterator

import pytest

from tests.live.docker.deployed import Deployed, deployed
from tests.programs import need, need_root

PROGRAMS = (
    "dockerd",
    "ip",
    "nft",
    "iptables",
    "nsenter",
    "unshare",
    "nginx-1.26",
    "redis-server",
    "nats-server",
    "unbound",
    "crowdsec",
    "squid",
    "restic",
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-blackbox-exporter",
    "prometheus-node-exporter",
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
)


@pytest.fixture(scope="session")
def stack() -> Iterator[Deployed]:
    """The stack as recorded, every container healthy."""
    need(*PROGRAMS)
    need_root()
    with deployed() as found:
        yield found
