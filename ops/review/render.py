"""The text of a review. Pure."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ops.review.change import Change


def render(change: Change, stack: str, base: str | None, reason: str = "", drawing: str = "") -> str:
    """Markdown for a pull request. ``base`` is what was compared with; None, with the reason, if nothing was.

    ``drawing`` is the new stack as Mermaid.
    """
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown; `cell` takes care of what comes from a stack file
    )
    templates.filters["cell"] = _cell
    return templates.get_template("review.md.j2").render(
        change=change, stack=stack, base=base, reason=reason, drawing=drawing
    )


def _cell(text: str) -> str:
    """A text that stays inside its cell and starts no markup."""
    flat = " ".join(text.split())
    return flat.translate({ord(character): f"&#{ord(character)};" for character in "|<>`[]*_@"})
