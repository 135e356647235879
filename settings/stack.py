"""The whole stack file as one value."""

from typing import Literal

from pydantic import Field, SecretStr

from settings.backup import Backup
from settings.carrier import Carrier
from settings.cloud import Cloudflare, Edge, Host, Operators, Tunnel
from settings.egress import Egress
from settings.gateway import Gateway
from settings.intrusion import Intrusion
from settings.monitoring import Monitoring
from settings.nodes import Machine, NodeGroup, Swarm, machines
from settings.resolver import Resolver
from settings.service import Service
from settings.signer import ImagePrefix, Signer
from settings.values import Hostname, LinkSubnet, Model, Name, Pool, SecretName


class Network(Model):
    """Address space of the private networks."""

    pool: Pool = Field("10.128.0.0/9", description="Every private network is cut from it.")
    subnets: dict[str, LinkSubnet] = Field(
        default_factory=dict, description="client>server → its /29. Needed only where two links fall on one subnet."
    )


class Settings(Model):
    """Everything that a stack file decides."""

    target: Literal["cloud", "local"] = Field("cloud", description="local: this machine's Docker Engine, no account.")
    domain: Hostname = Field(description="The Cloudflare zone; every route's host lies in it.")
    cloudflare: Cloudflare | None = None
    host: Host | None = None
    operators: Operators = Operators()
    tunnel: Tunnel = Tunnel()
    edge: Edge = Edge()
    network: Network = Network()
    gateway: Gateway = Gateway()
    intrusion: Intrusion = Intrusion()
    resolver: Resolver = Resolver()
    egress: Egress = Egress()
    carrier: Carrier = Carrier()
    backup: Backup | None = Field(None, description="Encrypted backups. Without this key there are none.")
    monitoring: Monitoring = Monitoring()
    nodes: dict[Name, NodeGroup] = Field(
        default_factory=dict,
        description="Machines of a Docker Swarm. Without this key there is one server, and no Swarm.",
    )
    swarm: Swarm = Swarm()
    services: dict[Name, Service] = Field(min_length=1)
    signers: dict[ImagePrefix, Signer] = Field(
        default_factory=dict,
        description="Image name, or a prefix that ends in / → who signs it. `make verify-images` asks for it.",
    )
    secrets: dict[SecretName, SecretStr] = Field(
        default_factory=dict, description="Set by: pulumi config set --secret --path 'zero-exposure:secrets.NAME'"
    )
    generated: tuple[SecretName, ...] = Field((), description="Secrets that the program generates: ${secrets.NAME}.")

    @property
    def is_tunnelled(self) -> bool:
        """Whether a connector runs. With target local the gateway may answer this machine alone."""
        return self.target == "cloud" or self.tunnel.local == "quick"

    @property
    def is_swarm(self) -> bool:
        """Whether services run on several machines."""
        return bool(self.nodes)

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The machines of the Swarm, managers first; none where there is one server."""
        if self.host is None:
            return ()
        return machines(self.nodes, self.swarm.network, self.host.type, self.host.location)

    @property
    def through(self) -> Machine:
        """The manager that deployments go through. Raises ``LookupError`` where there is none."""
        wanted = self.swarm.through or self.machines[0].name
        return next(machine for machine in self.machines if machine.name == wanted)
