"""Evaluates the part of Cloudflare's rules language that the rules are written in.

The languages agree on how ``not``, ``and`` and ``or`` bind, and comparisons bind closer than ``not`` in both. So an
expression is translated to Python token by token; a token that is not known here is an error.
"""

import ipaddress
import re
from collections.abc import Mapping

TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"]*")|(?P<address>[0-9a-f:.]+/\d+)|(?P<number>\d+)|(?P<list>\$[a-z0-9_]+)|(?P<mark>[{}(),])|(?P<word>[a-z_][a-z_.]*))'
)
WORDS = {"not": "not", "and": "and", "or": "or", "in": "in", "eq": "==", "contains": ">>"}
FUNCTIONS = {"lower": "lower", "starts_with": "starts_with"}


class Text(str):
    """A text whose ``>>`` is the language's ``contains``."""

    def __rshift__(self, part: str) -> bool:
        return part in self


class Networks:
    """A set of addresses and networks."""

    def __init__(self, members: list[str]) -> None:
        self.members = [ipaddress.ip_network(member) for member in members]

    def __contains__(self, address: str) -> bool:
        return any(ipaddress.ip_address(address) in network for network in self.members)


def matches(expression: str, request: Mapping[str, object]) -> bool:
    """Whether a rule matches a request, given as field → value. Raises ``ValueError`` for what is not known here."""
    names = {
        "field": lambda name: Text(request[name]) if isinstance(request[name], str) else request[name],
        "lower": lambda text: Text(text.lower()),
        "starts_with": lambda text, start: text.startswith(start),
        "Networks": Networks,
        "listed": lambda name: Networks(request[name]),  # type: ignore[arg-type]
    }
    return bool(eval(_python(expression), {"__builtins__": {}}, names))  # noqa: S307 - made of known tokens only


def _python(expression: str) -> str:
    parts: list[str] = []
    position = 0
    while position < len(expression.rstrip()):
        found = TOKEN.match(expression, position)
        if not found:
            raise ValueError(f"unknown at {position}: {expression[position : position + 20]}")
        position = found.end()
        parts.append(_part(found))
    text = " ".join(parts)
    return re.sub(r"\{ ([^}]*) \}", _members, text)


def _part(found: re.Match[str]) -> str:
    word = found["word"]
    if found["list"]:
        return f"listed({found['list']!r})"
    if word is None:
        return found[0].strip()
    if word in WORDS or word in FUNCTIONS:
        return WORDS.get(word) or FUNCTIONS[word]
    if "." not in word:
        raise ValueError(f"unknown word: {word}")
    return f"field({word!r})"


def _members(found: re.Match[str]) -> str:
    members = found[1].split()
    if any("/" in member for member in members):
        return f"Networks({members!r})"
    return "(" + ", ".join(members) + ",)"
