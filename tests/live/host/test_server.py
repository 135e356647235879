"""One life of one server, in order: first boot, attacks from outside and inside, failures, restart, replacement."""

import json
import time
from concurrent.futures import Future
from typing import ClassVar

import pytest

from tests.live.host import server as parts
from tests.live.host.conftest import measure
from tests.live.host.machine import VOLUME
from tests.live.host.network import GUEST4, GUEST_ADDRESSES, HERE4, METADATA, PRIVATE, wait_for
from tests.live.host.rented import Server
from tests.live.host.scan import PORTS, capture, found_open, opened, scan

pytestmark = pytest.mark.machine
DOCKER_RUN = "docker run --detach --init"
HTTPD = "busybox:test /bin/httpd -f -p 80 -h /www"
LAST_COUNTER = "sed -nE 's/.*counter packets ([0-9]+) .*/\\1/p' | tail -1"
HOST_PORT = 2022
PATIENCE = 0.5
"""Seconds between an answer and its line in the watch's log."""
UDP_ECHO = (
    'import socket; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", 161))\n'
    "while True: data, peer = s.recvfrom(2048); s.sendto(data, peer)"
)
CLASSICAL = "KexAlgorithms=curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256"


def dropped(server: Server) -> int:
    """Packets from outside that the wall has thrown away."""
    return int(server.machine.output(f"nft list chain inet zero_exposure input | {LAST_COUNTER}"))


def unreachable(server: Server, what: str) -> None:
    """Not one open port, not one packet in answer to a whole scan, and every probe arrived."""
    before, probes = dropped(server), len(GUEST_ADDRESSES) * sum(PORTS.values())
    with capture(server.network, server.folder) as answers:
        findings = scan(server.network)
        wait_for(lambda: dropped(server) - before >= probes, f"{probes} probes at the wall", 300)
    assert opened(findings) == set(), what
    assert all(finding.silent for finding in findings), findings
    assert answers.packets == [], what


class TestFirstBoot:
    def test_cloud_init_and_every_unit_succeeded(self, server: Server) -> None:
        result = json.loads(server.machine.output("cat /run/cloud-init/result.json"))
        assert result["v1"]["errors"] == []
        assert server.machine.output("systemctl --failed --no-legend --plain") == ""
        assert server.machine.output("cloud-init schema --system") != ""

    def test_no_watched_port_was_open_once_the_wall_was_up(self, server: Server) -> None:
        wall = parts.wall_up(server.machine)
        early = [sight for sight in server.answers_since(0) if sight.time < wall]
        measure(f"{server.suite}: wall up {wall - server.machine.powered_on:.0f} s after power-on")
        for outcome in ("open", "closed"):
            ports = sorted({int(sight.port.split()[1]) for sight in early if sight.outcome == outcome})
            measure(f"{server.suite}: {outcome} before that, by the image itself: {ports or 'nothing'}")
        # What an attempt that was under way still got may be written down a moment later.
        assert server.answers_since(wall + PATIENCE) == []
        standing = {sight.port: sight.outcome for sight in parts.sights(server.watch_log)}
        assert set(standing.values()) == {"silent"}

    def test_nothing_listens_beyond_loopback(self, server: Server) -> None:
        listening = server.machine.output("ss --tcp --udp --listening --numeric --no-header").splitlines()
        local = [line.split()[4] for line in listening]
        assert "127.0.0.1:22" in local
        assert [address for address in local if not address.startswith(("127.", "[::1]"))] == []

    def test_when_memory_runs_short_the_connector_goes_last(self, server: Server) -> None:
        adjust = "cat /proc/$(systemctl show --property MainPID --value {}.service)/oom_score_adj"
        assert int(server.machine.output(adjust.format("cloudflared"))) < int(
            server.machine.output(adjust.format("docker"))
        )
        assert "/swapfile" in server.machine.output("swapon --show=NAME --noheadings")

    def test_the_files_are_those_that_were_rendered(self, server: Server) -> None:
        drift = "systemctl start zero-exposure-drift.service"
        assert server.machine.run(drift).code == 0
        server.machine.output("cp -a /etc/docker/daemon.json /root && echo >> /etc/docker/daemon.json")
        assert server.machine.run(drift).code != 0
        assert "daemon.json" in server.machine.output("journalctl --unit zero-exposure-drift --no-pager")
        server.machine.output("mv /root/daemon.json /etc/docker/ && systemctl reset-failed")

    def test_the_kernel_follows_the_settings(self, server: Server) -> None:
        """A value that this kernel does not know, or that another file sets later, would differ."""
        wanted = server.machine.output("grep '^[a-z]' /etc/sysctl.d/99-zero-exposure.conf").splitlines()
        names = " ".join(line.partition(" = ")[0] for line in wanted)
        assert server.machine.output(f"sysctl {names}").splitlines() == wanted

    def test_security_updates_install_themselves_and_restart_at_their_hour(self, server: Server) -> None:
        options = ("APT::Periodic::Unattended-Upgrade", "Unattended-Upgrade::Automatic-Reboot-Time")
        shell = " ".join(f"V{number} {option}" for number, option in enumerate(options))
        assert server.machine.output(f"apt-config shell {shell}").splitlines() == ["V0='1'", "V1='04:00'"]
        rehearsal = server.machine.output("unattended-upgrade --dry-run --debug 2>&1 | grep 'Allowed origins'")
        assert "Debian-Security" in rehearsal
        assert "site=pkg.cloudflare.com" in rehearsal

    def test_docker_follows_the_settings(self, server: Server) -> None:
        form = "{{.LiveRestoreEnabled}} {{.LoggingDriver}} {{.DefaultAddressPools}}"
        assert server.machine.output(f"docker info --format '{form}'") == "true json-file [{172.24.0.0/14 24}]"

    def test_the_volume_is_mounted_by_its_id_and_holds_dockers_data(self, server: Server) -> None:
        assert server.machine.output("docker info --format '{{.DockerRootDir}}'") == "/mnt/data/docker"
        mounted = "$(findmnt --output SOURCE --noheadings /mnt/data)"
        layers = f"lsblk --inverse --list --paths --noheadings --output NAME,TYPE {mounted}"
        layered = [line.split() for line in server.machine.output(layers).splitlines()]
        by_id = f"readlink --canonicalize /dev/disk/by-id/scsi-0HC_Volume_{VOLUME}"
        assert layered[-1] == [server.machine.output(by_id), "disk"]
        assert ("crypt" in [kind for _, kind in layered]) == (server.suite == parts.ENCRYPTED)


class TestLogin:
    def test_an_operator_gets_in_by_a_post_quantum_key_exchange(self, server: Server) -> None:
        answer = server.operator.login()
        assert answer.code == 0, answer.output
        exchange = server.operator.key_exchange(answer)
        measure(f"{server.suite}: key exchange {exchange}")
        assert exchange.startswith(("sntrup761x25519", "mlkem768x25519"))

    def test_docker_is_reached_over_it(self, server: Server) -> None:
        assert server.operator.login(command="docker version").code == 0

    def test_a_classical_client_is_refused(self, server: Server) -> None:
        answer = server.operator.login("-o", CLASSICAL)
        assert answer.code != 0
        assert "no matching key exchange method" in answer.output

    @pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
    def test_a_password_is_not_even_asked_for(self, server: Server, method: str) -> None:
        answer = server.operator.login("-o", f"PreferredAuthentications={method}", "-o", "PubkeyAuthentication=no")
        assert "Permission denied (publickey)" in answer.output

    def test_root_has_no_way_in_and_no_password(self, server: Server) -> None:
        assert "Permission denied" in server.operator.login(user="root").output
        assert server.machine.output("passwd --status root").split()[1] == "L"

    def test_nothing_is_forwarded(self, server: Server) -> None:
        answer = server.operator.login("-W", "127.0.0.1:22")
        assert "administratively prohibited" in answer.output

    def test_failed_logins_lock_nobody_out(self, server: Server) -> None:
        for _ in range(6):
            assert server.operator.login(user="root").code != 0
        assert server.operator.login().code == 0

    def test_the_host_key_is_the_one_that_was_pinned(self, server: Server) -> None:
        assert server.machine.output("ls /etc/ssh/ssh_host_*_key") == "/etc/ssh/ssh_host_ed25519_key"


class TestOutside:
    def test_every_port_is_silent(self, server: Server) -> None:
        unreachable(server, "after the first boot")

    def test_a_container_published_by_hand_stays_unreachable(self, server: Server) -> None:
        server.machine.output("docker import /usr/local/share/busybox.tar busybox:test")
        options = "--restart unless-stopped --publish 0.0.0.0:8080:80 --volume kept:/data"
        server.machine.output(f"{DOCKER_RUN} --name published {options} {HTTPD}")
        server.machine.output("docker exec published /bin/sh -c 'echo precious > /data/file'")
        answers = "docker exec published /bin/wget -qO- http://127.0.0.1/"
        wait_for(lambda: "container" in server.machine.run(answers).output, answers, 120)
        unreachable(server, "with a published port")

    def test_a_plain_server_is_found_open(self, plain_found: "Future[set[tuple[str, str]]]") -> None:
        """The control: the same image without our user data."""
        assert {(address, "22/tcp") for address in GUEST_ADDRESSES} <= plain_found.result()


class TestContainer:
    """What a container that has been taken over reaches. Each refusal has its control without the rules."""

    TARGETS: ClassVar = {
        "metadata": (METADATA, 80),
        "public address of the host": (GUEST4, HOST_PORT),
        "host on the container's own bridge": ("172.24.1.1", HOST_PORT),
        "host on another bridge": ("172.24.0.1", HOST_PORT),
        "private network of the provider": (PRIVATE, 443),
        "plain DNS": (HERE4, 53),
    }

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def inside(cls, server: Server) -> None:
        """A container on a network of its own, and a port that is open on every address of the host."""
        server.machine.output("docker network create --subnet 172.24.1.0/24 home")
        server.machine.output(f"{DOCKER_RUN} --network home --name inside {HTTPD}")
        server.machine.output(f"{DOCKER_RUN} --network home --name beside {HTTPD}")
        server.machine.output(f"systemd-run --unit planted python3 -m http.server {HOST_PORT} --bind ::")

    @staticmethod
    def reached(server: Server, *targets: tuple[str, int], who: str = "docker exec inside") -> list[tuple[str, int]]:
        """Which of the targets accept a connection; all are tried at once."""
        tries = "".join(
            f"/bin/busybox nc -w 3 {address} {port} </dev/null && echo {address} {port} & " for address, port in targets
        )
        output = server.machine.output(f"{who} /bin/busybox sh -c '{tries} wait' 2>/dev/null")
        return sorted((address, int(port)) for address, port in map(str.split, output.splitlines()))

    def reaches(self, server: Server, address: str, port: int, who: str = "docker exec inside") -> bool:
        return bool(self.reached(server, (address, port), who=who))

    def reaches_in_time(self, server: Server, address: str, port: int, who: str = "docker exec inside") -> bool:
        """For what must succeed: emulated on a busy machine an answer may take longer than one attempt waits."""
        wait_for(lambda: self.reaches(server, address, port, who), f"{who} to {address} {port}", 300)
        return True

    def test_every_target_is_refused(self, server: Server) -> None:
        assert self.reached(server, *self.TARGETS.values()) == []

    def test_gains_no_privileges_and_writes_no_endless_log(self, server: Server) -> None:
        assert "NoNewPrivs:\t1" in server.machine.output("docker exec inside /bin/cat /proc/1/status")
        form = "'{{json .HostConfig.LogConfig.Config}}'"
        logs = json.loads(server.machine.output(f"docker inspect --format {form} inside"))
        assert logs == {"max-file": "3", "max-size": "10m"}

    def test_a_link_leads_one_way(self, server: Server) -> None:
        """The first container of a network has its second address, which is the server's."""
        assert self.reaches_in_time(server, "172.24.1.2", 80, "docker exec beside")
        assert not self.reaches(server, "172.24.1.3", 80)

    def test_https_outside_is_reached(self, server: Server) -> None:
        assert self.reaches_in_time(server, HERE4, 443)

    def test_a_container_on_another_network_is_refused(self, server: Server) -> None:
        form = "'{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'"
        address = server.machine.output(f"docker inspect --format {form} published")
        assert not self.reaches(server, address, 80)
        assert self.reaches_in_time(server, address, 80, "docker exec published")

    def test_only_root_on_the_host_reads_the_metadata(self, server: Server) -> None:
        assert self.reaches_in_time(server, METADATA, 80, "runuser -u root --")
        assert not self.reaches(server, METADATA, 80, "runuser -u ops --")
        assert not self.reaches(server, METADATA, 80, "runuser -u cloudflared --")

    def test_without_the_rules_every_target_is_reached(self, server: Server) -> None:
        server.machine.output("nft delete table inet zero_exposure")
        try:
            every = sorted(self.TARGETS.values())
            wait_for(lambda: self.reached(server, *every) == every, "every target", 300)
        finally:
            server.machine.output("nft -f /etc/nftables.conf")


class TestFailures:
    def test_a_killed_connector_comes_back_and_opens_nothing(self, server: Server) -> None:
        killed = time.time()
        measure(f"{server.suite}: killed connector back after {server.kill_connector():.1f} s")
        assert server.answers_since(killed) == []
        assert server.operator.login().code == 0

    def test_without_docker_the_connector_stays_and_containers_run_on(self, server: Server) -> None:
        pid = "systemctl show --property MainPID cloudflared.service"
        rules = "nft --stateless list table inet zero_exposure"
        before = server.machine.output(pid), server.machine.output(rules)
        server.machine.output("systemctl kill --signal=KILL docker.service")
        assert server.operator.login().code == 0
        server.machine.wait_for_units("docker")
        assert (server.machine.output(pid), server.machine.output(rules)) == before
        assert server.machine.output("docker exec published cat /data/file") == "precious"

    def test_a_stopped_firewall_service_leaves_rules_and_docker_alone(self, server: Server) -> None:
        everything = "nft --stateless list ruleset"
        before = server.machine.output(everything)
        server.machine.output("systemctl stop nftables.service")
        assert server.machine.output(everything) == before
        server.machine.output("systemctl start nftables.service")

    def test_the_scan_finds_what_is_opened_on_purpose(self, server: Server) -> None:
        """The control of every scan here: planted ports are let in, and the forward chain is taken away."""
        server.machine.output(f"systemd-run --unit planted-udp python3 -c '{UDP_ECHO}'")
        for rule in (f"tcp dport {HOST_PORT}", "udp dport 161"):
            server.machine.output(f"nft insert rule inet zero_exposure input {rule} accept")
        server.machine.output("nft flush chain inet zero_exposure forward")
        server.machine.output("nft delete chain inet zero_exposure forward")
        planted = {(address, port) for address in GUEST_ADDRESSES for port in (f"{HOST_PORT}/tcp", "161/udp")}
        with capture(server.network, server.folder) as answers:
            found = found_open(server.network, planted | {(GUEST4, "8080/tcp")})
        server.machine.output("nft -f /etc/nftables.conf")
        assert found == planted | {(GUEST4, "8080/tcp")}
        assert answers.packets


@pytest.mark.usefixtures("successor")
class TestRestart:
    def test_it_is_silent_from_the_restart_on(self, server: Server) -> None:
        server.machine.restart()
        seconds = server.connector_seen_after(server.machine.powered_on)
        measure(f"{server.suite}: restart to connector {seconds:.0f} s")
        server.machine.wait_for_units(*parts.UNITS)
        assert server.answers_since(server.machine.powered_on) == []

    def test_the_published_container_is_back_and_still_unreachable(self, server: Server) -> None:
        assert server.machine.output("docker exec published cat /data/file") == "precious"
        unreachable(server, "after a restart")


class TestReplacement:
    def test_data_containers_host_key_and_tunnel_survive(self, server: Server, successor: Server) -> None:
        server.machine.shut_down()
        measure(f"{server.suite}: its successor, on the same processors as a restart: {successor.come_up()}")
        assert successor.machine.output("docker exec published cat /data/file") == "precious"
        assert successor.operator.login().code == 0
