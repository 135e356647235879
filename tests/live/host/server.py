"""A rented server in miniature: a guest with our user data, the tunnel's two ends, and an operator's SSH client."""

import base64
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from components.host.render import Values, user_data
from tests.live.host.image import Suite
from tests.live.host.machine import VOLUME, Answer, Machine
from tests.live.host.network import GUEST_ADDRESSES, Network

HERE: Final = Path(__file__).parent
IMAGES: Final[dict[Suite, Literal["debian-12", "debian-13"]]] = {"bookworm": "debian-12", "trixie": "debian-13"}
ENCRYPTED: Final[Suite] = "trixie"
TOKEN: Final = base64.b64encode(b'{"a":"account","t":"tunnel","s":"c2VjcmV0"}').decode()
WATCHED: Final = (22, 53, 80, 443, 2375, 5355, 5432, 6379, 8080, 20241)
"""Ports that are tried from power-on: what a server, its image, Docker and our services listen on."""
UNITS: Final = ("ssh", "nftables", "docker", "cloudflared", "mnt-data.mount", "systemd-timesyncd")


@dataclass(frozen=True)
class Operator:
    """A person with a key, and the host key they were told beforehand."""

    folder: Path
    network: Network

    def login(self, *options: str, user: str = "ops", command: str = "id -un") -> Answer:
        """SSH through the tunnel. The output has ssh's own account of the key exchange."""
        settings = {
            "UserKnownHostsFile": self.folder / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "60",
        }
        fixed = [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]
        target = ("-i", self.folder / "operator", "-p", "2222", f"{user}@127.0.0.1", command)
        done = self.network.run("ssh", "-v", "-F", "none", *options, *fixed, *target)
        return Answer(done.returncode, done.stdout + done.stderr)

    @staticmethod
    def key_exchange(answer: Answer) -> str:
        """The algorithm that both ends agreed on, empty where they did not."""
        agreed = re.search(r"kex: algorithm: (\S+)", answer.output)
        return agreed.group(1) if agreed else ""


def make_keys(folder: Path) -> None:
    """Makes the operator's and the host's, and pins the host's."""
    for name in ("operator", "host"):
        key = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name)
        subprocess.run(key, check=True)
    (folder / "known_hosts").write_text(f"[127.0.0.1]:2222 {public(folder / 'host')}\n")


def public(key: Path) -> str:
    """The public half, one line."""
    return key.with_suffix(".pub").read_text().strip()


def rendered(suite: Suite, keys: Path) -> str:
    """The user data, by the program's own function."""
    values = Values(
        image=IMAGES[suite],
        reboot_time="04:00",
        authorized_keys=(public(keys / "operator"),),
        pool="10.128.0.0/9",
        volume_id=VOLUME,
        host_key_private=(keys / "host").read_text(),
        host_key_public=public(keys / "host"),
        token=TOKEN,
        # One of the two has an encrypted volume, so that both ways are tried.
        volume_key="a-random-key" if suite == ENCRYPTED else None,
    )
    return user_data(values)


def edge_command() -> tuple[str, ...]:
    """The stand-in for Cloudflare's edge."""
    return (sys.executable, str(HERE / "edge.py"), TOKEN)


def neighbour_command() -> tuple[str, ...]:
    """Whoever the guest may want to call: the metadata service, name servers, web servers."""
    return (sys.executable, str(HERE / "neighbour.py"), "53", "80", "443")


def watch_command() -> tuple[str, ...]:
    """The stranger who tries ports from power-on."""
    ports = ",".join(str(port) for port in WATCHED)
    return (sys.executable, str(HERE / "watch.py"), ",".join(GUEST_ADDRESSES), ports)


def connections(log: Path) -> list[float]:
    """When the edge saw a connector, as seconds since 1970."""
    return [float(line) for line in log.read_text().splitlines()]


@dataclass(frozen=True)
class Sight:
    """A watched port whose outcome changed to silent, closed or open."""

    time: float
    port: str
    outcome: str

    @property
    def answered(self) -> bool:
        """Something came back."""
        return self.outcome != "silent"


def sights(log: Path) -> list[Sight]:
    """What the stranger saw, in order."""
    lines = [line.split() for line in log.read_text().splitlines()]
    return [Sight(float(time), f"{address} {port}", outcome) for time, address, port, outcome in lines]


def wall_up(machine: Machine) -> float:
    """When cloud-init had run our bootcmd, as seconds since 1970."""
    line = machine.output("grep -m1 'finish: init-network/config-bootcmd: SUCCESS' /var/log/cloud-init.log")
    return datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC).timestamp()
