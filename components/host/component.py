"""The rented server: invisible from its first second."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_hcloud as hcloud
import pulumi_tls as tls

from components.host.render import OUTBOUND_TCP, OUTBOUND_UDP, Values, user_data
from settings import cloud

EVERYWHERE = ["0.0.0.0/0", "::/0"]


class HostArgs(TypedDict):
    """``pool`` is the CIDR of the private networks; ``admin_token`` the admin tunnel's secret token.

    With a ``volume_key`` the data volume is encrypted. It must never change: protect whatever generates it.
    """

    stack: str
    host: cloud.Host
    operators: cloud.Operators
    pool: str
    admin_token: pulumi.Input[str]
    volume_key: NotRequired[pulumi.Input[str]]


class Host(pulumi.ComponentResource):
    """Server, firewall, data volume and keys.

    What changes in place and what replaces the server: docs/host.md.
    """

    host_key: pulumi.Output[str]
    """The server's public SSH key, one line, to be pinned before first contact."""
    ipv4: pulumi.Output[str]
    ipv6: pulumi.Output[str]
    server_id: pulumi.Output[str]
    firewall_id: pulumi.Output[str]
    volume_id: pulumi.Output[str]

    def __init__(self, name: str, args: HostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Host", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = {"zero-exposure": args["stack"]}
        key = tls.PrivateKey(f"{name}-key", algorithm="ED25519", opts=child)
        firewall = _firewall(name, labels, child)
        volume = _volume(name, args["host"], labels, child)
        operators = _operators(name, args["operators"], labels, child)
        data = _user_data(args, key, volume)
        server = _server(name, args["host"], firewall, operators, data, labels, child)
        _attach(name, server, volume, child)
        self.host_key = key.public_key_openssh.apply(str.strip)
        self.ipv4, self.ipv6 = server.ipv4_address, server.ipv6_address
        self.server_id, self.firewall_id, self.volume_id = server.id, firewall.id, volume.id
        self.register_outputs({"host_key": self.host_key, "server_id": self.server_id, "volume_id": self.volume_id})


def _firewall(name: str, labels: dict[str, str], opts: pulumi.ResourceOptions) -> hcloud.Firewall:
    """No inbound rule, ever: the provider keeps old rules in force when the last one is taken away."""
    ports = [("tcp", port) for port in OUTBOUND_TCP] + [("udp", port) for port in OUTBOUND_UDP]
    rules = [
        hcloud.FirewallRuleArgs(direction="out", protocol=protocol, port=str(port), destination_ips=EVERYWHERE)
        for protocol, port in ports
    ]
    return hcloud.Firewall(f"{name}-firewall", rules=rules, labels=labels, opts=opts)


def _volume(name: str, host: cloud.Host, labels: dict[str, str], opts: pulumi.ResourceOptions) -> hcloud.Volume:
    return hcloud.Volume(
        f"{name}-data",
        size=host.volume_gb,
        location=host.location,
        delete_protection=True,
        labels=labels,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=True)),
    )


def _operators(
    name: str, operators: cloud.Operators, labels: dict[str, str], opts: pulumi.ResourceOptions
) -> list[hcloud.SshKey]:
    return [
        hcloud.SshKey(f"{name}-operator-{person}", public_key=key, labels=labels, opts=opts)
        for person, key in operators.ssh_keys.items()
    ]


def _user_data(args: HostArgs, key: tls.PrivateKey, volume: hcloud.Volume) -> pulumi.Output[str]:
    host, keys = args["host"], tuple(args["operators"].ssh_keys.values())
    encryption = {"volume_key": args["volume_key"]} if "volume_key" in args else {}
    rendered = pulumi.Output.all(
        volume_id=volume.id,
        host_key_private=key.private_key_openssh,
        host_key_public=key.public_key_openssh.apply(str.strip),
        token=args["admin_token"],
        **encryption,
    ).apply(
        lambda known: user_data(
            Values(image=host.image, reboot_time=host.reboot_time, authorized_keys=keys, pool=args["pool"], **known)
        )
    )
    return pulumi.Output.secret(rendered)


def _server(
    name: str,
    host: cloud.Host,
    firewall: hcloud.Firewall,
    operators: list[hcloud.SshKey],
    data: pulumi.Output[str],
    labels: dict[str, str],
    opts: pulumi.ResourceOptions,
) -> hcloud.Server:
    return hcloud.Server(
        f"{name}-server",
        server_type=host.type,
        image=host.image,
        location=host.location,
        firewall_ids=[firewall.id.apply(int)],
        # With a key named here the provider makes no root password and mails none.
        ssh_keys=[key.id for key in operators],
        # Said outright: left out, the provider decides. IPv4 stays, since image registries lack IPv6.
        public_nets=[hcloud.ServerPublicNetArgs(ipv4_enabled=True, ipv6_enabled=True)],
        user_data=data,
        shutdown_before_deletion=True,
        labels=labels,
        # Two servers can't share the volume, and two connectors of one tunnel would share its logins.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )


def _attach(name: str, server: hcloud.Server, volume: hcloud.Volume, opts: pulumi.ResourceOptions) -> None:
    hcloud.VolumeAttachment(
        f"{name}-data-attachment",
        server_id=server.id.apply(int),
        volume_id=volume.id.apply(int),
        # Mounted by the server itself, by id: the provider's own mounting fails once a server is replaced.
        automount=False,
        opts=opts,
    )
