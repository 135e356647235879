"""The Docker provider: over SSH or the local socket, with the host key checked."""

from collections.abc import Iterator
from typing import Final

from .model import UNKNOWN, Resource, Rule
from .reading import View
from .tokens import DOCKER_PROVIDER

WEAK_SSH: Final = ("stricthostkeychecking=no", "stricthostkeychecking no", "/dev/null", "accept-new")


def host_closed(resource: Resource) -> Iterator[str]:
    """The host is unknown until the tunnel is up; the stack rule asks where it comes from."""
    provider = View(resource.props)
    if provider.given("context"):
        yield "context: a Docker context on the operator's machine decides the host"
    if resource.props.get("host") is UNKNOWN:
        return
    host = provider.text("host")
    if not host.startswith(("unix:///", "ssh://")):
        yield "host: only ssh:// and unix://; tcp:// is a remote root shell, and left out the environment decides"
    if host.startswith("ssh://root@"):
        yield "host: logs in as root"


def host_key_checked(resource: Resource) -> Iterator[str]:
    options = resource.props.get("sshOpts")
    text = str(options).lower().replace('", "', " ").replace("', '", " ")
    if options is not UNKNOWN and any(weak in text for weak in WEAK_SSH):
        yield "sshOpts: the host key is not checked"


RULES = (
    Rule(
        id="docker-host",
        severity="critical",
        claim="The Docker Engine is reached over SSH or the local socket only.",
        remediation="Set host to ssh://USER@HOST (through the admin tunnel) or unix:///var/run/docker.sock.",
        threat="admin",
        types=(DOCKER_PROVIDER,),
        check=host_closed,
        waivable=False,
    ),
    Rule(
        id="docker-host-key",
        severity="high",
        claim="SSH to the Docker Engine checks a pinned host key.",
        remediation="Pass UserKnownHostsFile with the pinned key and StrictHostKeyChecking=yes.",
        threat="admin",
        types=(DOCKER_PROVIDER,),
        check=host_key_checked,
    ),
)
