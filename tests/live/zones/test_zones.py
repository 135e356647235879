"""WireGuard between zones, by its real files: behind two walls that let nothing in it comes up, for members alone."""

import errno
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.underlay import KEEPALIVE, WIREGUARD_MTU, WIREGUARD_PORT
from tests.live.docker.internet import listener
from tests.live.docker.namespace import inside, run
from tests.live.zones.stand import STRANGER, TOOLS, Peer, Zones, at, form, provider_firewall, zones
from tests.programs import need, need_root

PROGRAMS = ("wireguard-go", "wg", "wg-quick", "nft", "ip", "nsenter", "unshare", "nmap", "sysctl", "conntrack")
FORGETS_AFTER = KEEPALIVE + 2
"""Seconds that a wall remembers here: hardly more than keepalive. Linux has 30 without an answer, and 120."""
UDP_HEADERS = 28
IP_MTU_DISCOVER, NEVER_FRAGMENT = 10, 2


@pytest.fixture(scope="module")
def mesh() -> Iterator[Zones]:
    """Three machines that were made one after another, as the program does it."""
    need(*PROGRAMS)
    need_root()
    with zones() as found:
        form(found)
        found.whole()
        yield found


def test_everyone_reaches_the_ports_of_swarm_and_no_other(mesh: Zones) -> None:
    for a, b in mesh.pairs:
        assert {port for port in (2377, 4789, 7946, 53, 22) if a.reaches(b, port, within=0.3)} == {4789, 7946}


def test_a_key_never_leaves_its_machine(mesh: Zones) -> None:
    kept = {peer.name: (peer.folder / "volume/key").read_text().strip() for peer in mesh.peers.values()}
    assert len(set(kept.values())) == len(kept)
    for peer in mesh.peers.values():
        assert (peer.folder / "volume/key").stat().st_mode & 0o777 == 0o600
        texts = [file.read_text() for file in peer.folder.rglob("*") if file.is_file()]
        assert {name for name, key in kept.items() if any(key in text for text in texts)} == {peer.name}


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_it_comes_up_from_cold_in_any_order(mesh: Zones, backwards: bool) -> None:
    machines = list(mesh.peers.values())
    for peer in machines:
        peer.stop()
    for peer in machines:
        forget(peer)
    for peer in machines[::-1] if backwards else machines:
        peer.start()
        time.sleep(1)
    print(f"whole {mesh.whole():.1f} s after the last one")


def forget(peer: Peer) -> None:
    """Neither wall remembers what was sent."""
    for netns in (peer.own, peer.wall):
        at(netns, "conntrack", "--flush")


def test_a_stranger_finds_no_open_port_and_gets_not_one_packet(mesh: Zones) -> None:
    with counted(mesh) as answers:
        assert found_open(mesh, mesh["europe-1"]) == set()
        assert answers() == 0


def test_control_a_hole_is_found(mesh: Zones) -> None:
    peer = mesh["europe-1"]
    with hole(peer, "tcp", 7946), listener(peer.netns, peer.public, 7946), counted(mesh) as answers:
        assert found_open(mesh, peer) == {7946}
        assert answers() > 0


def found_open(mesh: Zones, peer: Peer) -> set[int]:
    """TCP ports that are open, of all, and UDP ports of those that something listens on."""
    scan = ("nmap", "-n", "-Pn", "-oG", "-", "--max-retries", "0", "--min-rate", "8000", "--host-timeout", "90s")
    enter = ("nsenter", f"--net={mesh.stranger}")
    told = run(*enter, *scan, "-sS", "-p-", peer.public)
    told += run(*enter, *scan, "-sU", "-p", f"53,4789,7946,{WIREGUARD_PORT}", peer.public)
    return {int(word.partition("/")[0]) for word in told.replace(",", " ").split() if "/open/" in word}


@contextmanager
def counted(mesh: Zones) -> Iterator[Callable[[], int]]:
    """How many packets have come from the machines to the stranger."""
    enter = ("nsenter", f"--net={mesh.stranger}", "nft")
    sources = ", ".join(peer.public for peer in mesh.peers.values())
    hook = "type filter hook prerouting priority raw; policy accept;"
    rule = f"ip saddr {{ {sources} }} ip daddr {STRANGER} counter"
    run(*enter, "-f", "-", text=f"table ip seen {{\nchain answers {{\n{hook}\n{rule}\n}}\n}}\n")
    try:
        yield lambda: int(run(*enter, "list", "table", "ip", "seen").partition("packets ")[2].split()[0])
    finally:
        run(*enter, "delete", "table", "ip", "seen")


@contextmanager
def hole(peer: Peer, protocol: str, port: int) -> Iterator[None]:
    """Both walls of a machine let something in, and what answers it out."""
    match = [protocol, "dport", str(port), "accept"]
    at(peer.wall, "nft", "insert", "rule", "ip", "provider", "forward", *match)
    at(peer.own, "nft", "insert", "rule", "inet", "zero_exposure", "input", *match)
    try:
        yield
    finally:
        at(peer.wall, "nft", "-f", "-", text=f"flush ruleset\n{provider_firewall()}")
        peer.load_rules()
        forget(peer)


def shakes_hands(mesh: Zones, peer: Peer, key: str) -> bool:
    """Whether the stranger, who knows everything but is at its own address, gets a session with this private key."""
    script = f"""
mount --make-rprivate /; mount -t tmpfs none /run; mkdir /run/wireguard
wireguard-go wg9 2>/dev/null
echo '{key}' | wg set wg9 listen-port {WIREGUARD_PORT} private-key /dev/stdin peer '{peer.public_key()}' \
    allowed-ips 10.0.0.0/16 endpoint {peer.public}:{WIREGUARD_PORT} persistent-keepalive 1
ip link set wg9 up
for _ in 1 2 3 4 5 6; do sleep 0.5; wg show wg9 latest-handshakes | grep -qv '\t0$' && echo shaken && break; done
ip link delete wg9
"""
    enter = ["nsenter", f"--net={mesh.stranger}", "unshare", "--mount", "sh", "-c", script]
    return "shaken" in subprocess.run(enter, capture_output=True, text=True, check=False).stdout


def test_nobody_without_a_members_key_and_address_gets_an_answer(mesh: Zones) -> None:
    peer, unknown = mesh["europe-1"], run("wg", "genkey").strip()
    stolen = (mesh["america-1"].folder / "volume/key").read_text().strip()
    with counted(mesh) as answers:
        assert not shakes_hands(mesh, peer, unknown)
        assert not shakes_hands(mesh, peer, stolen), "a member's key, but not from its address"
        assert answers() == 0
        with hole(peer, "udp", WIREGUARD_PORT):
            # What stops an unknown key even without walls is WireGuard, and it does so without a word.
            assert not shakes_hands(mesh, peer, unknown)
            assert answers() == 0
            # Control: what stops a stolen one is the walls.
            assert shakes_hands(mesh, peer, stolen)
            assert answers() > 0
    peer.mesh("load")
    mesh.whole()


def test_a_forged_source_within_wireguard_is_dropped(mesh: Zones) -> None:
    a, b, third = (mesh[name] for name in ("america-1", "europe-1", "asia-1"))
    a.run("ip", "address", "add", f"{third.address}/32", "dev", "wg0")
    try:
        assert not a.reaches(b, source=third.address)
        assert a.reaches(b, source=a.address)
    finally:
        a.run("ip", "address", "delete", f"{third.address}/32", "dev", "wg0")


def test_a_machine_that_was_away_for_longer_than_walls_remember_comes_back(mesh: Zones) -> None:
    with short_of_memory(mesh):
        mesh["america-1"].stop()
        time.sleep(FORGETS_AFTER + 2)
        mesh["america-1"].start()
        print(f"whole after {mesh.whole():.1f} s")


def test_control_where_one_end_does_not_call_the_other_does_not_get_in(mesh: Zones) -> None:
    calling, silent = mesh["america-1"], mesh["europe-1"]
    for peer in (calling, silent):
        peer.stop()
    for peer in (calling, silent):
        forget(peer)
    with said_by(silent, "PersistentKeepalive = 0"):
        for peer in (silent, calling):
            peer.start()
        assert not any(calling.reaches(silent) for _ in range(6))
    silent.mesh("load")
    mesh.whole()


@contextmanager
def said_by(peer: Peer, line: str) -> Iterator[None]:
    """A machine's tool that says something else of keepalive."""
    change = ("sed", "--in-place=.kept", f's/PersistentKeepalive = .*\\"/{line}\\"/', f"{TOOLS}/mesh")
    peer.run(*change)
    assert line in peer.run("cat", f"{TOOLS}/mesh")
    try:
        yield
    finally:
        peer.run("mv", f"{TOOLS}/mesh.kept", f"{TOOLS}/mesh")


@contextmanager
def short_of_memory(mesh: Zones) -> Iterator[None]:
    """Every wall forgets soon."""
    names = ("net.netfilter.nf_conntrack_udp_timeout", "net.netfilter.nf_conntrack_udp_timeout_stream")
    before = {name: at(mesh["asia-1"].wall, "sysctl", "--values", name).strip() for name in names}
    for values in (dict.fromkeys(names, str(FORGETS_AFTER)), before):
        for peer in mesh.peers.values():
            for netns in (peer.own, peer.wall):
                at(netns, "sysctl", "--quiet", "--write", *(f"{name}={value}" for name, value in values.items()))
        if values is not before:
            yield


def test_a_new_server_with_the_old_volume_is_the_same_peer_and_nobody_has_to_be_told(mesh: Zones) -> None:
    peer = mesh["america-1"]
    before = peer.public_key()
    peer.stop()
    for kept in (peer.folder / "etc").glob("members*.nft"):
        kept.unlink()
    forget(peer)
    peer.load_rules()
    peer.start()
    assert not peer.reaches(mesh["asia-1"], within=2)
    form(mesh, peer.name)
    assert all(peer.handshakes().values()), "nothing is asked of it before it is among the others again"
    mesh.whole()
    assert peer.public_key() == before


def test_a_machine_is_told_of_the_others_while_one_of_them_is_gone(mesh: Zones) -> None:
    gone, peer = mesh["asia-1"], mesh["europe-1"]
    gone.stop()
    peer.stop()
    forget(peer)
    peer.start()
    form(mesh, "america-1")
    peer.mesh("members", text="".join(f"{each.address} {each.public}\n" for each in mesh.peers.values()))
    assert peer.handshakes()[mesh["america-1"].address] > 0
    gone.start()
    mesh.whole()


def test_whoever_is_taken_off_the_list_is_no_peer_any_more(mesh: Zones) -> None:
    gone, peer = mesh["america-1"], mesh["europe-1"]
    kept = [each for each in mesh.peers.values() if each is not gone]
    peer.mesh("members", text="".join(f"{each.address} {each.public}\n" for each in kept))
    assert set(peer.handshakes()) == {mesh["asia-1"].address}
    assert not gone.reaches(peer, within=2)
    assert gone.public not in peer.run("nft", "list", "set", "inet", "zero_exposure", "endpoints")
    form(mesh, "asia-1", "europe-1")
    mesh.whole()


def test_the_largest_packet_passes_in_one_piece_and_a_larger_one_is_refused_at_once(mesh: Zones) -> None:
    before = fragments(mesh)
    for a, b in mesh.pairs:
        assert sends(a, b, WIREGUARD_MTU - UDP_HEADERS)
    assert fragments(mesh) == before
    a, b = mesh.pairs[0]
    with pytest.raises(OSError, match="too long") as refused:
        sends(a, b, WIREGUARD_MTU - UDP_HEADERS + 1)
    assert refused.value.errno == errno.EMSGSIZE


def test_control_with_a_longer_packet_there_are_fragments(mesh: Zones) -> None:
    before = fragments(mesh)
    a, b = mesh.pairs[0]
    for peer in (a, b):
        peer.run("ip", "link", "set", "wg0", "mtu", "1500")
    sends(a, b, 1500 - UDP_HEADERS)
    for peer in (a, b):
        peer.run("ip", "link", "set", "wg0", "mtu", str(WIREGUARD_MTU))
    assert fragments(mesh) > before


def sends(a: Peer, b: Peer, size: int) -> bool:
    """Whether a datagram arrives that may not be cut to pieces. Raises ``OSError`` where it is too long for the way."""

    def opened() -> socket.socket:
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    with inside(b.netns, opened) as heard, inside(a.netns, opened) as sender:
        heard.bind((b.address, 7946))
        heard.settimeout(3)
        sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, NEVER_FRAGMENT)
        sender.sendto(b"x" * size, (b.address, 7946))
        try:
            return len(heard.recv(2 * size)) == size
        except TimeoutError:
            return False


def fragments(mesh: Zones) -> int:
    """Packets that any machine or wall has cut to pieces."""

    def count() -> int:
        names, values = (
            line.split()
            for line in Path("/proc/thread-self/net/snmp").read_text(encoding="ascii").splitlines()
            if line.startswith("Ip:")
        )
        return int(dict(zip(names, values, strict=True))["FragCreates"])

    return sum(inside(f"/run/netns/{netns}", count) for peer in mesh.peers.values() for netns in (peer.own, peer.wall))


def test_after_a_restart_the_walls_know_the_others_again(mesh: Zones) -> None:
    peer = mesh["asia-1"]
    peer.stop()
    at(peer.own, "nft", "flush", "ruleset")
    forget(peer)
    peer.load_rules()
    peer.start()
    mesh.whole()


def test_a_machine_that_does_not_answer_is_named(mesh: Zones) -> None:
    with pytest.raises(RuntimeError, match=r"10\.0\.9\.9 does not answer"):
        mesh["asia-1"].run("sh", "-c", f"sed s/^WAIT=.*/WAIT=1/ {TOOLS}/mesh | sh -s reach 10.0.9.9")
