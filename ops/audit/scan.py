"""Port scans by nmap, of the stack's own addresses and of no others."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ops.audit.cloud import Address
from ops.audit.result import NotMeasuredError

Protocol = Literal["tcp", "udp"]
TRIED = {"tcp": 65_535, "udp": 200}
"""Ports that a complete scan tries: all, and the ones most used."""
RATE = {"tcp": 2000, "udp": 100}
"""Packets a second, at least: the scanner waits for a server that answers nothing."""
COMMON = ("-n", "-Pn", "-T4", "--max-retries", "2", "-oX", "-")
WITHIN = 1800
"""Seconds. A server that answers nothing takes one to three minutes an address."""


class OutOfScopeError(ValueError):
    """An address that is not the stack's."""


@dataclass(frozen=True)
class Scan:
    """One address by one protocol. ``closed`` counts ports that answered, though nothing listens there."""

    address: str
    protocol: Protocol
    open: tuple[int, ...]
    closed: int
    tried: int

    @property
    def complete(self) -> bool:
        """Every port was tried."""
        return self.tried >= TRIED[self.protocol]


@dataclass(frozen=True)
class Scanner:
    """``scope`` are the addresses that may be scanned; ``prefix`` is put in front of nmap's command."""

    scope: frozenset[Address]
    prefix: tuple[str, ...] = ()

    def scan(self, protocol: Protocol, address: Address) -> Scan:
        """Try every TCP port, or the most used UDP ports, of one address.

        Raises ``OutOfScopeError`` for an address that is not in scope, or that leads back to this machine or its link.
        """
        if address not in self.scope or _is_near(address):
            raise OutOfScopeError(f"{address} does not belong to this stack: not scanned")
        return parse(self._nmap(protocol, address), protocol)

    def _nmap(self, protocol: Protocol, address: Address) -> str:
        family = ["-6"] if address.version == 6 else []
        privileged = os.geteuid() == 0 or bool(self.prefix)
        kind: tuple[str, ...] = ("-sS" if privileged else "-sT", "-p-")
        if protocol == "udp":
            if not privileged:
                raise NotMeasuredError("UDP is scanned by root only: let `sudo -n nmap` pass, or run this as root")
            kind = ("-sU", "--top-ports", str(TRIED["udp"]))
        command = [*self.prefix, "nmap", *COMMON, "--min-rate", str(RATE[protocol]), *family, *kind, str(address)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
        except subprocess.TimeoutExpired:
            raise NotMeasuredError(f"nmap did not end within {WITHIN} s") from None
        if done.returncode:
            raise NotMeasuredError(f"nmap: {done.stderr.strip()[-200:]}")
        return done.stdout


def scanner(scope: Iterable[Address]) -> Scanner:
    """nmap as it is here, by ``sudo`` where that asks for no password. Raises ``NotMeasuredError`` without nmap."""
    if shutil.which("nmap") is None:
        raise NotMeasuredError("nmap is not on PATH: apt-get install nmap, or brew install nmap")
    sudo = os.geteuid() != 0 and shutil.which("sudo") is not None
    may = sudo and subprocess.run(["sudo", "-n", "nmap", "--version"], capture_output=True, check=False).returncode == 0
    return Scanner(frozenset(scope), ("sudo", "-n") if may else ())


def parse(report: str, protocol: Protocol) -> Scan:
    """nmap's XML. Raises ``NotMeasuredError`` where nmap gave up on the address."""
    host = ET.fromstring(report).find("host")  # noqa: S314 - nmap's own words, with no host name or banner in them
    ports = host.find("ports") if host is not None else None
    if host is None or ports is None:
        raise NotMeasuredError("nmap reports no port")
    summed = {str(extra.get("state")): int(extra.get("count", 0)) for extra in ports.findall("extraports")}
    single = [(int(port.get("portid", 0)), _state(port)) for port in ports.findall("port")]
    address = next(str(found.get("addr")) for found in host.findall("address") if found.get("addrtype") != "mac")
    return Scan(
        address=address,
        protocol=protocol,
        open=tuple(port for port, state in single if state == "open"),
        closed=summed.get("closed", 0) + sum(state == "closed" for _, state in single),
        tried=sum(summed.values()) + len(single),
    )


def _state(port: ET.Element) -> str:
    state = port.find("state")
    return str(state.get("state")) if state is not None else ""


def _is_near(address: Address) -> bool:
    return address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
