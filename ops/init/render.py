"""Answers → the text of a stack file. Pure."""

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ops.init.question import Answers


def render(stack: str, answers: Answers) -> str:
    """A stack file with what was answered. Texts are quoted as JSON, which YAML reads as it is."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML, quoted by the filter
    )
    templates.filters["yaml"] = json.dumps
    return templates.get_template("stackfile.yaml.j2").render(stack=stack, a=answers)
