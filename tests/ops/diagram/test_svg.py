"""The SVG is well-formed, says in words what it shows, and has every box and arrow once."""

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ops.diagram import mermaid, svg
from ops.diagram.picture import pictures
from tests.ops.diagram.stacks import stack, watched

SVG = "{http://www.w3.org/2000/svg}"
STYLE = Path(svg.STYLE).read_text(encoding="utf-8")
ROOT = Path(__file__).parents[3]


def _document(found: str) -> ET.Element:
    return ET.fromstring(found)  # noqa: S314 - our own text


def test_every_arrow_and_box_is_drawn_once() -> None:
    for picture in pictures(watched(8)):
        root = _document(svg.render(picture))
        lines = Counter(
            (g.get("data-client"), g.get("data-server")) for g in root.iter(f"{SVG}g") if g.get("data-client")
        )
        assert lines == Counter((arrow.client, arrow.server) for arrow in picture.arrows)
        assert [g.get("data-box") for g in root.iter(f"{SVG}g") if g.get("data-box")] == [b.id for b in picture.boxes]


def test_it_has_a_title_a_description_and_tells_each_arrows_network() -> None:
    picture = pictures(stack([("api", "postgres")]))[0]
    root = _document(svg.render(picture))
    names = {child.get("id"): child.text for child in root}
    assert [names[key] for key in root.attrib["aria-labelledby"].split()] == [picture.title, picture.description]
    titles = {title.text for title in root.iter(f"{SVG}title")}
    assert "api → postgres: x-link-api-postgres 10.1.0.0/29" in titles


def test_every_name_that_the_internet_knows_is_in_it() -> None:
    texts = {text.text for text in _document(svg.render(pictures(stack([("api", "postgres")]))[0])).iter(f"{SVG}text")}
    assert {"api.example.org/v2", "admin.example.org", "ssh.example.org"} <= texts


def test_it_loads_nothing_from_elsewhere() -> None:
    text = svg.render(pictures(stack())[0]).replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?:|href|@import|url\((?!#)", text) == []


def test_a_name_with_markup_stays_a_name() -> None:
    picture = pictures(stack([('a"><script>', "b")]))[0]
    root = _document(svg.render(picture))
    assert list(root.iter(f"{SVG}script")) == []
    assert "<script>" not in mermaid.render(picture)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_lines_stand_out_from_what_is_behind_them(scheme: str) -> None:
    """WCAG 2.2: 4.5 for texts (1.4.3), 3 for lines and borders (1.4.11)."""
    blocks = STYLE.split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", blocks[0 if scheme == "light" else 1]))
    behind = ("page", "frame", "people", "edge", "way-in", "own", "service", "data")
    assert [name for name in behind if contrast(colours["ink"], colours[name]) < 4.5] == []
    rims = [name for name in colours if name.endswith("-rim") or name in ("out", "faint", "rim")]
    assert [name for name in rims for on in ("page", "frame") if contrast(colours[name], colours[on]) < 3] == []
    assert contrast(colours["faint"], colours["frame"]) >= 4.5


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_mermaid_has_every_box_and_arrow_once() -> None:
    for picture in pictures(watched(8)):
        text = mermaid.render(picture)
        ids = dict(zip(re.findall(r"^ +(n\d+)[\[(]", text, re.MULTILINE), range(999), strict=False))
        arrows = re.findall(r"^ +(n\d+) (?:-->|-\.->|== \"dials out\" ==>) (n\d+)$", text, re.MULTILINE)
        assert (len(ids), len(arrows), len(set(arrows))) == (
            len(picture.boxes),
            len(picture.arrows),
            len(picture.arrows),
        )
        assert all(f'"{box.name}' in text or box.name in text for box in picture.boxes)
