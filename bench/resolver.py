"""`python -m bench.resolver`: how long the resolver takes to start with 100,000 blocked names, and how much memory."""

import re
import shutil
import sys
from pathlib import Path

from tests.live.resolver.stand import Spoiled, running

NAMES = 100_000
SECONDS = 3.0
MEBIBYTES = 100
PROGRAMS = ("unbound", "dig", "ldns-signzone", "unshare")


def main() -> int:
    """Print both with and without the names; exit code 1 if one is over its bound."""
    missing = [name for name in PROGRAMS if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    if missing:
        print(f"resolver: not measured, {', '.join(missing)} missing: make test-tools")
        return 0
    empty, full = _measured(0), _measured(NAMES)
    for count, (seconds, memory) in ((0, empty), (NAMES, full)):
        print(f"resolver with {count:,} blocked names: ready after {seconds:.2f} s, at most {memory:.0f} MiB")
    print(f"at most {SECONDS} s and {MEBIBYTES} MiB")
    return 0 if full[0] <= SECONDS and full[1] <= MEBIBYTES else 1


def _measured(count: int) -> tuple[float, float]:
    """Seconds until it is ready to answer, and the process's peak of memory in MiB."""
    entry = '    local-zone: "ads-{0}.tracker-{1}.example." always_nxdomain\n'
    lines = "".join(entry.format(index, index % 977) for index in range(count))
    spoiled: Spoiled = {"blocked.conf": lambda text: text + lines}
    with running(spoiled=spoiled) as stand:
        seconds = stand.started_in
        if count and stand.ask(f"ads-{count - 1}.tracker-{(count - 1) % 977}.example").status != "NXDOMAIN":
            raise RuntimeError("a blocked name answers")
        status = Path(f"/proc/{stand.process.pid}/status").read_text(encoding="ascii")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return seconds, int(peak[1]) / 1024 if peak else 0.0


if __name__ == "__main__":
    sys.exit(main())
