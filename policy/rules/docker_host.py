"""The Docker provider: over SSH or the local socket, with the host key checked."""

import json
import re
from collections.abc import Iterator
from typing import Final

from .model import UNKNOWN, Resource, Rule
from .reading import View
from .ssh import only_finds_the_host
from .tokens import DOCKER_PROVIDER

STRICT: Final = re.compile(r"StrictHostKeyChecking[= ]yes\b", re.IGNORECASE)


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
    """The options hold the host key, which is unknown until it exists; a provider takes them as JSON text."""
    options = resource.props.get("sshOpts")
    if options is UNKNOWN or not View(resource.props).text("host").startswith("ssh://"):
        return
    arguments = _arguments(options) if isinstance(options, str) else View(resource.props).texts("sshOpts")
    if not any(STRICT.search(argument) for argument in arguments):
        yield "sshOpts: StrictHostKeyChecking is not yes"
    if not only_finds_the_host(arguments):
        yield "sshOpts: more than -o with an option of a short list; others forward ports, or run programs"


def _arguments(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except ValueError:
        return [text]
    return [str(each) for each in found] if isinstance(found, list) else [text]


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
        claim="SSH to the Docker Engine checks a pinned host key, and does nothing beside.",
        remediation="Pass -o StrictHostKeyChecking=yes and the pinned key by KnownHostsCommand or UserKnownHostsFile.",
        threat="admin",
        types=(DOCKER_PROVIDER,),
        check=host_key_checked,
    ),
)
