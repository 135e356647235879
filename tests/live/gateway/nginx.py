"""Real nginx on rendered files, as an unprivileged user, from a folder of the test's own."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.gateway.render import PREFIX
from tests.live.namespace import stop
from tests.programs import INSTALL, give_up, need

PROGRAM = "nginx-1.26"
"""Debian 13's, which ``tests/install-nginx.sh`` brings."""
PLACE = Path("/usr/local/lib/nginx-1.26")
MODULES = PLACE / "modules"
NEEDED = (
    "ndk_http_module.so",
    "ngx_http_lua_module.so",
    "ngx_http_headers_more_filter_module.so",
    "ngx_stream_module.so",
)
NOBODY = 65534
STARTS_WITHIN = 20.0
"""Seconds, on a machine that others load too."""


def binary() -> str:
    """Where nginx is, on the PATH or not."""
    return shutil.which(PROGRAM, path=f"{os.environ['PATH']}:/usr/local/bin") or PROGRAM


def arguments(folder: Path, modules: tuple[str, ...] = NEEDED) -> list[str]:
    """How the container starts its OpenResty, plus the modules that OpenResty has built in and Debian has not."""
    load = " ".join(f"load_module {MODULES / name};" for name in modules)
    return [binary(), "-e", "stderr", "-p", f"{folder}/", "-c", f"{folder}/gateway/nginx.conf", "-g", load]


def need_nginx() -> None:
    """Skip, or in CI fail, where nginx or one of its modules is missing."""
    need(PROGRAM)
    missing = [name for name in NEEDED if not (MODULES / name).exists()]
    if missing:
        give_up(f"{', '.join(missing)} missing: {INSTALL}")


def folder_for_nobody() -> Path:
    """A folder that the unprivileged user may write to and everyone may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-"))
    folder.chmod(0o755)
    (folder / "run").mkdir()
    return folder


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Files of the container below the folder that stands for ``/etc/zero-exposure``."""
    for path, text in files.items():
        target = folder / path.removeprefix(f"{PREFIX}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    _link_own_lua(folder)
    give_to_nobody(folder)


def _link_own_lua(folder: Path) -> None:
    """The Lua files of nginx's module, where it looks first: in its usual place may be those of an older one."""
    for name in ("resty", "ngx"):
        link = folder / "lua" / name
        link.parent.mkdir(exist_ok=True)
        if not link.exists():
            link.symlink_to(PLACE / "share/lua/5.1" / name)


def give_to_nobody(folder: Path) -> None:
    """Make the unprivileged user the owner, where the test runs as root."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def unprivileged() -> dict[str, Any]:
    """Arguments of Popen that give up root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


@dataclass
class Nginx:
    """A running nginx. ``url`` answers once it is up."""

    folder: Path
    url: str
    command: list[str]
    port: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(self.command, stderr=errors, stdout=errors, **unprivileged())
        wait_until(lambda: self._answers() or self._dead(), self.errors)

    @property
    def errors(self) -> Path:
        """nginx's error log."""
        return self.folder / "errors"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=1):  # noqa: S310 - an address of the test's own
                return True
        except OSError:
            return False

    def _dead(self) -> bool:
        if self.process.poll() is None:
            return False
        raise RuntimeError(self.errors.read_text(encoding="utf-8"))

    def workers(self) -> set[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return {int(pid) for pid in children.split()}

    def reload(self) -> None:
        """Start new workers on the files as they are now; the old ones finish what they have."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End it and take its folder away."""
        stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


def wait_until(condition: Any, context: Path | str = "", within: float = STARTS_WITHIN) -> None:
    """Poll until the condition holds. Raises ``TimeoutError`` with the context's last lines."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            text = context.read_text(encoding="utf-8")[-2000:] if isinstance(context, Path) else context
            raise TimeoutError(f"not within {within} s: {text}")
        time.sleep(0.02)


def log_lines(path: Path) -> list[dict[str, Any]]:
    """The gateway's log as it is now. A visitor's bytes are logged as they are, so not all of it is UTF-8."""
    text = path.read_bytes().decode("utf-8", "replace") if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]
