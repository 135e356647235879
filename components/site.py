"""What every container of one stack shares."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pulumi


@dataclass(frozen=True)
class Site:
    """The place that containers are put in.

    ``digest_key`` is a secret text that keys the digests of files, so that a digest in a label tells nothing of a
    secret that can be guessed. ``networks`` maps the topology's network names to Docker's.
    """

    stack: str
    digest_key: pulumi.Output[str]
    resolver: IPv4Address
    networks: dict[str, pulumi.Output[str]] = field(default_factory=dict)

    def named(self, node: str) -> str:
        """Docker's name of a node's container: stacks on one Engine do not collide."""
        return f"{self.stack}-{node}"
