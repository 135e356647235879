"""The host's packet filter as nftables reads it: one table, of which every chain and every set is looked at."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

COMMENT: Final = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
TABLE: Final = re.compile(
    r"(?:flush ruleset\s+|table inet (?P<name>\w+)\s+delete table inet (?P=name)\s+)?"
    r"table inet \w+ \{(?P<body>.*)\}\s*(?:include \"/etc/[\w-]+/members\*\.nft\")?",
    re.DOTALL,
)
BLOCK: Final = re.compile(r"\b(chain|set)\s+(\w+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
EMPTY_SET: Final = "type ipv4_addr"
HOOK: Final = re.compile(r"type filter hook (?:input|forward|output) priority (?:filter|0)")
INPUT: Final = "hook input "
VERDICT: Final = re.compile(r"\b(?:accept|jump|goto|queue|vmap|synproxy|dup|fwd|include|define)\b|\$")
"""What can let a packet in. The rest of nftables' words count it, change it or drop it."""
ANSWERS: Final = re.compile(
    r'iif(?:name)? "?lo"? accept'
    r"|ct state (?:\{ ?)?(?:established|related)(?:, ?(?:established|related))?(?: ?\})? accept"
    r"|(?:ip6 hoplimit 255 )?icmpv6 type \{ ?nd-[a-z-]+(?:, ?nd-[a-z-]+)* ?\} accept"
    r"|iifname \{ ?[\w-]+(?:, ?[\w-]+)* ?\} ip daddr [\d.]+ ip saddr @\w+ jump \w+"
)
"""Itself, answers, the neighbours without which IPv6 has no link, and the machines of a set."""


def is_closed(text: str) -> bool:
    """True for one table that has nothing but chains and empty sets, and drops what its input chain does not take."""
    table = TABLE.fullmatch(COMMENT.sub("", text).strip())
    if not table or BLOCK.sub("", table["body"]).strip():
        return False
    names = [name for kind, name, _ in BLOCK.findall(table["body"]) if kind == "chain"]
    sets = [_statements(body) for kind, _, body in BLOCK.findall(table["body"]) if kind == "set"]
    hooks = [line for body in chains(text).values() for line in body if "hook" in line]
    return (
        len(names) == len(set(names))
        and all(lines == [EMPTY_SET] for lines in sets)
        and all(HOOK.fullmatch(hook) for hook in hooks)
        and any(INPUT in hook for hook in hooks)
        and all("policy drop" in body for body in _inputs(text))
    )


def takes_what_is_no_answer(text: str) -> bool:
    """True where the input chain lets in more than it has to."""
    return any(VERDICT.search(line) and not ANSWERS.fullmatch(line) for body in _inputs(text) for line in body)


def chains(text: str) -> Mapping[str, list[str]]:
    """Chain → its statements."""
    found = BLOCK.findall(COMMENT.sub("", text))
    return {name: _statements(body) for kind, name, body in found if kind == "chain"}


def _inputs(text: str) -> Iterator[list[str]]:
    return (body for body in chains(text).values() if any(INPUT in line for line in body))


def _statements(body: str) -> list[str]:
    return [" ".join(line.split()) for line in re.split(r"[;\n]", body.replace("\\\n", " ")) if line.strip()]
