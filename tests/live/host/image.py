"""A Debian guest made of Debian's packages, cached by the hash of its recipe."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pytest

Suite = Literal["bookworm", "trixie"]
HERE: Final = Path(__file__).parent
CACHE: Final = Path(__file__).parents[3] / ".cache" / "host"
PACKAGES: Final = tuple(
    """
    linux-image-cloud-amd64 systemd-sysv systemd-timesyncd dbus libpam-systemd udev e2fsprogs
    cloud-init openssh-server sudo nftables iproute2 procps netbase ca-certificates
    docker.io iptables apparmor unattended-upgrades cryptsetup-bin python3 busybox-static qemu-guest-agent
    """.split()  # noqa: SIM905 # a list of one word a line is longer than a screen
)
EXTRA: Final[dict[Suite, tuple[str, ...]]] = {
    "bookworm": ("ifupdown", "isc-dhcp-client"),
    "trixie": ("docker-cli", "netplan.io", "systemd-resolved", "systemd-cryptsetup"),
}
INITRD: Final = """\
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\\nCOMPRESS=lz4\\n' > "$1/etc/initramfs-tools/conf.d/guest"
printf 'virtio_pci\\nvirtio_blk\\nvirtio_net\\next4\\n' > "$1/etc/initramfs-tools/modules"
"""
"""Only the drivers that qemu's guest needs: half the boot time under emulation."""


@dataclass(frozen=True)
class Image:
    """What qemu boots: ``disk`` is never written to, guests lay an overlay on it."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """Kernel, booted without a boot loader."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """Its first file system."""
        return self.folder / "initrd"

    @property
    def disk(self) -> Path:
        """The root file system, labelled ``root``."""
        return self.folder / "disk.qcow2"


def image(suite: Suite) -> Image:
    """The image of a suite, built where the cache has none. Skips where the mirror does not serve the suite."""
    folder = CACHE / f"{suite}-{_recipe(suite)}"
    if not folder.exists():
        building = folder.with_suffix(".building")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        _build(suite, building)
        building.rename(folder)
    return Image(folder)


def _recipe(suite: Suite) -> str:
    parts = [repr((PACKAGES, EXTRA[suite], INITRD)), Path(__file__).read_text()]
    parts += [path.read_text() for path in sorted((HERE / "guest").iterdir())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _build(suite: Suite, folder: Path) -> None:
    root = folder / "root"
    _install(suite, root)
    for name in ("vmlinuz", "initrd"):
        (newest,) = (root / "boot").glob(f"{name}*-amd64")
        shutil.move(newest, folder / name)
    raw = folder / "disk.raw"
    _run("truncate", "--size=3G", raw)
    _run("mke2fs", "-q", "-t", "ext4", "-L", "root", "-O", "^has_journal", "-E", "lazy_itable_init=1", "-d", root, raw)
    _run("qemu-img", "convert", "-q", "-O", "qcow2", raw, folder / "disk.qcow2")
    raw.unlink()
    shutil.rmtree(root)


def _install(suite: Suite, root: Path) -> None:
    _run(
        # In a mount namespace of its own: /proc and /sys of the machine must not be found in a folder that is removed.
        *("unshare", "--mount", "--propagation", "private"),
        "mmdebstrap",
        "--quiet",
        "--variant=apt",
        "--mode=root",
        f"--include={','.join((*PACKAGES, *EXTRA[suite]))}",
        "--aptopt=APT::Install-Recommends false",
        *(f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("man", "doc", "locale")),
        f"--essential-hook={INITRD}",
        f'--customize-hook={HERE}/guest/customize "$1" {suite} {HERE}/guest',
        suite,
        root,
        *_sources(suite),
    )


def _sources(suite: Suite) -> Iterator[str]:
    """Where this machine itself gets Debian from."""
    fields = "$(LABEL)|$(REPO_URI)"
    listed = _run("apt-get", "indextargets", "--format", fields, "Created-By: Packages", "Component: main").splitlines()
    mirrors = dict(line.split("|") for line in listed)
    if not mirrors.get("Debian") or not _serves(mirrors["Debian"], suite):
        pytest.skip(f"the mirror in this machine's apt sources does not serve {suite}")
    yield f"deb {mirrors['Debian']} {suite} main"
    yield f"deb {mirrors.get('Debian-Security', mirrors['Debian'])} {suite}-security main"


def _serves(mirror: str, suite: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        helper = ("/usr/lib/apt/apt-helper", "download-file", f"{mirror}dists/{suite}/InRelease", f"{folder}/InRelease")
        return subprocess.run(helper, capture_output=True, check=False).returncode == 0


def _run(*command: str | Path) -> str:
    done = subprocess.run(["nice", *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr[-2000:]}")
    return done.stdout
