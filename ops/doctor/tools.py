"""The programs and packages on this machine."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ops.doctor.finding import Finding, ok, unknown, wrong

PULUMI = (3, 260)
"""The oldest CLI that the program and its policy pack were run with."""
BROKEN_CLOUDFLARED = ("2026.6.0",)
"""Ignores service tokens: https://github.com/cloudflare/cloudflared/issues/1673."""
HYBRIDS = ("mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com")
"""The key exchanges that the server accepts; see docs/host.md."""


def tools(requirements: Path, target: str) -> Iterator[Finding]:
    """What a deployment of one target needs."""
    yield _python()
    yield _packages(requirements)
    yield _pulumi()
    if target == "local":
        yield _engine()
    else:
        yield _cloudflared()
        yield _ssh()


def _python() -> Finding:
    text = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036 - the doctor is run by whatever Python is there
        return wrong("Python", text, "Install Python 3.11 or later, remove .venv, and run make again.")
    return ok("Python", text)


def _packages(requirements: Path) -> Finding:
    pinned = re.findall(r"^([\w.-]+)==([\w.]+)", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    other = [f"{name} {_installed(name)}, not {wanted}" for name, wanted in pinned if _installed(name) != wanted]
    if other:
        return wrong("Python packages", "; ".join(other), f"Run: .venv/bin/pip install -r {requirements.name}")
    return ok("Python packages", f"{len(pinned)} as {requirements.name} pins them")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _pulumi() -> Finding:
    text = output("pulumi", "version")
    if text is None:
        return wrong("Pulumi CLI", "not on PATH", "Install it: https://www.pulumi.com/docs/install/")
    numbers = re.match(r"v?(\d+)\.(\d+)", text)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < PULUMI:
        return wrong("Pulumi CLI", text, f"Install {PULUMI[0]}.{PULUMI[1]} or later.")
    return ok("Pulumi CLI", text)


def _cloudflared() -> Finding:
    text = output("cloudflared", "--version")
    if text is None:
        remedy = "Install it: https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/downloads/"
        return wrong("cloudflared", "not on PATH: SSH leads through the admin tunnel", remedy)
    if any(release in text for release in BROKEN_CLOUDFLARED):
        return wrong("cloudflared", f"{text}: it ignores service tokens", "Install another version.")
    return ok("cloudflared", text)


def _ssh() -> Finding:
    known = output("ssh", "-Q", "kex")
    if known is None:
        return wrong("ssh", "not on PATH", "Install OpenSSH 8.5 or later.")
    shared = [name for name in HYBRIDS if name in known.split()]
    if not shared:
        return wrong("ssh", "knows no post-quantum key exchange of the server's", "Install OpenSSH 8.5 or later.")
    return ok("ssh", f"post-quantum key exchange: {', '.join(shared)}")


def _engine() -> Finding:
    text = output("docker", "version", "--format", "{{.Server.Version}}")
    if not text:
        return unknown("Docker Engine", "does not answer here", "Start it, or use the permission to call it.")
    return ok("Docker Engine", text)


def output(*command: str) -> str | None:
    """What a program prints on its first lines; None where it is missing or fails."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
