"""From values to the server's cloud-init user data. Pure.

``root/`` mirrors the server's own tree: each file in it lands at the same path. ``user-data.yaml.j2`` carries them.
"""

import hashlib
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final, Literal

from components.template import templates
from components.underlay import KEEPALIVE, PUBLIC_MTU, WIREGUARD_MTU, WIREGUARD_PORT

MAX_USER_DATA: Final = 32 * 1024
"""Bytes; Hetzner refuses more. https://docs.hetzner.cloud/#servers-create-a-server"""
OUTBOUND_TCP: Final = (53, 80, 443, 465, 853, 7844)
"""DNS, apt, HTTPS, mail, DNS over TLS, Cloudflare's edge: what the server may call. The provider's firewall too."""
OUTBOUND_UDP: Final = (53, 123, 7844)
"""DNS, time, Cloudflare's edge (QUIC)."""
CONTAINER_TCP: Final = (443, 465, 853, 7844)
"""What containers on the egress network may call: no apt, no plain DNS."""
CONTAINER_UDP: Final = (7844,)
PRIVATE_INTERFACES: Final = ("enp7s0", "ens10")
"""What a private network's interface is called, by server type. https://docs.hetzner.com/networking/networks/server-configuration"""
MESH_INTERFACES: Final = ("wg0",)
"""What stands in its place where machines are in several zones."""
SWARM_TCP: Final = (2377, 7946)
"""Managers, and machines among each other."""
SWARM_UDP: Final = (4789, 7946)
"""Overlay networks, and machines among each other. What overlays carry is encrypted: ESP beside them."""
MINUTES_APART: Final = 20
"""Between the restarts of two machines for updates: longer than one takes to come back."""
DOCKER_POOLS: Final = (IPv4Network("172.24.0.0/14"), IPv4Network("192.168.128.0/17"))
"""For networks made by hand. No private range overlaps with both."""
FOLDER: Final = Path(__file__).parent
ROOT: Final = FOLDER / "root"
MEMBER_ROOT: Final = FOLDER / "member"
"""The same for what only a machine of a Swarm has."""
MESH_ROOT: Final = FOLDER / "mesh"
"""And only one of a Swarm in several zones."""
RULES: Final = "/etc/nftables.conf"
MANIFEST: Final = "/usr/local/lib/zero-exposure/manifest"


@dataclass(frozen=True)
class Repository:
    """An apt repository outside Debian, with the one key that may sign it."""

    site: str
    repository: str
    key_url: str
    keyring: str
    fingerprint: str


CLOUDFLARE: Final = Repository(
    site="pkg.cloudflare.com",
    repository="https://pkg.cloudflare.com/cloudflared",
    key_url="https://pkg.cloudflare.com/cloudflare-main.gpg",
    keyring="/usr/share/keyrings/cloudflare-main.gpg",
    fingerprint="CC94B39C77AE7342A68B89628A682D308D4E5E73",
)
"""Cloudflare's packages and their signing key since October 2025. https://pkg.cloudflare.com"""


@dataclass(frozen=True)
class Member:
    """What makes a server one of several: its name, its private address, and its turn to restart."""

    name: str
    address: str
    turn: int
    prefix: int | None = None
    """Length of the prefix of all machines' network, where WireGuard carries it; None where the provider does."""

    @property
    def is_mesh(self) -> bool:
        """Whether it reaches the others by WireGuard."""
        return self.prefix is not None


@dataclass(frozen=True)
class Values:
    """What differs between two servers. ``host_key_private``, ``token`` and ``volume_key`` are secrets.

    With a ``volume_key`` the volume is encrypted (LUKS). The key can't be changed, nor can it be given to a volume that
    already has data: such a volume is left alone, and Docker does not start.
    """

    image: Literal["debian-12", "debian-13"]
    reboot_time: str
    authorized_keys: tuple[str, ...]
    pool: str
    volume_id: str
    host_key_private: str
    host_key_public: str
    token: str
    volume_key: str | None = None
    member: Member | None = None
    """None where there is one server."""

    @property
    def disk(self) -> str:
        """The volume as the server sees it, whichever letter it got."""
        return f"/dev/disk/by-id/scsi-0HC_Volume_{self.volume_id}"


@dataclass(frozen=True)
class File:
    """One file on the server."""

    path: str
    text: str

    @property
    def mode(self) -> str:
        """Scripts may be executed; nobody but root may write."""
        return "0755" if self.text.startswith("#!/bin/") else "0644"


def user_data(values: Values) -> str:
    """The whole cloud-init text.

    Raises:
        ValueError: it is larger than the provider accepts.
    """
    rules, *others = files(values)
    template = templates(FOLDER, trim_blocks=True, lstrip_blocks=True).get_template("user-data.yaml.j2")
    text = template.render(vars(values), disk=values.disk, nftables=rules.text, files=others)
    size = len(text.encode())
    if size > MAX_USER_DATA:
        raise ValueError(f"operators.ssh_keys: user data has {size} bytes, the provider takes {MAX_USER_DATA}")
    return text


def files(values: Values) -> list[File]:
    """Every file that holds no secret: the packet filter first, the manifest of all others last."""
    shared = _shared(values)
    found = [file for root in _roots(values.member) for file in _rendered(root, shared)]
    if values.member and values.member.is_mesh:
        found = [replace(file, text=_without_comments(file.text)) for file in found]
    found.sort(key=lambda file: file.path != RULES)
    return [*found, File(MANIFEST, _manifest(found))]


def _roots(member: Member | None) -> list[Path]:
    if member is None:
        return [ROOT]
    return [ROOT, MEMBER_ROOT, MESH_ROOT] if member.is_mesh else [ROOT, MEMBER_ROOT]


def _without_comments(text: str) -> str:
    """With WireGuard's files the whole is longer than the provider takes. Comments are read here, not there."""
    kept = (line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#") or line[:2] == "#!")
    return "".join(kept)


def _rendered(root: Path, shared: dict[str, object]) -> list[File]:
    environment = templates(root, trim_blocks=True, lstrip_blocks=True)
    paths = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return [
        File(f"/{path.as_posix().removesuffix('.j2')}", environment.get_template(path.as_posix()).render(shared))
        for path in paths
    ]


def docker_pool(pool: str) -> IPv4Network:
    """Addresses for Docker's own networks, apart from the program's ``pool``."""
    return next(candidate for candidate in DOCKER_POOLS if not candidate.overlaps(IPv4Network(pool)))


def packages(image: str) -> list[str]:
    """Debian packages of a server. From 13 on Docker's client is a package of its own."""
    client = ["docker-cli"] if image == "debian-13" else []
    return ["docker.io", *client, "apparmor", "systemd-timesyncd", "unattended-upgrades"]


def crypt_packages(image: str) -> list[str]:
    """Debian packages that an encrypted volume needs. From 13 on systemd's part is a package of its own."""
    return ["cryptsetup-bin", *(["systemd-cryptsetup"] if image == "debian-13" else [])]


def _shared(values: Values) -> dict[str, object]:
    """Names for the templates in ``root``. None is a secret: their digests are in the manifest."""
    return {
        "image": values.image,
        "reboot_time": _reboot_time(values),
        "docker_pool": docker_pool(values.pool),
        "disk": values.disk,
        "encrypted": values.volume_key is not None,
        "crypt_packages": crypt_packages(values.image),
        "packages": [*packages(values.image), *(["curl"] if values.member else [])],
        "connector": CLOUDFLARE,
        "outbound_tcp": OUTBOUND_TCP,
        "outbound_udp": OUTBOUND_UDP,
        "container_tcp": CONTAINER_TCP,
        "container_udp": CONTAINER_UDP,
        "member": values.member,
        "private_interfaces": MESH_INTERFACES if values.member and values.member.is_mesh else PRIVATE_INTERFACES,
        "wireguard_port": WIREGUARD_PORT,
        "wireguard_mtu": WIREGUARD_MTU,
        "public_mtu": PUBLIC_MTU,
        "keepalive": KEEPALIVE,
        "swarm_tcp": SWARM_TCP,
        "swarm_udp": SWARM_UDP,
    }


def _reboot_time(values: Values) -> str:
    """No two machines restart at the same time."""
    if values.member is None:
        return values.reboot_time
    hours, _, minutes = values.reboot_time.partition(":")
    later = (int(hours) * 60 + int(minutes) + MINUTES_APART * values.member.turn) % (24 * 60)
    return f"{later // 60:02}:{later % 60:02}"


def _manifest(found: list[File]) -> str:
    """In the form that ``sha256sum --check`` reads."""
    return "".join(f"{hashlib.sha256(file.text.encode()).hexdigest()}  {file.path}\n" for file in found)
