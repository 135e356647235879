"""User data: cloud-config that can be read, and that closes the host. Scripts and encodings hide what they do."""

import base64
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from .model import UNKNOWN, Resource, Rule
from .reading import UndecidableError, View
from .tokens import SERVER

MAX_BYTES: Final = 32 * 1024
LISTEN: Final = re.compile(r"^\s*ListenAddress\s+(\S+)", re.IGNORECASE | re.MULTILINE)
LOOPBACK: Final = re.compile(r"^(?:127(?:\.\d{1,3}){3}|\[?::1\]?|localhost)(?::\d+)?$")
INPUT_DROP: Final = re.compile(r"hook\s+input\b[^}]*?policy\s+drop", re.DOTALL)
INPUT_ACCEPT: Final = re.compile(r"hook\s+input\b[^}]*?policy\s+accept", re.DOTALL)
INPUT_CHAIN: Final = re.compile(r"hook\s+input\b.*?^\s*\}\s*$", re.DOTALL | re.MULTILINE)
TAKES: Final = re.compile(r"\b[ds]port\b[^\n]*\b(?:accept|jump|goto)\b")
ALLOWED_IPS: Final = re.compile(r"\ballowed-?ips\b\s*=?\s*(.*)$", re.IGNORECASE | re.MULTILINE)
PREFIX: Final = re.compile(r"/(\d{1,3})\b")
OPENS: Final = re.compile(
    r"^\s*(?:PasswordAuthentication|PermitRootLogin|KbdInteractiveAuthentication|PermitEmptyPasswords)\s+yes"
    r"|\bufw\s+(?:allow|disable)|\bip6?tables\s[^\n]*-j\s+ACCEPT|\bnft\s+flush\s+ruleset"
    r"|\bdockerd\b[^\n]*(?:-H|--host)[ =]?tcp:|[\"']?hosts[\"']?\s*:\s*\[[^\]]*tcp:"
    r"|\bssh\b[^\n]*\s-R\s|\bcloudflared\s+tunnel\s+--url|\bngrok\b|/dev/tcp/"
    r"|\bcurl\b[^\n]*\|\s*(?:sudo\s+)?(?:ba|da)?sh\b",
    re.IGNORECASE | re.MULTILINE,
)


def readable(resource: Resource) -> Iterator[str]:
    text = _text(resource)
    if text is None:
        return
    if not text.startswith("#cloud-config\n"):
        yield "userData: not cloud-config; scripts, includes, templates, multipart and encodings hide what they do"
    if len(text.encode()) > MAX_BYTES:
        yield f"userData: longer than the provider's {MAX_BYTES} bytes"


def closed(resource: Resource) -> Iterator[str]:
    text = _text(resource)
    if text is None or not text.startswith("#cloud-config\n"):
        return
    config = _parse(text)
    files = "\n".join((*_files(config), *_boot_commands(config)))
    listens: list[str] = LISTEN.findall(files)
    if not listens or not all(LOOPBACK.match(address) for address in listens):
        yield "userData: sshd does not listen on loopback only"
    if not INPUT_DROP.search(files) or INPUT_ACCEPT.search(files):
        yield "userData: no packet filter whose input policy is drop"
    if OPENS.search(files) or OPENS.search(text):
        yield "userData: a line that opens a way in"
    yield from _logins(config)


def unasked(resource: Resource) -> Iterator[str]:
    text = _text(resource)
    if text is None or not text.startswith("#cloud-config\n"):
        return
    config = _parse(text)
    files = "\n".join((*_files(config), *_boot_commands(config)))
    if any(TAKES.search(chain) for chain in INPUT_CHAIN.findall(files)):
        yield "userData: the input chain takes a port, which then answers whoever asks"
    for allowed in ALLOWED_IPS.findall(files):
        prefixes = PREFIX.findall(allowed)
        if not prefixes or not set(prefixes) <= {"32", "128"}:
            yield "userData: a WireGuard peer that speaks for more than one address"


def _text(resource: Resource) -> str | None:
    """The text, None while it is unknown: it holds the tunnel's token. The stack rule asks where it comes from."""
    if resource.props.get("userData") is UNKNOWN:
        return None
    return View(resource.props).text("userData")


def _parse(text: str) -> Mapping[str, object]:
    import yaml  # here, so that the pack starts without it

    loaded = yaml.safe_load(text)
    return loaded if isinstance(loaded, Mapping) else {}


def _files(config: Mapping[str, object]) -> Iterator[str]:
    entries = config.get("write_files")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        yield _decoded(str(entry.get("content", "")), str(entry.get("encoding", "")).lower(), index)


def _boot_commands(config: Mapping[str, object]) -> Iterator[str]:
    """The packet filter is loaded here: `runcmd` comes only after sshd and Docker were started."""
    commands = config.get("bootcmd")
    for command in commands if isinstance(commands, list) else []:
        yield command if isinstance(command, str) else " ".join(map(str, command))


def _decoded(content: str, encoding: str, index: int) -> str:
    try:
        packed = "b64" in encoding or "base64" in encoding
        data = base64.b64decode("".join(content.split()), validate=True) if packed else content.encode()
        return (gzip.decompress(data) if "gz" in encoding else data).decode()
    except (ValueError, OSError, EOFError, zlib.error):
        raise UndecidableError(f"userData.write_files[{index}]: can't be decoded") from None


def _logins(config: Mapping[str, object]) -> Iterator[str]:
    if config.get("ssh_pwauth") not in (None, False) or config.get("disable_root") is False:
        yield "userData: logs in with a password, or as root"
    if config.get("password") or config.get("chpasswd") or config.get("phone_home"):
        yield "userData: sets a password, or sends keys away"
    users = config.get("users")
    for user in users if isinstance(users, list) else []:
        opened = isinstance(user, Mapping) and (
            user.get("lock_passwd") is False or {"passwd", "plain_text_passwd", "hashed_passwd"} & set(user)
        )
        if opened:
            yield "userData: a user with a password"


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
        claim="User data puts sshd on loopback, drops what comes in, and sets no password.",
        remediation="Write an sshd drop-in with ListenAddress 127.0.0.1 and an nftables input chain with policy drop.",
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
