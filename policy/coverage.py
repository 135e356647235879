"""Writes docs/policy-coverage.md: public rule sets against the rule table. `python -m policy.coverage [--check]`"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from policy.rules.model import Rule, StackRule
from policy.rules.table import ALL, BY_ID
from policy.rules.types import ALLOWED

ROOT: Final = Path(__file__).resolve().parents[1]
CATALOGUE: Final = Path(__file__).with_suffix(".yaml")
DOCUMENT: Final = ROOT / "docs" / "policy-coverage.md"
HEAD: Final = """# What the policy pack covers

Made by `python -m policy.coverage` from the rule table and policy/coverage.yaml. A test holds it current.
"""


def catalogue() -> list[dict[str, Any]]:
    """The public rule sets."""
    loaded: list[dict[str, Any]] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return loaded


def dangling() -> list[str]:
    """Public rules that name a rule of ours that does not exist, or have neither a rule nor a reason."""
    return [
        f"{name}: {', '.join(entry.get('rule', ())) or 'nothing'}"
        for group in catalogue()
        for name, entry in group["rules"].items()
        if set(entry.get("rule", ())) - set(BY_ID) or not (entry.get("rule") or entry.get("why"))
    ]


def render() -> str:
    """The whole document."""
    parts = [HEAD, *(_group(group) for group in catalogue()), _rules(), _types()]
    return "\n".join(parts)


def _group(group: Mapping[str, Any]) -> str:
    rules = group["rules"]
    answered = sum(bool(entry.get("rule")) for entry in rules.values())
    lines = [f"\n## {group['title']}\n", f"{answered} of {len(rules)} answered. Source: {group['source']}\n"]
    lines += ["| theirs | says | ours | note |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {entry['says']} | {_ours(entry)} | {entry.get('why', '')} |" for name, entry in rules.items()
    ]
    return "\n".join(lines)


def _ours(entry: Mapping[str, Any]) -> str:
    return ", ".join(f"`{rule}`" for rule in entry.get("rule", ())) or "none"


def _rules() -> str:
    lines = ["\n## Every rule\n", f"{len(ALL)} rules. A rule that opens a way in can't be waived.\n"]
    lines += ["| rule | severity | level | waivable | holds | threat |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *(_row(rule) for rule in ALL)])


def _row(rule: Rule | StackRule) -> str:
    threat = f"[{rule.threat}](threat-model.md#{rule.threat})"
    waivable = "yes" if rule.waivable else "no"
    return f"| `{rule.id}` | {rule.severity} | {rule.level} | {waivable} | {rule.claim} | {threat} |"


def _types() -> str:
    lines = [
        "\n## Allowed types\n",
        "Every other type is denied.\n",
        "| type | guarded by, or safe because |",
        "|---|---|",
    ]
    return "\n".join([*lines, *_type_rows(), ""])


def _type_rows() -> Iterator[str]:
    for token, reason in sorted(ALLOWED.items()):
        yield f"| `{token}` | {f'`{reason}`' if reason in BY_ID else reason} |"


def main(arguments: list[str]) -> int:
    """Write the document, or say whether it is current."""
    text = render()
    if "--check" in arguments:
        current = DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == text
        print("current" if current else f"{DOCUMENT.name} is not current: python -m policy.coverage")
        return 0 if current else 1
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
