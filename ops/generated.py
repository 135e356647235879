"""Files of the project that a command writes, and that `make check` holds against what it would write."""

import argparse
import sys
from pathlib import Path


def checks(module: str, described: str) -> bool:
    """Whether the command was called with ``--check``, its only option."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=described)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not current")
    return bool(parser.parse_args().check)


def keep(file: Path, text: str, *, check: bool, stale: str) -> int:
    """Write the file, or with ``check`` print ``stale`` where it is not current. Answers the exit code."""
    if not check:
        file.write_text(text, encoding="utf-8")
    elif not file.is_file() or file.read_text(encoding="utf-8") != text:
        print(stale, file=sys.stderr)
        return 1
    return 0
