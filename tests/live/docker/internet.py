"""A small internet: one namespace with addresses that stand for everything outside of the server."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.live.docker.namespace import inside, namespace, run

EDGE, EDGE_PORT = "198.51.100.1", 7844
"""Where the connector dials to."""
OUTSIDE = "198.51.100.2"
"""Any other machine out there, with ``OUTSIDE_PORTS`` open."""
METADATA = "169.254.169.254"
OUTSIDE_PORTS = (80, 443)
SERVER = "192.0.2.2"
"""The server's own public address."""
_GATEWAY = "192.0.2.1"


@dataclass(frozen=True)
class Internet:
    """``edge`` listens for connectors."""

    path: str
    edge: socket.socket


@contextmanager
def internet(name: str, server: str) -> Iterator[Internet]:
    """The namespace ``name``, joined with the server's namespace ``server`` by one cable."""
    with namespace(name) as path, ExitStack() as stack:
        run("ip", "link", "add", "eth0", "netns", server, "type", "veth", "peer", "name", "eth0", "netns", name)
        for netns, address in ((server, SERVER), (name, _GATEWAY)):
            run("ip", "-n", netns, "address", "add", f"{address}/30", "dev", "eth0")
            run("ip", "-n", netns, "link", "set", "eth0", "up")
        run("ip", "-n", server, "route", "add", "default", "via", _GATEWAY)
        for address in (EDGE, OUTSIDE, METADATA):
            run("ip", "-n", name, "address", "add", f"{address}/32", "dev", "lo")
        for address in (OUTSIDE, METADATA):
            for port in OUTSIDE_PORTS:
                stack.enter_context(listener(path, address, port))
        yield Internet(path, stack.enter_context(listener(path, EDGE, EDGE_PORT)))


def listener(path: str, address: str, port: int) -> socket.socket:
    """A listening socket in the namespace at ``path``."""
    return inside(path, lambda: socket.create_server((address, port), backlog=512))
