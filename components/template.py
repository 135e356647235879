"""How configuration files of other programs are made from their templates. Pure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def templates(folder: Path, *, trim_blocks: bool = False, lstrip_blocks: bool = False) -> Environment:
    """The templates of a folder. A name that a template uses and nobody gave is an error.

    Nothing is escaped: the files are no HTML, and what goes in was checked with the settings.
    """
    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - see above
        keep_trailing_newline=True,
        trim_blocks=trim_blocks,
        lstrip_blocks=lstrip_blocks,
    )


def with_snippets(folder: Path, main: str, context: Mapping[str, Any]) -> dict[str, str]:
    """File name → text: one main file, and its snippets of one concern each, whose names it gets as ``snippets``."""
    environment = templates(folder, trim_blocks=True)
    sources = {path.stem: f"snippets/{path.name}" for path in sorted((folder / "snippets").glob("*.conf.j2"))}
    shared = {**context, "snippets": list(sources)}
    named = {main: f"{main}.j2", **sources}
    return {name: environment.get_template(path).render(shared) for name, path in named.items()}
