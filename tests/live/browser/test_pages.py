"""Pictures and the report in a real browser: texts inside their boxes, no console message, no finding of axe.

axe-core (MPL-2.0, by Deque) is what axe-core-python brings along.
"""

import html
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from ops.diagram import svg
from ops.diagram.picture import pictures
from ops.preview.run import preview
from ops.recorded import read
from ops.report.page import matrix, page
from ops.report.render import render
from policy.rules.model import PackConfig
from tests.ops.diagram.stacks import watched
from tests.programs import need

ROOT = Path(__file__).parents[3]
QUIET = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=20000",
)  # fmt: skip
DARK, NARROW = "--force-dark-mode", "--window-size=500,900"
AXE = """
axe.run().then(found => answer({
  dark: matchMedia("(prefers-color-scheme: dark)").matches, passes: found.passes.length,
  sideways: document.documentElement.scrollWidth > innerWidth,
  violations: found.violations.map(each => each.id + ": " + each.nodes[0].html),
}));
"""
OUTSIDE = """
const found = [], page = document.querySelector("svg").viewBox.baseVal;
const leaves = (a, b) => a.x < b.x || a.y < b.y || a.x + a.width > b.x + b.width || a.y + a.height > b.y + b.height;
for (const text of document.querySelectorAll("text")) {
  const box = text.parentNode.querySelector(":scope > rect");
  if (leaves(text.getBBox(), box ? box.getBBox() : page)) found.push(text.textContent);
}
answer({texts: document.querySelectorAll("text").length, outside: found});
"""


@pytest.fixture(scope="module")
def report() -> str:
    """The dev stack's report."""
    return render(page(preview(ROOT, "dev"), PackConfig()))


@pytest.fixture(scope="module")
def fifty() -> str:
    """The same with fifty services that a watcher asks."""
    stack = watched(50)
    dev = page(preview(ROOT, "dev"), PackConfig())
    return render(replace(dev, stack=stack, matrix=matrix(stack), pictures=pictures(stack)))


def _ask(text: str, script: str, folder: Path, *flags: str) -> tuple[Any, list[str]]:
    """What a script says of a page, and what the console said."""
    need("chromium")
    tell = 'const answer = it => document.getElementById("answer").textContent = JSON.stringify(it);'
    asked = f'<pre id="answer" hidden></pre><script>{tell}{script}</script>'
    file = folder / "page.html"
    file.write_text(text.replace("</main>", f"{asked}</main>"), encoding="utf-8")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = ["chromium", *QUIET, *root, f"--user-data-dir={folder / 'profile'}", *flags, "--dump-dom", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    found = re.search(r'<pre id="answer" hidden="">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr
    return json.loads(html.unescape(found[1])), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def _axe() -> str:
    source = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    return source.replace("</script", r"<\/script") + AXE


@pytest.mark.parametrize("flags", [[], [DARK], [NARROW]], ids=["light", "dark", "narrow"])
def test_axe_finds_nothing_and_the_console_is_silent(report: str, flags: list[str], tmp_path: Path) -> None:
    found, console = _ask(report, _axe(), tmp_path, *flags)
    assert found["violations"] == []
    assert console == []
    assert found["passes"] > 20
    assert found["dark"] == (DARK in flags)
    assert not found["sideways"], "the page itself never scrolls sideways"


@pytest.mark.parametrize("flags", [[], [NARROW]], ids=["wide", "narrow"])
def test_fifty_services_scroll_inside_the_page(fifty: str, flags: list[str], tmp_path: Path) -> None:
    found, console = _ask(fifty, _axe(), tmp_path, *flags)
    assert (found["violations"], found["sideways"], console) == ([], False, [])


def test_a_page_that_scrolls_sideways_would_be_seen(fifty: str, tmp_path: Path) -> None:
    loose = fifty.replace("position: relative; overflow: auto", "overflow: auto")
    assert _ask(loose, _axe(), tmp_path, NARROW)[0]["sideways"]


def test_axe_and_the_console_are_heard(report: str, tmp_path: Path) -> None:
    spoiled = report.replace("<h1>", '<img src="data:,"><h1>').replace(' tabindex="0"', "")
    found, console = _ask(spoiled, "console.error('heard');" + _axe(), tmp_path, NARROW)
    assert {each.split(":")[0] for each in found["violations"]} >= {"image-alt", "scrollable-region-focusable"}
    assert any("heard" in line for line in console)


def _drawings() -> Iterator[Any]:
    yield from (pytest.param(svg.render(each), id=f"50-{each.concern}") for each in pictures(watched(50)))
    yield from (pytest.param(svg.render(each), id=f"5-{each.concern}") for each in pictures(watched(5)))


@pytest.mark.parametrize("drawing", list(_drawings()))
def test_no_text_leaves_its_box_or_the_page(drawing: str, tmp_path: Path) -> None:
    found, console = _ask(_bare(drawing), OUTSIDE, tmp_path)
    assert (found["outside"], console) == ([], [])
    assert found["texts"] > 10


def test_the_examples_pictures_fit(tmp_path: Path) -> None:
    for picture in pictures(read(preview(ROOT, "dev").graph)):
        assert _ask(_bare(svg.render(picture)), OUTSIDE, tmp_path)[0]["outside"] == []


def test_a_text_outside_would_be_seen(tmp_path: Path) -> None:
    drawing = svg.render(pictures(watched(5))[0]).replace(">gateway</text>", f">gateway{'y' * 40}</text>", 1)
    assert _ask(_bare(drawing), OUTSIDE, tmp_path)[0]["outside"] != []


def _bare(drawing: str) -> str:
    return f'<!doctype html><meta charset="utf-8"><main>{drawing}</main>'
