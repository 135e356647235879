"""The documentation leads somewhere: links, anchors, commands, numbers and threats that rules name."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.audit.table import CHECKS
from ops.preview.run import preview
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


TARGETS = set(re.findall(r"^([a-z-]+)(?: [a-z -]+)?:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
SPEAKING = [*PAGES, *(ROOT / "ops").rglob("*.py"), *(ROOT / "settings").rglob("*.py"), *ROOT.glob("Pulumi.*.yaml")]
"""Whatever tells a person what to run."""


def _commands(text: str) -> Iterator[str]:
    """Commands as they are written: in backticks, or in lines of their own that are set off."""
    yield from re.findall(r"`([^`\n]+)`", text)
    yield from re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)


def _unknown(text: str) -> set[str]:
    """Targets that the Makefile lacks, and modules that are not there or do nothing when they are run."""
    found = set()
    for command in _commands(text):
        words = re.sub(r"\s#.*$", "", command)
        made = re.match(r"make ((?:[a-z-]+(?: |$))+)", words)
        found |= {f"make {target}" for target in made[1].split() if target not in TARGETS} if made else set()
        found |= {f"python -m {name}" for name in re.findall(r"python3? -m ([\w.]+)", words) if not _runs(name)}
    return found


def _runs(module: str) -> bool:
    path = ROOT / module.replace(".", "/")
    if (path / "__main__.py").is_file():
        return True
    file = path.with_suffix(".py")
    if file.is_file():
        return '__name__ == "__main__"' in file.read_text(encoding="utf-8")
    top = module.partition(".")[0]
    return importlib.util.find_spec(top) is not None and not (ROOT / top).exists()


@pytest.mark.parametrize("file", SPEAKING, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_command_that_is_written_down_exists(file: Path) -> None:
    assert _unknown(file.read_text(encoding="utf-8")) == set()


def test_a_command_that_does_not_exist_is_seen() -> None:
    text = "Run `make preveiw STACK=dev`, `python -m ops.nothing`.\n\n    make check drfit # both\n    make audit S=x\n"
    assert _unknown(text) == {"make preveiw", "make drfit", "python -m ops.nothing"}
    assert _unknown("`python -m ops.recorded` has nothing to run") == {"python -m ops.recorded"}
    assert "preview" in TARGETS, "the control has something to compare with"


def test_the_documentation_names_commands_at_all() -> None:
    every = [command for page in PAGES for command in _commands(page.read_text(encoding="utf-8"))]
    assert len([command for command in every if command.startswith("make ")]) > 40
    assert len([command for command in every if "python -m" in command]) > 2


def test_the_readmes_numbers_are_the_examples() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    numbers = dict(re.findall(r"^\| ([^|]+) \| ([\d%\s]+) \|", text, re.MULTILINE))
    exposure = preview(ROOT, "dev").exposure
    assert numbers == {
        "open inbound ports": str(exposure.open_inbound_ports),
        "independent security layers": str(exposure.security_layers),
        "places that end a visitor's TLS": str(exposure.tls_termination_points),
        "public names that pass the gateway": f"{exposure.centralized_ingress_percent} %",
        "rules that a change has to pass": str(len(RESOURCE_RULES) + len(STACK_RULES)),
        "checks of what is deployed": str(len(CHECKS)),
    }
