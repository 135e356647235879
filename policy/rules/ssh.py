"""What `ssh` may be told: options that find and check a host. None forwards a port or runs somebody else's program."""

import re
from typing import Final

WORD: Final = r"[\w@%+=:,./~-]+"
PLAIN: Final = (
    *("UserKnownHostsFile", "GlobalKnownHostsFile", "PasswordAuthentication", "BatchMode", "IdentityFile"),
    *("IdentitiesOnly", "ConnectTimeout", "ServerAliveInterval", "ControlMaster", "ControlPath", "ControlPersist"),
)
VALUES: Final = {
    "StrictHostKeyChecking": "yes",
    "ProxyCommand": "cloudflared access ssh --hostname %h",
    "KnownHostsCommand": rf"/bin/echo {WORD}(?: {WORD}){{1,2}}",
    **dict.fromkeys(PLAIN, WORD),
}
OPTION: Final = "(?:" + "|".join(f"{name}[= ]{value}" for name, value in VALUES.items()) + ")"
ONE_WORD: Final = "(?:" + "|".join(f"{name}={WORD}" for name in (*PLAIN, "StrictHostKeyChecking")) + ")"
"""What needs no quotes in a shell."""
OPTIONS: Final = re.compile(f"(?:-o\n?{OPTION}\n)*")


def only_finds_the_host(arguments: list[str]) -> bool:
    """True where every argument is an option of the short list."""
    return bool(OPTIONS.fullmatch("".join(f"{argument}\n" for argument in arguments)))
