"""A stranger's view of the guest: every TCP port, the usual UDP ports, and each packet that comes back."""

import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.live.host.network import GUEST4, GUEST6, GUEST_ADDRESSES, TAP, Network, wait_for

TCP: Final = ("-sS", "-p-", "--min-rate", "10000")
UDP: Final = ("-sU", "--top-ports", "1000", "--min-rate", "500")
PORTS: Final = {"tcp": 65_535, "udp": 1000}
OWN_CALLS: Final = "dst port 53 or dst port 80 or dst port 123 or dst port 443 or dst port 7844"
"""What the guest sends of itself. The scanner's source ports are high."""
ANSWERS: Final = (
    f"(src host {GUEST4} or src host {GUEST6}) and not arp and not ({OWN_CALLS})"
    # Neighbour discovery, and the reports of multicast groups that it rests on.
    " and not (icmp6 and (ip6[40] == 135 or ip6[40] == 136)) and not (ip6 and ip6[6] == 0)"
)


@dataclass(frozen=True)
class Finding:
    """What one scan of one address says."""

    address: str
    protocol: str
    open: tuple[str, ...]
    filtered: int

    @property
    def silent(self) -> bool:
        """Every port that was tried gave no answer at all."""
        return self.filtered == PORTS[self.protocol]


@dataclass
class Capture:
    """Packets from the guest that are not its own calls."""

    packets: list[str] = field(default_factory=list)


def scan(network: Network, patience: int = 2) -> list[Finding]:
    """TCP 1 to 65,535 and the 1,000 most used UDP ports, on IPv4 and IPv6.

    ``patience`` is how many seconds an answer may take. Where none may come, counter and capture see what comes later.
    """
    targets = [(protocol, address) for protocol in PORTS for address in GUEST_ADDRESSES]
    with ThreadPoolExecutor(len(targets)) as pool:
        scans = [pool.submit(_scan, network, protocol, address, patience) for protocol, address in targets]
        return [running.result() for running in scans]


def opened(findings: list[Finding]) -> set[tuple[str, str]]:
    """Each open port with the address it was found on."""
    return {(finding.address, port) for finding in findings for port in finding.open}


def found_open(network: Network, expected: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What is open by the same scan, repeated until it has found everything: a busy guest answers late."""
    found: set[tuple[str, str]] = set()

    def complete() -> bool:
        found.update(opened(scan(network, patience=20)))
        return expected <= found

    wait_for(complete, f"{expected} found open", 900)
    return found


@contextmanager
def capture(network: Network, folder: Path) -> Iterator[Capture]:
    """Records whatever the guest sends in answer. The packets are there once the block is left."""
    path, found = folder / "answers.pcap", Capture()
    command = network.command("tcpdump", "-i", TAP, "-n", "-U", "-w", str(path), ANSWERS)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        assert process.stderr is not None
        assert any(b"listening on" in line for line in process.stderr)
        yield found
        time.sleep(1)  # an answer may still be under way
    finally:
        process.terminate()
        process.wait(10)
    found.packets += network.run("tcpdump", "-n", "-r", path).stdout.splitlines()


def _scan(network: Network, protocol: str, address: str, patience: int) -> Finding:
    family = ["-6"] if ":" in address else []
    options = TCP if protocol == "tcp" else UDP
    # The kernel resolves the neighbour: nmap gives up on an emulated guest that takes its time.
    fixed = ("-n", "-Pn", "--disable-arp-ping", "--send-ip", "-T4", "-oG", "-")
    # No probe is repeated: the cable loses none.
    once = ("--max-retries", "0", *(f"--{which}-rtt-timeout={patience}s" for which in ("min", "initial", "max")))
    command = ("nmap", *fixed, *once, *family, *options, address)
    report = network.run(*command, timeout=300).stdout
    return Finding(address, protocol, tuple(_open(report, protocol)), _filtered(report, protocol))


def _open(report: str, protocol: str) -> list[str]:
    return [f"{port}/{protocol}" for port in re.findall(rf"(\d+)/open/{protocol}", report)]


def _filtered(report: str, protocol: str) -> int:
    """Ports without an answer: nmap sums up the state that most of them have."""
    summed = re.search(r"Ignored State: (?:open\|)?filtered \((\d+)\)", report)
    return int(summed.group(1)) if summed else len(re.findall(rf"\d+/(?:open\|)?filtered/{protocol}", report))
