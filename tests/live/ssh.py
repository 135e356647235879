"""A stand-in for ssh: what is meant for a host is run by that host's script."""

import os
from collections.abc import Mapping
from pathlib import Path


def reaching(folder: Path, scripts: Mapping[str, str]) -> str:
    """A PATH whose `ssh` runs, in the place of a server, the script of its first label with the command as argument."""
    for host, script in scripts.items():
        (folder / host).write_text(script, encoding="utf-8")
    ssh = folder / "ssh"
    ssh.write_text(
        f'#!/bin/sh\nwhile [ $# -gt 2 ]; do shift; done\nhost=${{1#*@}}\nexec sh "{folder}/${{host%%.*}}" "$2"\n',
        encoding="utf-8",
    )
    ssh.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"
