"""A picture as Mermaid text (https://mermaid.js.org/syntax/flowchart.html). Pure."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ops.diagram.picture import Box, Picture, Way

ARROWS: dict[Way, str] = {
    "request": "-->", "tunnel": '== "dials out" ==>', "link": "-->", "out": "-.->",
}  # fmt: skip


def render(picture: Picture) -> str:
    """A flowchart from left to right."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Mermaid; `quoted` takes care of what comes from a stack file
    )
    environment.filters |= {"quoted": _quoted, "label": _label}
    ids = {box.id: f"n{index}" for index, box in enumerate(picture.boxes)}
    template = environment.get_template("picture.mmd.j2")
    return template.render(picture=picture, ids=ids, arrows=ARROWS, kinds=sorted({box.kind for box in picture.boxes}))


def _label(box: Box) -> str:
    admin = (f"{host} (operators)" for host in box.admin)
    return "<br>".join(_quoted(text) for text in (box.name, *box.lines, *box.public, *admin))


def _quoted(text: str) -> str:
    """A text that ends no label and starts no markup: Mermaid reads `#NN;` as the character NN."""
    return re.sub(r"[^\w .:/,()*'-]", lambda found: f"#{ord(found[0])};", text)
