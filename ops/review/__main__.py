"""`python -m ops.review --base REF`: what the working tree would change in a stack, for a pull request.

Exit code 0: may be deployed. 1: a policy violation, a stack file that is not right, or a base that is no commit.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.diagram import mermaid
from ops.diagram.picture import pictures
from ops.recorded import read
from ops.review.change import Graph, change
from ops.review.render import render

ROOT = Path(__file__).resolve().parents[2]


class PreviewError(Exception):
    """The offline preview came to no graph. The text says why."""


def main() -> int:
    """Compare two offline previews and write what differs."""
    options = _options()
    try:
        commit = _commit(options.base)
        after = _graph(ROOT, options.stack)
    except PreviewError as error:
        _write(f"### Stack `{options.stack}`: not previewed\n\n```\n{error}\n```\n", options.out)
        return 1
    before, reason = _before(options.base, commit, options.stack)
    found = change(before, after)
    _write(render(found, options.stack, options.base if before else None, reason, _drawing(after)), options.out)
    return 1 if found.blocked else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.review", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--base", default="origin/main", help="what to compare with (default: origin/main)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the Markdown (default: stdout)")
    return parser.parse_args()


def _commit(base: str) -> str:
    """The commit that a ref names. Raises ``PreviewError``: without one nothing is compared, and all would pass."""
    try:
        # A ref is not an option, whatever it is called.
        return _git("rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}").strip()
    except subprocess.CalledProcessError as error:
        raise PreviewError(f"{base} is no commit to compare with ({error.stderr.strip().splitlines()[-1]})") from None


def _before(base: str, commit: str, stack: str) -> tuple[Graph | None, str]:
    """The graph of the base, or None and why there is none: a change must not fail for what its base is."""
    try:
        with _checkout(commit) as folder:
            return _graph(folder, stack), ""
    except (PreviewError, subprocess.CalledProcessError) as error:
        detail = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        return None, f"{base} could not be previewed ({detail.strip().splitlines()[-1]})."


@contextmanager
def _checkout(commit: str) -> Iterator[Path]:
    """The tree of a commit in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        yield Path(folder)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True).stdout


def _graph(folder: Path, stack: str) -> Graph:
    """The graph of the program in a folder, recorded by that very program. Raises ``PreviewError``."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "graph.json"
        command = [sys.executable, "-m", "ops.preview", "--stack", stack, "--json", str(file)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if not file.exists():
            raise PreviewError(done.stderr.strip() or f"exit code {done.returncode}")
        graph: Graph = json.loads(file.read_text(encoding="utf-8"))
        return graph


def _drawing(graph: Graph) -> str:
    """Who may talk to whom after the change."""
    return mermaid.render(pictures(read(graph))[0])


def _write(text: str, out: Path | None) -> None:
    if out is None:
        print(text)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
