"""`make doctor`: is everything there for a deployment? It reads, and makes nothing.

Exit code 0: yes. 1: something is missing or wrong, with what to do about it.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ops.doctor import api, stackfile
from ops.doctor.cloudflare import MAKE as MAKE_CLOUDFLARE
from ops.doctor.cloudflare import TOKEN as CLOUDFLARE_TOKEN
from ops.doctor.cloudflare import cloudflare
from ops.doctor.finding import Finding, wrong
from ops.doctor.hetzner import MAKE as MAKE_HETZNER
from ops.doctor.hetzner import TOKEN as HETZNER_TOKEN
from ops.doctor.hetzner import hetzner
from ops.doctor.state import backend, passphrase
from ops.doctor.tools import output, tools
from settings.stack import Settings

ROOT = Path(__file__).resolve().parents[2]
MARKS = {"ok": ("✔", "green"), "wrong": ("✘", "red"), "unknown": ("?", "yellow")}


def main() -> int:
    """Look at everything, tell all of it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ops.doctor", description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: dev)")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of Pulumi.yaml (default: this project)")
    options = parser.parse_args()
    console, failed = Console(), 0
    for finding in _findings(options.root, options.stack):
        _show(finding, console)
        failed += finding.verdict == "wrong"
    if failed:
        console.print(f"\n{failed} to mend before `make deploy`.", style="bold red")
        return 1
    console.print(f"\nReady: make deploy STACK={options.stack}", style="bold green")
    return 0


def _findings(root: Path, stack: str) -> Iterator[Finding]:
    settings, found = stackfile.read(root, stack)
    yield from tools(root / "requirements.txt", settings.target if settings else "cloud")
    yield from found
    yield from passphrase(root, stack)
    yield from backend(root, stack)
    if settings and settings.target == "cloud":
        yield from _clouds(settings, root, stack)


def _clouds(settings: Settings, root: Path, stack: str) -> Iterator[Finding]:
    token = _token("HCLOUD_TOKEN", "hcloud:token", root, stack)
    if token and settings.host:
        yield from hetzner(api.hetzner(token), settings.host, settings.machines)
    else:
        yield wrong(HETZNER_TOKEN, "missing", MAKE_HETZNER)
    token = _token("CLOUDFLARE_API_TOKEN", "cloudflare:apiToken", root, stack)
    if token:
        yield from cloudflare(api.cloudflare(token), settings)
    else:
        yield wrong(CLOUDFLARE_TOKEN, "missing", MAKE_CLOUDFLARE)


def _token(variable: str, key: str, root: Path, stack: str) -> str | None:
    """From the environment, or from the stack's encrypted configuration. It is handed on, never shown."""
    return os.environ.get(variable) or output("pulumi", "config", "get", key, "--stack", stack, "--cwd", str(root))


def _show(finding: Finding, console: Console) -> None:
    mark, style = MARKS[finding.verdict]
    console.print(Text.assemble((mark, style), " ", (finding.subject, "bold"), "  ", finding.text), soft_wrap=True)
    if finding.verdict != "ok":
        console.print(Text(f"    → {finding.remedy}", style="cyan"), soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
