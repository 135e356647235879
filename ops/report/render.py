"""A report as one HTML page that loads nothing. Pure."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ops.diagram import svg
from ops.report.page import Page

FOLDER = Path(__file__).parent


def render(page: Page) -> str:
    """The whole page, style and pictures inside."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["resource"] = _resource
    style = "\n".join(path.read_text(encoding="utf-8") for path in (FOLDER / "report.css", svg.STYLE))
    drawn = [(picture, svg.render(picture, standalone=False)) for picture in page.pictures]
    return environment.get_template("report.html.j2").render(page=page, stack=page.stack, style=style, drawn=drawn)


def _resource(urn: str) -> str:
    """A resource's name; a finding without a resource is about the whole stack."""
    return urn.rpartition("::")[2] or "stack"
