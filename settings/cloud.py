"""Settings of what lies outside the containers: Cloudflare, the server and the people who run it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from settings.image import own_image
from settings.nodes import Location
from settings.values import LABEL, Cidr, ClockTime, Email, HexId, Hostname, Image, Model, Name, SshPublicKey, worded


class Cloudflare(Model):
    """The account and the zone. The API token is not here: it is the secret ``cloudflare:apiToken``."""

    account_id: HexId = Field(description="32 hex digits, on the account's home page.")
    zone_id: HexId = Field(description="32 hex digits, on the zone's overview page.")
    team: str = Field(
        pattern=worded(rf"^{LABEL}$", "write TEAM of TEAM.cloudflareaccess.com alone, in lower case"),
        description="TEAM of TEAM.cloudflareaccess.com: Zero Trust, Settings, Team name.",
    )
    plan: Literal["free", "pro", "business", "enterprise"] = Field(
        "free", description="Decides which edge settings are used: what the plan lacks is left out, not tried."
    )


class Host(Model):
    """The rented server."""

    location: Location = Field("fsn1", description="Hetzner location.")
    type: str = Field(
        "cx33",
        pattern=worded(r"^(cx|cpx|cax|ccx)[0-9]{2}$", "write a server type such as cx33"),
        description="Hetzner server type.",
    )
    image: Literal["debian-12", "debian-13"] = Field("debian-13", description="Operating system.")
    volume_gb: int = Field(20, ge=10, le=10_240, description="Size of the protected data volume in GB.")
    encrypted: bool = Field(
        False,
        description="Encrypt the data volume (LUKS). Decide before the first deployment: it can't be changed.",
    )
    reboot_time: ClockTime = Field("04:00", description="When a security update may restart the server (UTC).")


class Operators(Model):
    """The people who run the stack: the only ones admin routes exist for."""

    ssh_keys: dict[Name, SshPublicKey] = Field(default_factory=dict, description="Name → public key line.")
    networks: tuple[Cidr, ...] = Field((), description="Addresses that admin routes exist for.")
    emails: tuple[Email, ...] = Field((), description="Identities that Cloudflare Access lets in.")

    @model_validator(mode="after")
    def _networks_are_small(self) -> Self:
        for network in self.networks:
            prefix = int(network.rpartition("/")[2])
            if prefix < (32 if ":" in network else 16):
                raise ValueError(f"{network} is not an operator's network but a large part of the internet")
        return self

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        owners: dict[str, str] = {}
        for name, line in self.ssh_keys.items():
            owner = owners.setdefault(line.split()[1], name)
            if owner != name:
                raise ValueError(f"{owner} and {name} have the same ssh_keys entry: Hetzner takes a key only once")
        return self


class Tunnel(Model):
    """The two outbound connections."""

    image: Image = own_image("cloudflared", "Connector in the container network.")
    ssh_host: Hostname | None = Field(None, description="Host name of SSH behind Access; default ssh-STACK.DOMAIN.")
    session: str = Field(
        "8h",
        pattern=worded(r"^[1-9][0-9]*[mh]$", "write minutes or hours such as 30m or 8h"),
        description="How long an Access login lasts.",
    )
    local: Literal["none", "quick"] = Field(
        "none", description="With target local: no tunnel, or a Cloudflare quick tunnel (no account, random name)."
    )


class Edge(Model):
    """Zone-wide protection at Cloudflare. One zone belongs to one stack."""

    manage_zone: bool = Field(True, description="Off where another stack already manages this zone's settings.")
    min_tls: Literal["1.2", "1.3"] = Field("1.2", description="Oldest TLS version that visitors may use.")
    bot_fight: bool = Field(
        True,
        description="Challenges bots, the SSH host apart. Needs a paid plan: on free it could not spare that host. "
        "Off where API clients are no browsers.",
    )
    hotlink_protection: bool = Field(True, description="Refuses images to pages of other sites.")
    requests_per_10s: int = Field(200, ge=1, le=100_000, description="Per visitor address, before the edge blocks it.")
    other_hosts: tuple[Hostname, ...] = Field(
        (), description="Names in this zone that something else serves. With admin hosts, every other name is blocked."
    )
    former_names: tuple[Hostname, ...] = Field(
        (), description="Names, of any zone, that once led to a server of this stack. `make audit` resolves them."
    )
