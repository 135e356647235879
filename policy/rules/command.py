"""Commands: one plain local command, known before it runs, and nothing run on a remote machine."""

import re
from collections.abc import Iterator
from typing import Final

from .addresses import is_inside
from .model import UNKNOWN, Resource, Rule
from .reading import View
from .tokens import LOCAL_COMMAND

REMOTE: Final = ("command:remote:Command", "command:remote:CopyFile", "command:remote:CopyToRemote")
STEPS: Final = ("create", "update", "delete")
OPENS: Final = re.compile(
    r"\bufw\s+(?:allow|disable)|\bip6?tables\b|\bnft\s+(?:add|insert|flush|delete|-f)|\bfirewall-cmd\b"
    r"|\bhcloud\s+firewall|\bdocker\b[^\n;|&]*\s(?:-p|-P|--publish(?:-all)?|--net(?:work)?[= ]host|--privileged)\b"
    r"|\bssh\b[^\n;|&]*\s(?-i:-[A-Za-z]*R)\b|\bcloudflared\s+tunnel\s+--url|\bngrok\b|\bsocat\b|\bnc(?:at)?\b|\bbore\b|\bfrpc\b"
    r"|\bcurl\b[^\n;|&]*\|\s*(?:ba|z|da)?sh\b|/dev/tcp/|169\.254\.169\.254",
    re.IGNORECASE,
)


def plain(resource: Resource) -> Iterator[str]:
    """A command with a host key in it is unknown until the key exists; the stack rule asks where it comes from."""
    command = View(resource.props)
    for step in STEPS:
        if resource.props.get(step) is not UNKNOWN and OPENS.search(command.text(step)):
            yield f"{step}: a program that opens a way in or reaches the metadata service"
        if step in resource.secrets:
            yield f"{step}: a secret in the arguments; pass it in environment or stdin"
    for index, word in enumerate(command.texts("interpreter")):
        if word.rsplit("/", 1)[-1] not in {"sh", "bash", "-c", "-e", "-eu", "-euc", "-ec", "-o", "pipefail"}:
            yield f"interpreter[{index}]: another interpreter than the shell"


def private_host(resource: Resource) -> Iterator[str]:
    connection = View(resource.props).view("connection")
    hops = [connection, *([connection.view("proxy")] if connection.known("proxy") is not None else [])]
    for hop in hops:
        if hop.text("host") != "localhost" and not is_inside(hop.text("host")):
            yield f"{hop.at('host')}: not a private address; SSH would have to be open"
        if not hop.text("hostKey"):
            yield f"{hop.at('hostKey')}: any machine in the middle is believed"
    for step in STEPS:
        if OPENS.search(View(resource.props).text(step)):
            yield f"{step}: a program that opens a way in"


RULES = (
    Rule(
        id="command-plain",
        severity="critical",
        claim="A local command has no secret in its arguments and opens nothing.",
        remediation="Write the command as plain text; pass values in environment, secrets there or in stdin.",
        threat="operations",
        types=(LOCAL_COMMAND,),
        check=plain,
    ),
    Rule(
        id="command-remote",
        severity="critical",
        claim="No command is run over SSH to a public address, or without a pinned host key.",
        remediation="Use user data or a carrier. Where it must be, connect through the admin tunnel.",
        threat="operations",
        types=REMOTE,
        check=private_host,
        waivable=False,
    ),
)
