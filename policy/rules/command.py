"""Commands: local ones that call a server's own tools over SSH, known before they run; nothing else."""

import re
from collections.abc import Iterator
from typing import Final

from .addresses import is_inside
from .model import UNKNOWN, Resource, Rule
from .openings import OPENS
from .reading import View
from .ssh import ONE_WORD, OPTION, WORD
from .tokens import LOCAL_COMMAND

REMOTE: Final = ("command:remote:Command", "command:remote:CopyFile", "command:remote:CopyToRemote")
STEPS: Final = ("create", "update", "delete")
TOLD: Final = {"SERVER", "ENDPOINTS", "PEERS"}
"""Names that mean nothing to a shell or a program."""

_TEXT: Final = r'"(?:[\w .:-]|\$\w+|\$\{\w+:-\})*"'
_TOOL: Final = rf"docker version|sudo /usr/local/lib/[\w-]+/[\w-]+(?: {WORD})*"
_SSH: Final = rf"ssh(?: -o (?:'{OPTION}'|{ONE_WORD}))* (?!root@)[\w-]+@[\w.-]+ '(?:{_TOOL})'"
_STEP: Final = rf"(?:{_SSH}|:|(?:echo|printf '%s\\n')(?: {_TEXT})+)"
_PIPE: Final = rf"{_STEP}(?: \| {_STEP})*"
_WAIT: Final = (
    rf"for attempt in \$\(seq \d+\); do {_SSH} >/dev/null 2>&1 && exec printf %s ssh://[\w.@-]+; sleep \d+; done; "
    r"echo '[^']*' >&2; exit 1"
)
LINE: Final = re.compile(rf"set -eu|{_WAIT}|(?:{_PIPE}|[a-z_\d]+=\$\({_PIPE}\))(?: >/dev/null)?(?: \|\| true)?")
"""A shell has too many ways to write what opens a way in, so one line is of a few forms."""


def plain(resource: Resource) -> Iterator[str]:
    """A command with a host key in it is unknown until the key exists; the stack rule asks where it comes from."""
    command = View(resource.props)
    for step in STEPS:
        if resource.props.get(step) is not UNKNOWN and not _is_known(command.text(step)):
            yield f"{step}: more than calls of a server's own tools over SSH"
        if step in resource.secrets:
            yield f"{step}: a secret in the arguments"
    for name in command.view("environment").props.keys() - TOLD:
        yield f"environment.{name}: could decide what the shell runs"
    if command.given("stdin"):
        yield "stdin: a shell or a program on a server may run it"
    for index, word in enumerate(command.texts("interpreter")):
        if word.rsplit("/", 1)[-1] not in {"sh", "bash", "-c", "-e", "-eu", "-euc", "-ec", "-o", "pipefail"}:
            yield f"interpreter[{index}]: another interpreter than the shell"


def _is_known(script: str) -> bool:
    return all(LINE.fullmatch(line) for line in script.split("\n") if line)


def private_host(resource: Resource) -> Iterator[str]:
    connection = View(resource.props).view("connection")
    hops = [connection, *([connection.view("proxy")] if connection.known("proxy") is not None else [])]
    for hop in hops:
        if hop.text("host") != "localhost" and not is_inside(hop.text("host")):
            yield f"{hop.at('host')}: not a private address; SSH would have to be open"
        if not hop.text("hostKey"):
            yield f"{hop.at('hostKey')}: any machine in the middle is believed"
    for step in (*STEPS, "stdin"):
        if OPENS.search(View(resource.props).text(step)):
            yield f"{step}: a program that opens a way in"


RULES = (
    Rule(
        id="command-plain",
        severity="critical",
        claim="A local command calls a server's own tools over SSH and nothing else, with no secret in its arguments.",
        remediation="Leave it to user data or a carrier. Where it has to be a command, let a waiver say why.",
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
