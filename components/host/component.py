"""The rented server: invisible from its first second."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import NotRequired, TypedDict

import pulumi
import pulumi_hcloud as hcloud
import pulumi_tls as tls

from components.host.render import OUTBOUND_TCP, OUTBOUND_UDP, Member, Values, user_data
from components.underlay import WIREGUARD_PORT
from settings import cloud
from settings.nodes import Machine

EVERYWHERE = ["0.0.0.0/0", "::/0"]


@dataclass(frozen=True)
class Place:
    """Where a machine of a Swarm stands, and what it shares with the others. ``turn`` is its place in the row, in which
    machines are made, replaced and restarted: one after another, each ``after`` the one before has joined. It is on a
    ``subnet``, or has an ``address`` of its own and WireGuard in ``network``."""

    machine: Machine
    turn: int
    firewall: hcloud.Firewall
    operators: list[hcloud.SshKey]
    subnet: hcloud.NetworkSubnet | None
    address: hcloud.PrimaryIp | None
    network: str
    group: hcloud.PlacementGroup
    after: list[pulumi.Resource]


class HostArgs(TypedDict):
    """``pool`` is the CIDR of the private networks; ``admin_token`` the admin tunnel's secret token.

    With a ``volume_key`` the data volume is encrypted. It must never change: protect whatever generates it. With a
    ``place`` the server is one of several.
    """

    stack: str
    host: cloud.Host
    operators: cloud.Operators
    pool: str
    admin_token: pulumi.Input[str]
    volume_key: NotRequired[pulumi.Input[str]]
    place: NotRequired[Place]


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
    joined: list[pulumi.Resource]
    """What must be there before other machines are reached; nothing where there is one server."""

    def __init__(self, name: str, args: HostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Host", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = {"zero-exposure": args["stack"]}
        key = tls.PrivateKey(f"{name}-key", algorithm="ED25519", opts=child)
        place = args.get("place")
        wall = place.firewall if place else firewall(name, labels, child)
        volume = _volume(name, args, labels, child)
        keys = place.operators if place else operator_keys(name, args["operators"], labels, child)
        data = _user_data(args, key, volume)
        server = _server(name, args, wall, keys, data, labels, child)
        _attach(name, server, volume, child)
        subnet = place.subnet if place else None
        self.joined = [_join_network(name, server, place.machine, subnet, child)] if place and subnet else []
        self.host_key = key.public_key_openssh.apply(str.strip)
        self.ipv4, self.ipv6 = server.ipv4_address, server.ipv6_address
        self.server_id, self.firewall_id, self.volume_id = server.id, wall.id, volume.id
        self.register_outputs({"host_key": self.host_key, "server_id": self.server_id, "volume_id": self.volume_id})


def firewall(
    name: str, labels: dict[str, str], opts: pulumi.ResourceOptions, peers: Sequence[pulumi.Output[str]] = ()
) -> hcloud.Firewall:
    """No inbound rule, ever: the provider keeps old rules in force when the last one is taken away.

    WireGuard may call ``peers``, and nobody else. Since all of them call, and the firewall is stateful, what they send
    comes in as answers. https://docs.hetzner.com/cloud/firewalls/faq
    """
    ports = [("tcp", port) for port in OUTBOUND_TCP] + [("udp", port) for port in OUTBOUND_UDP]
    rules = [
        hcloud.FirewallRuleArgs(direction="out", protocol=protocol, port=str(port), destination_ips=EVERYWHERE)
        for protocol, port in ports
    ]
    if peers:
        rules.append(
            hcloud.FirewallRuleArgs(
                direction="out",
                protocol="udp",
                port=str(WIREGUARD_PORT),
                destination_ips=[pulumi.Output.concat(address, "/32") for address in peers],
            )
        )
    return hcloud.Firewall(f"{name}-firewall", rules=rules, labels=labels, opts=opts)


def _location(args: HostArgs) -> str:
    place = args.get("place")
    return place.machine.location if place else args["host"].location


def _volume(name: str, args: HostArgs, labels: dict[str, str], opts: pulumi.ResourceOptions) -> hcloud.Volume:
    """It says itself whether it is encrypted: nobody can change that on a disk with data, so a change of it is that of
    the whole protected volume, and refused before the server is touched."""
    kept = pulumi.ResourceOptions(protect=True, replace_on_changes=["labels.encrypted"])
    return hcloud.Volume(
        f"{name}-data",
        size=args["host"].volume_gb,
        location=_location(args),
        delete_protection=True,
        labels=labels | ({"encrypted": "luks"} if "volume_key" in args else {}),
        opts=pulumi.ResourceOptions.merge(opts, kept),
    )


def operator_keys(
    name: str, operators: cloud.Operators, labels: dict[str, str], opts: pulumi.ResourceOptions
) -> list[hcloud.SshKey]:
    """The provider takes each key once, so machines share them."""
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
            Values(
                image=host.image,
                reboot_time=host.reboot_time,
                authorized_keys=keys,
                pool=args["pool"],
                member=_member(args),
                **known,
            )
        )
    )
    return pulumi.Output.secret(rendered)


def _member(args: HostArgs) -> Member | None:
    place = args.get("place")
    if place is None:
        return None
    prefix = IPv4Network(place.network).prefixlen if place.address else None
    return Member(place.machine.name, str(place.machine.address), place.turn, prefix)


def _server(
    name: str,
    args: HostArgs,
    wall: hcloud.Firewall,
    keys: list[hcloud.SshKey],
    data: pulumi.Output[str],
    labels: dict[str, str],
    opts: pulumi.ResourceOptions,
) -> hcloud.Server:
    place = args.get("place")
    return hcloud.Server(
        f"{name}-server",
        server_type=place.machine.type if place else args["host"].type,
        image=args["host"].image,
        location=_location(args),
        firewall_ids=[wall.id.apply(int)],
        # With a key named here the provider makes no root password and mails none.
        ssh_keys=[key.id for key in keys],
        # Said outright: left out, the provider decides. IPv4 stays, since image registries lack IPv6.
        public_nets=[_public_net(place)],
        user_data=data,
        placement_group_id=place.group.id.apply(int) if place else None,
        shutdown_before_deletion=True,
        labels=labels,
        # Two servers can't share the volume, and two connectors of one tunnel would share its logins.
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(delete_before_replace=True, depends_on=place.after if place else None)
        ),
    )


def _public_net(place: Place | None) -> hcloud.ServerPublicNetArgs:
    kept = place.address if place else None
    return hcloud.ServerPublicNetArgs(ipv4_enabled=True, ipv4=kept.id.apply(int) if kept else None, ipv6_enabled=True)


def _join_network(
    name: str, server: hcloud.Server, machine: Machine, subnet: hcloud.NetworkSubnet, opts: pulumi.ResourceOptions
) -> hcloud.ServerNetwork:
    return hcloud.ServerNetwork(
        f"{name}-network",
        server_id=server.id.apply(int),
        subnet_id=subnet.id,
        ip=str(machine.address),
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
