"""A laid out picture as SVG. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ops.diagram.layout import (
    CHARACTER,
    DOT,
    LEADING,
    LINE_SIZE,
    MARGIN,
    NAME_HEIGHT,
    NAME_SIZE,
    PADDING,
    Layout,
    Line,
    layout,
    short,
)
from ops.diagram.picture import Box, Kind, Picture, Way

FOLDER = Path(__file__).parent
STYLE = FOLDER / "picture.css"
KINDS: dict[Kind, str] = {
    "people": "people",
    "edge": "Cloudflare's edge",
    "way-in": "way in",
    "own": "guards and helpers",
    "service": "service",
    "data": "service that keeps data",
    "host": "the server itself",
    "internet": "what is outside",
}
WAYS: dict[Way, str] = {
    "request": "requests",
    "tunnel": "tunnel: dialled from inside, carries requests back",
    "link": "private network of these two",
    "out": "way out",
}
DOTS = {"public": "name for visitors", "admin": "name for operators"}
SWATCH, ITEM_GAP = 30, 24


@dataclass(frozen=True)
class Item:
    """An entry of the legend."""

    group: str
    key: str
    text: str
    x: float
    y: float


def render(picture: Picture, *, standalone: bool = True) -> str:
    """A whole SVG document, or one to stand in a page that has the style already."""
    found = layout(picture)
    legend = list(_legend(found, picture))
    notes = [(note, _last(legend, found) + LEADING * (index + 1)) for index, note in enumerate(picture.notes)]
    widest = max(len(note) for note in ("", *picture.notes)) * LINE_SIZE * CHARACTER + 2 * MARGIN
    return _environment().get_template("picture.svg.j2").render(
        picture=picture,
        layout=found,
        legend=legend,
        notes=notes,
        size=(round(max(found.width, widest)), round(_last(legend, found) + LEADING * len(notes) + MARGIN)),
        key=f"picture-{picture.concern or 'main'}",
        style=STYLE.read_text(encoding="utf-8") if standalone else "",
        ways=[way for way in WAYS if any(line.arrow.way == way for line in found.lines)],
    )  # fmt: skip


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=True, trim_blocks=True
    )
    environment.filters |= {"path": _path, "number": _number, "rows": _rows, "short": short}
    environment.globals |= {
        "name_height": NAME_HEIGHT, "dot": DOT, "leading": LEADING, "padding": PADDING, "swatch": SWATCH,
        "name_size": NAME_SIZE, "line_size": LINE_SIZE, "margin": MARGIN,
    }  # fmt: skip
    return environment


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _rows(box: Box) -> list[tuple[str, str]]:
    """(kind, text) of what stands below a box's name."""
    kinds = {"line": box.lines, "public": box.public, "admin": box.admin}
    return [(kind, text) for kind, found in kinds.items() for text in found]


def _path(line: Line) -> str:
    """Curves between ranks, straight stretches along lanes."""
    parts = [f"M{_number(line.points[0][0])} {_number(line.points[0][1])}"]
    for index, ((x, y), (to_x, to_y)) in enumerate(pairwise(line.points)):
        middle, end = _number((y + to_y) / 2), f"{_number(to_x)} {_number(to_y)}"
        parts.append(f"V{_number(to_y)}" if index % 2 else f"C{_number(x)} {middle} {_number(to_x)} {middle} {end}")
    return " ".join(parts)


def _legend(found: Layout, picture: Picture) -> Iterator[Item]:
    """What the colours and lines mean that this picture uses, in rows as wide as the picture."""
    kinds = {box.kind for box in picture.boxes}
    ways = {arrow.way for arrow in picture.arrows}
    dots = {name for name in DOTS if any(getattr(box, name) for box in picture.boxes)}
    entries: list[tuple[str, str, str]] = [("kind", key, text) for key, text in KINDS.items() if key in kinds]
    entries += [("dot", key, text) for key, text in DOTS.items() if key in dots]
    entries += [("way", key, text) for key, text in WAYS.items() if key in ways]
    x, y = float(MARGIN), found.height + LEADING
    for group, key, text in entries:
        width = SWATCH + len(text) * LINE_SIZE * CHARACTER
        if x > MARGIN and x + width > found.width - MARGIN:
            x, y = float(MARGIN), y + LEADING + 4
        yield Item(group, key, text, x, y)
        x += width + ITEM_GAP


def _last(legend: list[Item], found: Layout) -> float:
    return max([found.height, *(item.y for item in legend)])
