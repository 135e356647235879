"""Real CrowdSec on rendered files, in a folder of the test's own."""

import os
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from components.intrusion.render import Values, files
from tests.live.gateway.connector import OPERATOR
from tests.live.gateway.nginx import folder_for_nobody, give_to_nobody, unprivileged, wait_until
from tests.live.gateway.stand import API_PORT, CROWDSEC, SYSLOG_PORT
from tests.live.gateway.stand import CROWDSEC_KEY as KEY
from tests.live.namespace import stop


@dataclass
class CrowdSec:
    """A CrowdSec that can be stopped and started again."""

    folder: Path = field(default_factory=folder_for_nobody)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        for path, text in files(self.values).items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text, encoding="utf-8")
        (self.folder / "secrets").mkdir()
        (self.folder / "secrets/reader-gateway").write_text(KEY, encoding="utf-8")
        give_to_nobody(self.folder)

    @property
    def values(self) -> Values:
        """A stack's values at the stand's addresses."""
        return Values(
            ban="4h",
            operators=(f"{OPERATOR}/32",),
            listen=f"{CROWDSEC}:{API_PORT}",
            syslog=f"{CROWDSEC}:{SYSLOG_PORT}",
            folder=str(self.folder / "crowdsec"),
            hub=str(self.folder / "hub"),
            state=str(self.folder / "run"),
        )

    @property
    def config(self) -> str:
        """Path of the main file."""
        return f"{self.values.folder}/config.yaml"

    def start(self) -> "CrowdSec":
        """As the container does."""
        arguments = [f"{self.values.folder}/start.sh", self.config, self.values.state, str(self.folder / "secrets")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", *arguments], stdout=log, stderr=log, cwd=self.folder, **unprivileged()
            )
        wait_until(lambda: self._is_up() and self._takes_lines(), self.folder / "log", within=60)
        return self

    def _takes_lines(self) -> bool:
        """The log's socket is opened after the API: a line that comes between is lost."""
        place = f"{ip_address(CROWDSEC).packed[::-1].hex().upper()}:{SYSLOG_PORT:04X}"
        return place in Path("/proc/net/udp").read_text(encoding="ascii")

    def _is_up(self) -> bool:
        request = urllib.request.Request(f"http://{self.values.listen}/v1/decisions", headers={"X-Api-Key": KEY})
        try:
            with urllib.request.urlopen(request, timeout=2):  # noqa: S310 - our own
                return True
        except OSError:
            return False

    def stop(self) -> None:
        """End the process; the folder stays."""
        if self.process:
            stop(self.process)
            self.process = None

    def remove(self) -> None:
        """Stop, and take the folder away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cscli(self, *arguments: str) -> str:
        """Output of CrowdSec's command."""
        command = ["cscli", "-c", self.config, *arguments]
        environment = {**os.environ, "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, env=environment, **unprivileged()
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return str(done.stdout)
