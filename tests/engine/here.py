"""What a copied program has to do without on the machine that tests run on."""

import re
import resource
from pathlib import Path


def by_tag(project: Path) -> None:
    """Images that come from no registry have no digest."""
    file = project / "settings" / "images.yaml"
    text = file.read_text(encoding="utf-8")
    assert "@sha256:" in text
    file.write_text(re.sub(r"@sha256:[0-9a-f]{64}", "", text), encoding="utf-8")


def limit_files(project: Path) -> None:
    """Without CAP_SYS_RESOURCE, as on some build machines, a container gets no more open files than its Engine has."""
    most = min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    _replace(project / "components" / "container.py", "soft=65_536, hard=65_536", f"soft={most}, hard={most}")


def without_kernel_modules(project: Path) -> None:
    """Kernels of build machines lack ESP, which encrypts overlays, and IPVS, which has virtual addresses."""
    _replace(project / "components" / "networks" / "component.py", '"encrypted": "true",', "")
    _replace(project / "components" / "swarm.py", '"vip" if spec.virtual else "dnsrr"', '"dnsrr"')


def _replace(file: Path, theirs: str, ours: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert theirs in text
    file.write_text(text.replace(theirs, ours), encoding="utf-8")
