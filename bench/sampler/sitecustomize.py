"""Measures where a Pulumi program is while it runs. Python imports this by its name; bench/engine.py sets it up.

Every few milliseconds each thread's stack is looked at, from the inside out: does it reach the project's own code
before Pulumi's SDKs? Work that the program has other packages do for it (templates, checks) is its own.
"""

import atexit
import json
import os
import sys
import threading
import time
from pathlib import Path
from types import FrameType

EVERY = 0.005
"""Seconds between two looks."""
PROGRAM = "pulumi-language-python-exec"
SDKS = ("pulumi", "grpc", "google")


def _is_own(frame: FrameType | None, root: str) -> bool:
    """Whether a thread is busy with the project's own work."""
    while frame is not None:
        file = frame.f_code.co_filename
        package = file.partition("/site-packages/")[2]
        if package.startswith(SDKS):
            return False
        if file.startswith(root) and not package:
            return True
        frame = frame.f_back
    return False


def _sample(root: str, file: str) -> None:
    begun, looks, own = time.monotonic(), 0, 0

    def write() -> None:
        taken = time.monotonic() - begun
        Path(file).write_text(json.dumps({"seconds": taken, "own": taken * own / max(looks, 1)}), encoding="utf-8")

    atexit.register(write)
    while True:
        time.sleep(EVERY)
        looks += 1
        here = threading.get_ident()
        own += any(_is_own(frame, root) for thread, frame in sys._current_frames().items() if thread != here)


if any(PROGRAM in word for word in sys.orig_argv) and "BENCH_SAMPLES" in os.environ:
    arguments = (os.environ["BENCH_ROOT"], os.environ["BENCH_SAMPLES"])
    threading.Thread(target=_sample, args=arguments, daemon=True).start()
