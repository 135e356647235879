"""How configuration files of other programs are made from their templates. Pure."""

from pathlib import Path

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
