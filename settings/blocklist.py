"""Lists of names that are not resolved: files of the project, each pinned by its digest and checked before use."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field

from settings.values import Model, worded

ROOT = Path(__file__).parents[1]
MAX_BYTES = 20_000_000
MAX_NAMES = 200_000
"""About 90 MB of the resolver's memory."""
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"({LABEL}\.)+([a-z]{{2,63}}|xn--[a-z0-9-]{{2,59}})")
HOSTS_FILE = {"0.0.0.0", "localhost.localdomain"}  # noqa: S104 - a name that hosts files list, no address to bind to
"""What hosts files say of the machine itself, beside names of one label."""
OURS = (".internal", ".arpa")
"""No list decides about internal and reverse names."""


class Blocklist(Model):
    """One list. To refresh it: fetch the source again, review the difference, and write the new digest here."""

    source: str = Field(
        pattern=worded(r"^https://\S+$", "write an address that begins with https://"),
        description="Where the file comes from. Nothing fetches it by itself.",
    )
    file: str = Field(
        pattern=worded(r"^[A-Za-z0-9._/-]+$", "write a path in the project, such as lists/ads.txt"),
        description="Its path in the project: names, or a hosts file.",
    )
    sha256: str = Field(
        pattern=worded(r"^[0-9a-f]{64}$", "write the 64 hex digits that `sha256sum FILE` prints"),
        description="The version: what `sha256sum FILE` prints.",
    )


def names(blocklist: Blocklist) -> frozenset[str]:
    """The names of a list. Raises ``ValueError`` where the file is missing, too large, another one, or malformed."""
    return _names(ROOT / blocklist.file, blocklist.sha256)


@lru_cache(maxsize=8)
def _names(path: Path, sha256: str) -> frozenset[str]:
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} has more than {MAX_BYTES:,} bytes")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"{path} is another version: its sha256 is {found}")
    listed = frozenset(_parsed(content.decode("utf-8", errors="replace")))
    if not 1 <= len(listed) <= MAX_NAMES:
        raise ValueError(f"{path} has {len(listed):,} names; 1 to {MAX_NAMES:,} are right")
    return listed


def _parsed(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        name = words[-1].lower().rstrip(".")
        if len(words) == 2 and _is_address(words[0]) and ("." not in name or name in HOSTS_FILE):
            continue
        if not (len(words) == 1 or (len(words) == 2 and _is_address(words[0]))) or not _is_public(name):
            raise ValueError(f"line {number} is no public name, alone or behind an address: {line[:80]!r}")
        yield name


def _is_public(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and len(name) <= 253 and not name.endswith(OURS)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def blocked(lists: Mapping[str, Blocklist], exceptions: tuple[str, ...]) -> list[str]:
    """All names of all lists without the exceptions, sorted. Raises ``ValueError``."""
    return sorted(frozenset().union(*(names(entry) for entry in lists.values())) - set(exceptions))


def covers(listed: frozenset[str] | set[str], name: str) -> str | None:
    """The entry that blocks a name: itself, or a name that it lies below."""
    labels = name.split(".")
    candidates = (".".join(labels[index:]) for index in range(len(labels)))
    return next((candidate for candidate in candidates if candidate in listed), None)
