"""The documentation leads somewhere: links, anchors, make targets and threats that rules name."""

import re
from pathlib import Path

import pytest

from policy.rules.table import RESOURCE_RULES, STACK_RULES

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _dangling(page: Path, text: str) -> list[str]:
    found = []
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert _dangling(page, page.read_text(encoding="utf-8")) == []


def test_the_check_sees_a_dangling_link() -> None:
    text = "[a](docs/nowhere.md) [b](#nothing) [c](docs/threat-model.md#perimeter)"
    assert _dangling(ROOT / "README.md", text) == ["docs/nowhere.md", "#nothing"]


def test_every_threat_that_a_rule_names_is_described() -> None:
    described = _anchors(ROOT / "docs/threat-model.md")
    named = {rule.threat for rule in RESOURCE_RULES} | {rule.threat for rule in STACK_RULES}
    assert named - described == set()


def test_every_make_target_in_the_documentation_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:^    |`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named - targets == set()
