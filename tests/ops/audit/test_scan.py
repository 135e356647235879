"""Scans by the real nmap, of addresses in a namespace; and the guard in front of them."""

import os
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from ops.audit import cloud, scan
from ops.audit.checks.perimeter import judge_scans
from ops.audit.result import NotMeasuredError
from ops.audit.scan import OutOfScopeError, Protocol, Scanner
from ops.doctor.api import Api
from tests.live.namespace import Namespace, wait_until
from tests.ops.audit.stand import ORIGIN4, ORIGIN6, STACK, answers
from tests.ops.doctor.clouds import serving
from tests.programs import need, need_root

ADDRESSES = (ip_address(ORIGIN4), ip_address(ORIGIN6))
LISTEN = """
import socket, sys, time
kept = []
for family, address in ((socket.AF_INET, "%s"), (socket.AF_INET6, "%s")):
    for kind, port in ((socket.SOCK_STREAM, 2222), (socket.SOCK_DGRAM, 53)):
        kept.append(socket.socket(family, kind))
        kept[-1].bind((address, port))
        if kind == socket.SOCK_STREAM:
            kept[-1].listen()
print("ready", flush=True)
while True:
    data, sender = kept[1].recvfrom(2000)
    kept[1].sendto(b"answer", sender)
""" % (ORIGIN4, ORIGIN6)  # noqa: UP031 - the text has braces of its own
WALL = "add table inet wall; add chain inet wall input { type filter hook input priority 0; policy drop; }"


@pytest.fixture
def server() -> Iterator[Namespace]:
    """A machine with both addresses and nothing else."""
    need("nmap", "unshare", "nsenter", "ip", "nft", "python3")
    need_root()
    namespace = Namespace((f"{ORIGIN4}/32", f"{ORIGIN6}/128 nodad"))
    try:
        yield namespace
    finally:
        namespace.close()


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all is dropped nothing is missed by haste, and nothing is sent again."""
    options = list(scan.COMMON)
    options[options.index("--max-retries") + 1] = "0"
    monkeypatch.setattr(scan, "COMMON", tuple(options))
    monkeypatch.setattr(scan, "RATE", {"tcp": 20_000, "udp": 1000})


@pytest.fixture
def own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers sets the pace; forced faster, a loaded machine would miss answers."""
    monkeypatch.setattr(scan, "RATE", {"tcp": 1, "udp": 1})


def _scanner(namespace: Namespace) -> Scanner:
    return Scanner(frozenset(ADDRESSES), tuple(namespace.enter()))


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_server_that_drops_everything_passes(server: Namespace, fast: None, protocol: Protocol) -> None:
    assert server.run("nft", WALL).returncode == 0
    found = [_scanner(server).scan(protocol, address) for address in ADDRESSES]
    assert [(each.open, each.closed, each.complete) for each in found] == [((), 0, True)] * 2
    assert judge_scans(found, {}).verdict == "pass"


def test_open_ports_are_found_on_both_addresses(server: Namespace, own_pace: None, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w", encoding="utf-8") as output, server.running("python3", "-c", LISTEN, log=output):
        wait_until(lambda: "ready" in log.read_text(encoding="utf-8"), log)
        tcp = [_scanner(server).scan("tcp", address) for address in ADDRESSES]
        udp = _scanner(server).scan("udp", ADDRESSES[0])
    assert [each.open for each in tcp] == [(2222,)] * 2
    assert udp.open == (53,)
    assert all(each.complete for each in (*tcp, udp))
    result = judge_scans([*tcp, udp], {})
    assert (result.verdict, result.value) == ("fail", 3)
    assert f"{ORIGIN6}: tcp open: 2222" in result.evidence


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_server_without_a_wall_fails_though_nothing_listens(
    server: Namespace, own_pace: None, protocol: Protocol
) -> None:
    found = _scanner(server).scan(protocol, ADDRESSES[0])
    assert found.open == ()
    assert found.closed > 0
    assert judge_scans([found], {}).verdict == "fail"


@pytest.mark.parametrize("foreign", ["203.0.113.1", "198.51.100.8", "2001:db8:7::2", "127.0.0.1", "::1", "fe80::1"])
def test_no_other_address_is_ever_scanned(foreign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(subprocess, "run", lambda *command, **_: started.append(command))
    with pytest.raises(OutOfScopeError, match="does not belong to this stack"):
        Scanner(frozenset(ADDRESSES)).scan("tcp", ip_address(foreign))
    assert started == []


@pytest.mark.parametrize("near", ["127.0.0.1", "::1", "fe80::1", "224.0.0.1", "::"])
def test_this_machine_and_its_link_are_not_scanned_whatever_an_api_says(near: str) -> None:
    with pytest.raises(OutOfScopeError):
        Scanner(frozenset({ip_address(near)})).scan("tcp", ip_address(near))


def test_the_guard_lets_the_stacks_own_address_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scanner, "_nmap", lambda *_: (_ for _ in ()).throw(NotMeasuredError("started")))
    with pytest.raises(NotMeasuredError, match="started"):
        Scanner(frozenset(ADDRESSES)).scan("tcp", ADDRESSES[0])


def test_every_address_that_leads_to_the_server_is_in_scope() -> None:
    given = answers()
    net = given["GET /servers/42"][1]["server"]["public_net"]
    net["floating_ips"] = [5]
    net["ipv6"]["dns_ptr"] = [{"ip": "2001:db8:7::99"}]
    given["GET /floating_ips/5"] = (200, {"floating_ip": {"ip": "203.0.113.55"}})
    with serving(given) as (base, _):
        found = cloud.server(Api(base, "t"), 42, STACK)
    assert {str(address) for address in found.addresses} == {ORIGIN4, ORIGIN6, "2001:db8:7::99", "203.0.113.55"}


def test_a_server_without_ipv4_has_no_such_address() -> None:
    given = answers()
    given["GET /servers/42"][1]["server"]["public_net"]["ipv4"] = None
    with serving(given) as (base, _):
        assert [str(address) for address in cloud.server(Api(base, "t"), 42, STACK).addresses] == [ORIGIN6]


def test_a_server_of_another_stack_is_left_alone() -> None:
    with serving(answers()) as (base, _), pytest.raises(NotMeasuredError, match="left alone"):
        cloud.server(Api(base, "t"), 42, "prod")


def test_without_nmap_nothing_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotMeasuredError, match="nmap is not on PATH"):
        scan.scanner(ADDRESSES)


def test_a_report_without_ports_is_no_pass() -> None:
    with pytest.raises(NotMeasuredError, match="reports no port"):
        scan.parse("<nmaprun><runstats/></nmaprun>", "tcp")


def _command(monkeypatch: pytest.MonkeyPatch, protocol: Protocol, prefix: tuple[str, ...] = ()) -> list[str]:
    """What would be started by a user who is not root."""
    started: list[list[str]] = []

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        started.append(command)
        return subprocess.CompletedProcess(command, 1, "", "not started")

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(NotMeasuredError):
        Scanner(frozenset(ADDRESSES), prefix).scan(protocol, ADDRESSES[1])
    return started[0] if started else []


def test_without_root_every_tcp_port_is_tried_by_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    command = _command(monkeypatch, "tcp")
    assert {"-sT", "-p-", "-6", ORIGIN6} <= set(command)


def test_without_root_udp_is_not_measured_unless_sudo_lets_nmap_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _command(monkeypatch, "udp") == []
    assert _command(monkeypatch, "udp", ("sudo", "-n"))[:3] == ["sudo", "-n", "nmap"]
