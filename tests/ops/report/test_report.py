"""The report says what the preview found, says it to everyone, and loads nothing."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ops.preview.run import Preview, preview
from ops.report.page import Page, page
from ops.report.render import FOLDER, render
from policy.rules.model import PackConfig, Violation, Waiver
from tests.ops.diagram.test_svg import contrast

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 3, 1)
VOID = {"meta", "link", "br", "img", "input", "hr"}


@pytest.fixture(scope="module")
def shown() -> Preview:
    """The dev stack's preview."""
    return preview(ROOT, "dev")


@pytest.fixture(scope="module")
def dev(shown: Preview) -> Page:
    """Its report."""
    return page(shown, PackConfig(today=TODAY))


class _Tags(HTMLParser):
    """Tags with their attributes, and the nesting's mistakes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.wrong: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.wrong += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(tag)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_score_checklist_and_evidence_are_the_previews(shown: Preview, dev: Page) -> None:
    text = render(dev)
    assert [metric.value for metric in dev.metrics] == [
        str(shown.exposure.open_inbound_ports),
        str(shown.exposure.security_layers),
        str(shown.exposure.tls_termination_points),
        f"{shown.exposure.centralized_ingress_percent} %",
    ]
    for item in shown.exposure.checklist:
        assert _escaped(f"{item.number}. {item.item}") in text
        assert _escaped(item.evidence) in text
    assert text.count("✘ fail") == sum(not item.ok for item in shown.exposure.checklist) + sum(
        not metric.ok for metric in dev.metrics
    )


def test_the_matrix_has_every_link_once_and_no_other(dev: Page) -> None:
    marked = re.findall(r'<span class="hidden"> (\S+) reaches (\S+)</span>', render(dev))
    assert sorted(marked) == sorted(dev.matrix.links)
    assert len(marked) == sum(bool(network.client) for network in dev.stack.networks)


def test_every_container_network_name_and_file_is_listed(dev: Page) -> None:
    text = render(dev)
    wanted = [*dev.stack.nodes, *(network.name for network in dev.stack.networks)]
    assert [name for name in wanted if f'<th scope="row">{name}</th>' not in text] == []
    assert [route.text for route in dev.stack.routes if f"<code>{route.text}</code>" not in text] == []
    assert [file.path for file in dev.stack.files if f"<code>{file.path}</code>" not in text] == []
    assert [file.digest for file in dev.stack.files if file.digest and file.digest not in text] == []
    assert [node.image for node in dev.stack.nodes.values() if node.image.partition(":")[0] not in text] == []


def test_no_secret_is_in_it_not_even_its_stand_in(dev: Page) -> None:
    assert "masked-" not in render(dev)


def test_a_violation_blocks_and_stands_first_with_what_to_do(shown: Preview) -> None:
    found = Violation("no-rule", "critical", "urn:x::part", "it is <open>", "close it")
    spoiled = page(replace(shown, violations=[*shown.violations, found]), PackConfig(today=TODAY))
    text = render(spoiled)
    assert spoiled.violations[0] == found
    assert "May not be deployed" in text
    assert "it is &lt;open&gt;" in text
    assert "close it" in text


def test_a_waiver_is_shown_with_its_reason_and_what_is_wrong_with_it(shown: Preview) -> None:
    waivers = (
        Waiver("image-pinned", "urn:x::legacy", "the vendor ships no tags", date(2026, 5, 1)),
        Waiver("image-pinned", "urn:x::older", "the vendor ships no tags", date(2025, 5, 1)),
        Waiver("firewall-no-inbound", "urn:x::wall", "somebody wanted it open", date(2026, 5, 1)),
    )
    rows = page(shown, PackConfig(waivers=waivers, today=TODAY)).waivers
    assert [row.problem for row in rows] == ["", "expired on 2025-05-01", "this rule can't be waived"]
    text = render(page(shown, PackConfig(waivers=waivers, today=TODAY)))
    assert "the vendor ships no tags" in text
    assert "<td>legacy</td>" in text


def test_every_rule_of_the_pack_is_listed(dev: Page) -> None:
    text = render(dev)
    assert [row.rule.id for row in dev.rules if f'<th scope="row">{row.rule.id}</th>' not in text] == []


def test_it_loads_nothing(dev: Page) -> None:
    assert _loads(render(dev)) == []
    assert _loads('<link rel="stylesheet" href="https://x/y.css">') == ["https://x/y.css"]
    assert _loads("<script>1</script><style>@import 'x';</style>") == ["script", "@import"]


def _loads(text: str) -> list[str]:
    tags = _Tags(text)
    addresses = [a[key] for tag, a in tags.found if tag != "a" for key in ("src", "href") if key in a]
    inside = re.findall(r"@import|url\((?!#)[^)]*\)", text)
    return [each for each in addresses if each != "data:,"] + ["script"] * len(tags.of("script")) + inside


def test_tables_have_captions_headings_have_an_order_and_ids_are_unique(dev: Page) -> None:
    tags = _Tags(render(dev))
    assert tags.wrong == []
    assert len(tags.of("table")) == len(tags.of("caption")) >= 8
    assert [cell for cell in tags.of("th") if cell.get("scope") not in ("row", "col")] == []
    levels = [int(tag[1]) for tag, _ in tags.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in tags.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [name for _, a in tags.found for name in a.get("aria-labelledby", "").split()]
    anchors = [a["href"].removeprefix("#") for a in tags.of("a")]
    assert set(named) | set(anchors) <= set(ids)


def test_what_scrolls_is_reached_by_keyboard_and_has_a_name(dev: Page) -> None:
    regions = [a for tag, a in _Tags(render(dev)).found if "scroll" in a.get("class", "").split()]
    assert len(regions) >= 9
    assert all(a["tabindex"] == "0" and a["role"] == "region" and a["aria-labelledby"] for a in regions)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_in_both_schemes(scheme: str) -> None:
    """WCAG 2.2, 1.4.3 and 1.4.11: 4.5 for texts, 3 for the mark of the focus."""
    blocks = (FOLDER / "report.css").read_text(encoding="utf-8").split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", blocks[0 if scheme == "light" else 1]))
    inks = ("text", "quiet", "link-colour", "good", "bad")
    assert [ink for ink in inks for on in ("back", "band") if contrast(colours[ink], colours[on]) < 4.5] == []
    assert contrast(colours["focus"], colours["back"]) >= 3


def test_the_command_writes_one_file(tmp_path: Path) -> None:
    done = _command("--stack", "local", "--out", str(tmp_path / "deep" / "local.html"))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "deep" / "local.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "Where the tunnels end" not in text


def test_a_stack_that_is_not_there_is_one_message() -> None:
    done = _command("--stack", "nowhere")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "Pulumi.nowhere.yaml" in done.stderr


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command: list[Any] = [sys.executable, "-m", "ops.report", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;").replace(">", "&gt;")
