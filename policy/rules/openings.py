"""Ways in that have a name: what no script, unit or remote command has a reason to call."""

import re
from typing import Final

_SHELL: Final = r"(?:\S*/)?(?:ba|z|da|k)?sh\b"
OPENS: Final = re.compile(
    # The packet filter is a file, and loaded as a whole.
    r"\bufw\b[^\n]*\b(?:allow|disable|reset|delete|insert|route)\b|\bip6?tables\b|\bfirewall-cmd\b"
    r"|\bnft\b[^\n|&]*\b(?:add|insert|replace|create|delete|destroy|flush|reset)\b"
    r"|^[ \t]*(?:flush\s+ruleset|(?:add|insert|replace|create|delete|destroy|flush)\s+(?:table|chain|rule)\b)"
    r"|\bsystemctl\b[^\n]*\b(?:stop|disable|mask)\b[^\n]*\bnftables|\b(?:ssh|docker)\.socket\b"
    # Logins.
    r"|\b(?:PasswordAuthentication|PermitRootLogin|KbdInteractiveAuthentication|PermitEmptyPasswords)[\s=]+\"?yes\b"
    # The clouds.
    r"|\bhcloud\b|\bapi\.(?:hetzner\.cloud|cloudflare\.com)\b|169\.254\.169\.254"
    # Docker: containers are the program's.
    r"|\bdocker-compose\b|\bdocker\s+(?:-\S+\s+(?:[^-\s]\S*\s+)?)*(?:container\s+|service\s+)?(?:run|create|compose|stack|plugin)\b"
    r"|\bdockerd\b[^\n]*(?:-H|--host)[ =\"',]*tcp:|[\"']?hosts[\"']?\s*:\s*\[[^\]]*tcp:"
    # Tunnels.
    r"|\b(?:auto)?ssh\b[^\n;|&]*\s(?-i:-[A-Za-z]*R)|\bRemoteForward\b|\bsshd\b[^\n]*\s-[A-Za-z]*[oefp]\b"
    r"|\bcloudflared\b[^\n]*(?:--url|--hello-world|--unix-socket|--token[ =]|service\s+install)"
    r"|\b(?:ngrok|socat|nc|ncat|netcat|bore|frpc|chisel|tailscale|tailscaled|zerotier-cli)\b|/dev/tcp/"
    # What somebody else's server says today.
    rf"|\b(?:curl|wget)\b[^\n;]*\|\s*(?:sudo\s+(?:-\S+\s+)*)?{_SHELL}"
    rf"|\b{_SHELL}[^\n;]*(?:\$\(|<\(|`)\s*(?:curl|wget)\b",
    re.IGNORECASE | re.MULTILINE,
)
