"""Constrained scalar types that the stack file is made of."""

import base64
import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

WORDS: dict[str, str] = {}
"""Pattern → what to write, for a person who wrote something else."""


def worded(pattern: str, words: str) -> str:
    """The pattern, with what to tell a person whose text does not match it."""
    WORDS[pattern] = words
    return pattern


def matching(pattern: str, words: str, max_length: int | None = None) -> StringConstraints:
    """The same for a type of text."""
    return StringConstraints(pattern=worded(pattern, words), max_length=max_length)


LEAST_MEMORY_MIB = 6
"""https://docs.docker.com/engine/containers/resource_constraints/#limit-a-containers-access-to-memory"""
SECRET_NAME = r"^[a-z][a-z0-9_]{0,62}$"  # noqa: S105 - a pattern
"""What does not match it may be a secret itself, and is not shown."""
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


class Model(BaseModel):
    """Base of every settings model: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"write a network such as 203.0.113.0/24 or 2001:db8::/48 ({error})") from None


def _ipv4_address(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise ValueError(f"write an IPv4 address such as 9.9.9.9 ({error})") from None


def _private_pool(text: str) -> str:
    try:
        pool = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"write a private IPv4 network such as 10.128.0.0/9 ({error})") from None
    if not pool.is_private or pool.is_loopback or pool.is_link_local or pool.prefixlen > 20:
        raise ValueError("write a private IPv4 network of at least /20, such as 10.128.0.0/9")
    return str(pool)


def _link_subnet(text: str) -> str:
    try:
        subnet = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"write a /29 such as 10.128.4.8/29 ({error})") from None
    if subnet.prefixlen not in (29, 26):
        raise ValueError("a link's subnet is a /29, such as 10.128.4.8/29, and with nodes a /26")
    return str(subnet)


def _pinned_image(text: str) -> str:
    name, _, tag = text.rpartition("/")[2].partition(":")
    if not name or (not re.search(r"@sha256:[0-9a-f]{64}$", text) and tag in ("", "latest")):
        raise ValueError("pin the image: name:version or name@sha256:digest, never latest")
    if not re.fullmatch(r"[a-z0-9][a-zA-Z0-9._/:@-]*", text):
        raise ValueError("this is not an image reference")
    return text


def _memory(size: str) -> str:
    if size_mib(size) < LEAST_MEMORY_MIB:
        raise ValueError(f"{size}: Docker gives a container at least {LEAST_MEMORY_MIB}m")
    return size


SSH_KEYS: dict[str, tuple[int, ...]] = {
    "ssh-ed25519": (32,),
    "sk-ssh-ed25519@openssh.com": (32, 0),
    "sk-ecdsa-sha2-nistp256@openssh.com": (8, 65, 0),
}
"""Type → bytes of each field behind it; 0: any number. https://www.rfc-editor.org/rfc/rfc8709#section-4 and OpenSSH's
PROTOCOL.u2f."""


def _ssh_public_key(text: str) -> str:
    kinds = "|".join(map(re.escape, SSH_KEYS))
    line = re.fullmatch(rf"({kinds}) ([A-Za-z0-9+/]{{60,}}={{0,2}})( [^\n]*)?", text)
    if not line:
        raise ValueError("paste one line of an id_ed25519.pub (ed25519, or a security key's sk- type)")
    if not _is_ssh_key(line[1], line[2]):
        raise ValueError(f"this is no {line[1]} key: a part is missing, or it is another one; paste the line once more")
    return text


def _is_ssh_key(kind: str, encoded: str) -> bool:
    """Whether it holds what its type says: that type once more, and fields of the right lengths."""
    try:
        name, *fields = _ssh_fields(base64.b64decode(encoded, validate=True))
    except ValueError:
        return False
    lengths = SSH_KEYS[kind]
    fitting = [not length or len(field) == length for field, length in zip(fields, lengths, strict=False)]
    return name == kind.encode() and len(fields) == len(lengths) and all(fitting)


def _ssh_fields(blob: bytes) -> list[bytes]:
    """Each is its length in four bytes, and that many. Raises ``ValueError`` where the last one is cut off."""
    fields: list[bytes] = []
    while blob:
        end = 4 + int.from_bytes(blob[:4])
        if len(blob) < end:
            raise ValueError("cut off")
        fields.append(blob[4:end])
        blob = blob[end:]
    return fields


Name = Annotated[
    str,
    matching(r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])$", "write 2 to 30 of a-z, 0-9 and -, a letter first"),
]
"""A service's name: 2 to 30 of a-z, 0-9 and -, starting with a letter. Container names need two characters."""
Hostname = Annotated[
    str,
    matching(
        rf"^({LABEL}\.)+[a-z]{{2,63}}$", "write a host name in lower case, such as api.example.com", max_length=253
    ),
]
DomainPattern = Annotated[
    str,
    matching(
        rf"^(\*\.)?({LABEL}\.)+[a-z]{{2,63}}$",
        "write a domain in lower case, such as api.example.com or *.example.com",
        max_length=253,
    ),
]
"""A domain a service may call; a leading ``*.`` allows every name below it."""
Cidr = Annotated[str, AfterValidator(_network)]
Ipv4Address = Annotated[str, AfterValidator(_ipv4_address)]
Pool = Annotated[str, AfterValidator(_private_pool)]
LinkSubnet = Annotated[str, AfterValidator(_link_subnet)]
Image = Annotated[str, AfterValidator(_pinned_image)]
SshPublicKey = Annotated[str, AfterValidator(_ssh_public_key)]
Port = Annotated[int, Field(ge=1, le=65535)]
Email = Annotated[str, matching(r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", "write an e-mail address")]
Size = Annotated[str, matching(r"^[1-9][0-9]{0,5}[kmg]$", "write a size such as 64m or 1g")]
"""Bytes with a unit: 64m, 1g."""
Memory = Annotated[Size, AfterValidator(_memory)]
"""What a container may have."""
Seconds = Annotated[str, matching(r"^[1-9][0-9]{0,4}s$", "write seconds such as 30s")]
Duration = Annotated[
    str,
    matching(r"^[1-9][0-9]{0,4}[smhd]$", "write a span of time such as 30s, 10m, 4h or 7d"),
]
"""A span of time with a unit: 30s, 10m, 4h, 7d."""
ClockTime = Annotated[str, matching(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "write a time of day such as 03:30")]
User = Annotated[str, matching(r"^[0-9]+:[0-9]+$", "write numbers, uid:gid, such as 3000:3000")]
"""Numeric uid:gid: a name would be looked up in the image, where nobody reviews it."""
AbsolutePath = Annotated[
    str,
    matching(r"^/[A-Za-z0-9._/-]*[A-Za-z0-9._-]$", "write a whole path such as /etc/app/app.conf"),
]
UrlPath = Annotated[
    str,
    matching(r"^/[A-Za-z0-9._~/-]*$", "write a path such as /api/v1, of letters, digits and ._~-"),
]
EnvName = Annotated[str, matching(r"^[A-Za-z_][A-Za-z0-9_]*$", "write a variable's name such as LOG_LEVEL")]
FileName = Annotated[
    str,
    matching(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "write a file's name such as database_url, without folders"),
]
SecretName = Annotated[
    str,
    matching(SECRET_NAME, "name a secret of the stack, not its value: a letter of a-z, then a-z, 0-9 and _"),
]
HexId = Annotated[
    str,
    matching(r"^[0-9a-f]{32}$", "write the 32 hex digits that Cloudflare shows, in lower case"),
]


def size_mib(size: str) -> int:
    """Whole mebibytes of a ``Size``, at least 1 (Docker's memory limits are given in MiB)."""
    factor = {"k": 1 / 1024, "m": 1, "g": 1024}[size[-1]]
    return max(1, int(int(size[:-1]) * factor))
