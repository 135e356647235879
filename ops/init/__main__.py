"""`make init STACK=NAME`: asks, and writes Pulumi.NAME.yaml. It overwrites nothing.

Exit code 0: written. 1: not written, with the reason.
"""

import argparse
import re
import sys
from pathlib import Path

import yaml
from rich.console import Console

from ops.init.question import QUESTIONS, Answers, Question
from ops.init.render import render
from settings.load import SettingsError, validate

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "zero-exposure"
STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""What Pulumi accepts as a stack's name."""


def main() -> int:
    """Ask, check the whole, write."""
    parser = argparse.ArgumentParser(prog="python -m ops.init", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="the new stack's name")
    parser.add_argument("--target", choices=["cloud", "local"], default="cloud", help="default: cloud")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of Pulumi.yaml (default: this project)")
    options = parser.parse_args()
    errors = Console(stderr=True)
    path = options.root / f"Pulumi.{options.stack}.yaml"
    if not STACK_NAME.fullmatch(options.stack) or path.exists():
        errors.print(f"{path.name}: {'is there already' if path.exists() else 'no name for a stack'}", style="red")
        return 1
    try:
        text = _complete(options.stack, options.target, errors)
    except (EOFError, KeyboardInterrupt):
        errors.print("\nNothing was written: the answers ended.", style="red")
        return 1
    path.write_text(text, encoding="utf-8")
    after = f"make preview STACK={options.stack}, make doctor STACK={options.stack}"
    errors.print(f"{path.name} is written. Next: {after}", soft_wrap=True)
    return 0


def _complete(stack: str, target: str, errors: Console) -> str:
    """A stack file that is right as a whole: asked for again, with the answers as defaults, until it is."""
    answers: Answers = {}
    while True:
        answers = ask(target, errors, answers)
        text = render(stack, answers)
        try:
            _check(text)
        except SettingsError as error:
            errors.print(str(error), style="red", markup=False, soft_wrap=True)
            errors.print("Once more: Enter keeps an answer.")
        else:
            return text


def ask(target: str, errors: Console, before: Answers) -> Answers:
    """Every answer, asked for until it is right; ``before``: those of the last round. Raises ``EOFError`` where the
    answers end."""
    answers: Answers = dict.fromkeys((question.key for question in QUESTIONS), None) | before | {"target": target}
    for question in QUESTIONS:
        if target == "cloud" or not question.cloud:
            answers[question.key] = _answer(question, answers, errors)
    return answers


def _answer(question: Question, answers: Answers, errors: Console) -> object:
    default = question.offered(answers)
    while True:
        text = input(f"{question.text}{f' [{default}]' if default else ''}: ").strip() or default
        try:
            value: object = question.parse(text)
        except ValueError as error:
            errors.print(f"  {error}", style="red", markup=False)
        else:
            return value


def _check(text: str) -> None:
    """The checks that need more than one answer. Raises ``SettingsError``."""
    config = yaml.safe_load(text)["config"]
    validate({key.removeprefix(f"{NAMESPACE}:"): value for key, value in config.items()}, NAMESPACE)


if __name__ == "__main__":
    sys.exit(main())
