"""User data: cloud-config that can be read, and that closes the host. Scripts and encodings hide what they do.

cloud-init has a hundred modules, a shell and several spellings of each. So what it may be told is a short list.
"""

import base64
import gzip
import re
import shlex
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from . import wall
from .addresses import is_single
from .model import UNKNOWN, Resource, Rule
from .openings import OPENS
from .reading import UndecidableError, View
from .tokens import SERVER

MAX_BYTES: Final = 32 * 1024
KEYS: Final = {
    *("bootcmd", "hostname", "ssh_pwauth", "disable_root", "package_update", "ssh_deletekeys", "ssh_keys"),
    *("users", "swap", "write_files", "runcmd"),
}
USER_KEYS: Final = {
    *("name", "gecos", "shell", "lock_passwd", "groups", "sudo", "ssh_authorized_keys", "system", "homedir"),
    "no_create_home",
}
FILE_KEYS: Final = {"path", "permissions", "content", "append", "encoding"}
_NAME: Final = r"[\w@-][\w.@-]*"
PLACES: Final = re.compile(
    rf"/etc/(?:fstab|crypttab|cloudflared/token|[\w-]+/[\w-]+\.key|(?:apt|docker|sysctl\.d|wireguard)/(?:{_NAME}/)*{_NAME})"
    rf"|/etc/ssh/sshd_config\.d/[\w-]+\.conf|/etc/systemd/(?:{_NAME}/)*{_NAME}\.(?:conf|service|timer)"
    r"|/usr/local/lib/[\w-]+/[\w-]+"
)
"""Where a file is no login, no job of another's and no part of the packet filter."""
LOAD: Final = "nft -f /etc/nftables.conf"
INSTALL: Final = "command -v nft >/dev/null || { apt-get update && apt-get install --yes nftables; }"
WALL: Final = re.compile(
    rf"\A(?:set -eu\n)?cat > /etc/nftables\.conf <<'(\w+)'\n(?P<rules>.*?)\n\1\n"
    rf"(?:{re.escape(INSTALL)}\n)?{re.escape(LOAD)}$",
    re.DOTALL | re.MULTILINE,
)
"""Nothing before it can fail: all of bootcmd is one script."""
COMMAND: Final = re.compile(
    r"set -eu|passwd --lock root|sysctl --quiet --system|timedatectl set-timezone [\w/+-]+"
    r"|getent group docker >/dev/null \|\| groupadd --system docker"
    r"|systemctl (?:daemon-reexec|daemon-reload|(?:enable|restart|try-restart)(?: --now| --no-block)*"
    r"(?: \w[\w@.-]*\.(?:service|timer))+)"
)
"""What a line of bootcmd and runcmd may be. Whatever else has to run is a unit."""
SSHD: Final = {
    *("addressfamily", "listenaddress", "hostkey", "kexalgorithms", "allowusers", "allowgroups", "maxauthtries"),
    *("logingracetime", "disableforwarding", "permituserrc", "maxstartups", "maxsessions", "usedns", "loglevel"),
    *("persourcepenalties", "clientaliveinterval", "clientalivecountmax", "ciphers", "macs", "hostkeyalgorithms"),
    *("x11forwarding", "allowtcpforwarding", "allowagentforwarding", "usepam"),
}
SSHD_FIXED: Final = {
    "passwordauthentication": "no",
    "kbdinteractiveauthentication": "no",
    "permitemptypasswords": "no",
    "permitrootlogin": "no",
    "authenticationmethods": "publickey",
}
SSHD_LINE: Final = re.compile(r"(\w+)(?:\s*=\s*|\s+)\"?(.*?)\"?")
LOOPBACK: Final = re.compile(r"^(?:127(?:\.\d{1,3}){3}|\[?::1\]?|localhost)(?::\d+)?$")
ALLOWED_IPS: Final = re.compile(r"\ballowed-?ips\b\s*=?\s*(.*)$", re.IGNORECASE | re.MULTILINE)
IN_AWK: Final = re.compile(r'" \$1 "/32\\n')


def readable(resource: Resource) -> Iterator[str]:
    text = _text(resource)
    if text is None:
        return
    if not text.startswith("#cloud-config\n"):
        yield "userData: not cloud-config; scripts, includes, templates, multipart and encodings hide what they do"
    if len(text.encode()) > MAX_BYTES:
        yield f"userData: longer than the provider's {MAX_BYTES} bytes"


def closed(resource: Resource) -> Iterator[str]:
    config = _config(resource)
    if config is None:
        return
    yield from _strangers(config, KEYS)
    yield from _logins(config)
    yield from _places(config)
    yield from _sshd(config)
    rules = _wall(config)
    if rules is None or not wall.is_closed(rules):
        yield "userData.bootcmd: writes and loads no packet filter of one table whose input policy is drop"
    if any(OPENS.search(text) for _, text in _files(config)):
        yield "userData.write_files: a line that opens a way in"
    for key in ("bootcmd", "runcmd"):
        for index, script in enumerate(_scripts(config, key)):
            if not all(COMMAND.fullmatch(line) for line in WALL.sub("", script).split("\n") if line):
                yield f"userData.{key}[{index}]: a command outside the short list"


def unasked(resource: Resource) -> Iterator[str]:
    config = _config(resource)
    if config is None:
        return
    if wall.takes_what_is_no_answer(_wall(config) or ""):
        yield "userData: the input chain takes what is no answer, from whoever asks"
    for _, text in _files(config):
        if not all(_is_one(allowed) for allowed in ALLOWED_IPS.findall(text)):
            yield "userData: a WireGuard peer that speaks for more than one address"


def _is_one(allowed: str) -> bool:
    """Without a mask an address is one."""
    return bool(IN_AWK.match(allowed)) or all(is_single(each.strip()) for each in allowed.split(","))


def _text(resource: Resource) -> str | None:
    """The text, None while it is unknown: it holds the tunnel's token. The stack rule asks where it comes from."""
    if resource.props.get("userData") is UNKNOWN:
        return None
    return View(resource.props).text("userData")


def _config(resource: Resource) -> View | None:
    """None where it is unknown, or not to be read at all."""
    import yaml  # here, so that the pack starts without it

    text = _text(resource)
    if text is None or not text.startswith("#cloud-config\n"):
        return None
    loaded = yaml.safe_load(text)
    return View(loaded if isinstance(loaded, Mapping) else {}, "userData")


def _strangers(found: View, known: set[str]) -> Iterator[str]:
    for key in found.props:
        if key not in known:
            yield f"{found.at(key)}: not in the short list of keys"


def _logins(config: View) -> Iterator[str]:
    if config.props.get("ssh_pwauth") not in (None, False) or config.props.get("disable_root") not in (None, True):
        yield "userData: logs in with a password, or as root"
    for user in config.views("users"):
        yield from _strangers(user, USER_KEYS)
        if user.props.get("lock_passwd") not in (None, True):
            yield f"{user.at('lock_passwd')}: a user with a password"


def _places(config: View) -> Iterator[str]:
    for file in config.views("write_files"):
        yield from _strangers(file, FILE_KEYS)
        if not PLACES.fullmatch(file.text("path")):
            yield f"{file.at('path')}: outside the short list of places"


def _sshd(config: View) -> Iterator[str]:
    texts = (text for path, text in _files(config) if path.startswith("/etc/ssh/"))
    options = [option for text in texts for option in _options(text)]
    listens = [value for name, value in options if name == "listenaddress"]
    if not listens or not all(LOOPBACK.match(address) for address in listens):
        yield "userData: sshd does not listen on loopback only"
    if any(name not in SSHD and SSHD_FIXED.get(name) != value for name, value in options):
        yield "userData: an option of sshd outside the short list, or one that lets more in"


def _options(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each line; no name where it is of another form, which sshd may still read."""
    for line in map(str.strip, text.split("\n")):
        found = SSHD_LINE.fullmatch(line)
        if line and not line.startswith("#"):
            yield (found[1].lower(), found[2]) if found else ("", "")


def _wall(config: View) -> str | None:
    """The packet filter that is loaded at each boot: `runcmd` comes only after sshd and Docker were started."""
    found = WALL.match(next(_scripts(config, "bootcmd"), ""))
    return found["rules"] if found else None


def _scripts(config: View, key: str) -> Iterator[str]:
    for command in config.items(key):
        yield shlex.join(map(str, command)) if isinstance(command, list) else str(command)


def _files(config: View) -> Iterator[tuple[str, str]]:
    """Path and text of each."""
    for file in config.views("write_files"):
        yield file.text("path"), _decoded(file)


def _decoded(file: View) -> str:
    content, encoding = file.text("content"), file.text("encoding").lower()
    try:
        packed = "b64" in encoding or "base64" in encoding
        data = base64.b64decode("".join(content.split()), validate=True) if packed else content.encode()
        return (gzip.decompress(data) if "gz" in encoding else data).decode()
    except (ValueError, OSError, EOFError, zlib.error):
        raise UndecidableError(f"{file.path}: can't be decoded") from None


RULES = (
    Rule(
        id="user-data-readable",
        severity="critical",
        claim="User data is plain cloud-config that this pack can read, within the provider's size.",
        remediation="Start with #cloud-config; write files in plain text or base64.",
        threat="host",
        types=(SERVER,),
        check=readable,
        waivable=False,
    ),
    Rule(
        id="user-data-closed",
        severity="critical",
        claim="User data puts sshd on loopback, drops what comes in, sets no password, and runs few commands.",
        remediation="Write an sshd drop-in with ListenAddress 127.0.0.1; let bootcmd begin with /etc/nftables.conf, "
        "whose input chain has policy drop, and load it; what else has to run is a unit.",
        threat="host",
        types=(SERVER,),
        check=closed,
        waivable=False,
    ),
    Rule(
        id="user-data-unasked",
        severity="critical",
        claim="The host takes no packet that is not an answer, WireGuard's too, and a peer speaks for one address.",
        remediation="Let WireGuard of both ends send first, to a fixed port; give each peer one /32 in AllowedIPs.",
        threat="host",
        types=(SERVER,),
        check=unasked,
        waivable=False,
    ),
)
