"""A copy of the project with a backend of its own, for the real Pulumi CLI."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLOSED = "http://127.0.0.1:9"
"""Where the clouds' addresses point: nothing of a test can reach a real one."""


@dataclass(frozen=True)
class Project:
    """The copy's folder and the environment that the CLI runs in."""

    folder: Path
    environment: dict[str, str]

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the CLI without questions."""
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def replace(self, file: str, old: str, new: str) -> None:
        """Change the program. The old text has to be there, or the test would prove nothing."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old} is not in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")


def copy_project(folder: Path, stack: str) -> Project:
    """Copy what git tracks, link the virtual environment, and select the stack on a backend in ``folder``."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, tracked):
        (folder / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / "project" / name)
    (folder / "project" / ".venv").symlink_to(ROOT / ".venv")
    (folder / "state").mkdir()
    project = Project(folder / "project", _environment(folder / "state"))
    selected = project.pulumi("stack", "select", "--create", stack)
    assert selected.returncode == 0, selected.stderr
    return project


def _environment(state: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "HCLOUD_TOKEN": "x" * 64,
        "HCLOUD_ENDPOINT": f"{CLOSED}/v1",
        "CLOUDFLARE_API_TOKEN": "x" * 40,
        "CLOUDFLARE_BASE_URL": f"{CLOSED}/client/v4",
    }
