"""`make bench`: every measurement, one after another. Exit code 1 if one of them is over its bound."""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run each module of this folder that measures something."""
    failed = []
    for path in sorted(HERE.glob("*.py")):
        if "def main() -> int:" in path.read_text(encoding="utf-8") and path.name != "__main__.py":
            print(f"== {path.stem}", flush=True)
            if runpy.run_module(f"bench.{path.stem}")["main"]():
                failed.append(path.stem)
    print(f"over their bounds: {', '.join(failed)}" if failed else "all within their bounds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
