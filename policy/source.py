"""Finds what a policy pack can't see, in a program's own source. `python -m policy.source PATH…`

A pack is shown registrations. It is not shown invokes, look-ups of resources by id, or what the program's own
Python code does. So a program that is to be trusted by its pack has none of these. Exit code 1 if it has.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HIDDEN: Final = {
    "pulumi.dynamic": "a dynamic resource runs code that the pack is not shown",
    "pulumi.runtime.invoke": "an invoke is not shown to the pack",
    "pulumi.runtime.invoke_async": "an invoke is not shown to the pack",
    "pulumi_command.local.run": "runs a command at preview too, and is not shown to the pack",
    "pulumi_command.local.run_output": "runs a command at preview too, and is not shown to the pack",
    "subprocess": "a program that the pack is not shown",
    "socket": "a connection that the pack is not shown",
    "os.system": "a program that the pack is not shown",
    "os.popen": "a program that the pack is not shown",
    "os.exec": "a program that the pack is not shown",
    "os.spawn": "a program that the pack is not shown",
    "importlib": "code that can't be read here",
    "__import__": "code that can't be read here",
    "eval": "code that can't be read here",
    "exec": "code that can't be read here",
}
PROVIDERS: Final = "pulumi_"


@dataclass(frozen=True)
class Finding:
    """Where something hidden is, and why it is refused."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def check(paths: Iterable[Path]) -> Iterator[Finding]:
    """Findings in Python files, and in those below folders."""
    for path in paths:
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        for file in files:
            yield from check_text(file.read_text(encoding="utf-8"), file)


def check_text(text: str, path: Path) -> Iterator[Finding]:
    """Findings in one file's text."""
    tree = ast.parse(text, str(path))
    names = dict(_imports(tree))
    for node in ast.walk(tree):
        for dotted in _dotted(node, names):
            reason = _refused(dotted)
            if reason:
                yield Finding(path, getattr(node, "lineno", 0), f"{dotted}: {reason}")


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Local name → the dotted name that it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.AST, names: dict[str, str]) -> Iterator[str]:
    """The full names that a node imports or reads."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Attribute):
        yield from _chain(node, names)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield from _call(node, node.func.id, names)


def _call(node: ast.Call, function: str, names: dict[str, str]) -> Iterator[str]:
    yield names.get(function, function)
    if function == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        yield from (f"{owner}.{node.args[1].value!s}" for owner in _chain(node.args[0], names))


def _chain(node: ast.AST, names: dict[str, str]) -> Iterator[str]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name) and node.id in names:
        yield ".".join((names[node.id], *reversed(parts)))


def _refused(dotted: str) -> str:
    for hidden, reason in HIDDEN.items():
        same = dotted == hidden or dotted.startswith(f"{hidden}.")
        if same or (hidden.startswith("os.") and dotted.startswith(hidden)):
            return reason
    if dotted.startswith(PROVIDERS) and dotted.rpartition(".")[2] == "get":
        return "reads a resource by its id, which is not shown to the pack when it is made"
    if dotted.startswith(PROVIDERS) and dotted.rpartition(".")[2].startswith("get_"):
        return "a look-up is not shown to the pack"
    return ""


def main(arguments: list[str]) -> int:
    """Print the findings."""
    found = list(check(Path(argument) for argument in arguments))
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
