"""One Swarm with the whole example for all tests here. Tests that break a machine come last, and mend it."""

from collections.abc import Iterator

import pytest

from tests.live.swarm.deployed import Deployed, deployed
from tests.programs import need, need_root

PROGRAMS = (
    "dockerd",
    "ip",
    "nft",
    "iptables",
    "nsenter",
    "unshare",
    "curl",
    "nginx-1.26",
    "unbound",
    "crowdsec",
    "squid",
    "restic",
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-blackbox-exporter",
    "prometheus-node-exporter",
    "prometheus-postgres-exporter",
)


@pytest.fixture(scope="session")
def swarm() -> Iterator[Deployed]:
    """Three machines, every service complete."""
    need(*PROGRAMS)
    need_root()
    with deployed() as found:
        yield found
