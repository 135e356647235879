"""A stand-in for ssh: what is meant for a host is run by that host's script."""

import os
from collections.abc import Mapping
from pathlib import Path

STAND_IN = """#!/bin/sh
while :; do
    case $1 in
        --) shift ;;
        -[olp]) shift 2 ;;
        -*) shift ;;
        *) break ;;
    esac
done
host=${{1#*@}}
shift
exec sh "{folder}/${{host%%.*}}" "$*"
"""
"""Options are for a connection that there is none of."""


def reaching(folder: Path, scripts: Mapping[str, str]) -> str:
    """A PATH whose `ssh` runs, in the place of a server, the script of its first label with the command as argument."""
    for host, script in scripts.items():
        (folder / host).write_text(script, encoding="utf-8")
    ssh = folder / "ssh"
    ssh.write_text(STAND_IN.format(folder=folder), encoding="utf-8")
    ssh.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"
