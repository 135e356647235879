"""The user's containers, with their credentials."""

from typing import TypedDict

import pulumi
import pulumi_random as random

from components.container import Deployed, deploy
from components.services import standby
from components.services.render import Parts, files, hosts, standby_files, start_order
from components.site import Site
from components.spec import ContainerSpec
from settings.reference import SECRETS, Credential, credentials
from settings.service import Service, Standby
from topology.model import Topology
from topology.names import EGRESS_PORT, PROXY
from topology.nodes import standby_of

PASSWORD_LENGTH = 40
"""Letters and digits only, so that a password fits into a URL and a configuration file as it is: 238 bits."""


class ServicesArgs(TypedDict):
    """``secrets`` are the stack's own by name; ``generated`` names those that the program makes."""

    services: dict[str, Service]
    topology: Topology
    site: Site
    secrets: dict[str, pulumi.Output[str]]
    generated: tuple[str, ...]


class Services(pulumi.ComponentResource):
    """One container for each replica of each service, started after those it uses."""

    containers: dict[str, Deployed]
    """Node name → container."""
    secrets: dict[str, pulumi.Output[str]]
    """The stack's own secrets by name, the generated ones among them."""
    passwords: dict[str, pulumi.Output[str]]
    """Service → the password that its preset has generated."""
    credentials: dict[Credential, pulumi.Output[str]]
    """Every generated password and every secret."""

    def __init__(self, name: str, args: ServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Services", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self.credentials = self._generated()
        self.secrets = {key.name: value for key, value in self.credentials.items() if key.owner == SECRETS}
        self.passwords = {key.owner: value for key, value in self.credentials.items() if key.name == "password"}
        self.containers = {}
        for service in start_order(args["services"]):
            self._deploy(service)
        self.register_outputs({"containers": sorted(self.containers)})

    def _generated(self) -> dict[Credential, pulumi.Output[str]]:
        """Every credential of the stack: those of presets, those to generate, and the stack's own."""
        made = [Credential(SECRETS, name) for name in self._args["generated"]]
        for name, service in sorted(self._args["services"].items()):
            made += [Credential(name, credential) for credential in credentials(service)]
        own = {Credential(SECRETS, name): value for name, value in self._args["secrets"].items()}
        return own | {credential: self._password(credential) for credential in made}

    def _password(self, credential: Credential) -> pulumi.Output[str]:
        password = random.RandomPassword(
            f"{credential.owner}-{credential.name}", length=PASSWORD_LENGTH, special=False, opts=self._child
        )
        return pulumi.Output.secret(password.result)

    def _deploy(self, name: str) -> None:
        args = self._args
        service = args["services"][name]
        topology = args["topology"]
        uses = [(use, args["services"][use]) for use in service.uses]
        used = [self.containers[node] for use, found in uses for node in topology.instances(use, found)]
        texts = self._texts(files(name, args["services"]))
        if service.standby:
            used.append(self._follow(name, service.standby))
        opts = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=used))
        for node in topology.instances(name, service):
            spec = _spec(node, name, args, texts)
            if service.standby:
                spec = standby.leader(spec, service, service.standby)
            self.containers[node] = deploy(spec, args["site"], opts)

    def _follow(self, name: str, given: Standby) -> Deployed:
        """The standby of a database. It comes first: in a promotion it has to leave the volume that is to lead."""
        args = self._args
        texts = self._texts(standby_files(name, args["services"]))
        spec = standby.follower(_spec(standby_of(name), name, args, texts), args["services"][name], given)
        return deploy(spec, args["site"], self._child)

    def _texts(self, found: dict[str, Parts]) -> dict[str, str | pulumi.Output[str]]:
        return {path: self._text(parts) for path, parts in found.items()}

    def _text(self, parts: Parts) -> str | pulumi.Output[str]:
        """A plain text where no secret takes part, so that its content is known at preview."""
        if all(isinstance(part, str) for part in parts):
            return "".join(str(part) for part in parts)
        resolved = [part if isinstance(part, str) else self.credentials[part] for part in parts]
        return pulumi.Output.secret(pulumi.Output.concat(*resolved))


def _spec(node: str, name: str, args: ServicesArgs, texts: dict[str, str | pulumi.Output[str]]) -> ContainerSpec:
    service, topology = args["services"][name], args["topology"]
    return ContainerSpec(
        node=node,
        role="service",
        image=service.image,
        networks=topology.nodes[node].addresses,
        user=service.user,
        root_reason=service.root_reason,
        entrypoint=service.entrypoint,
        command=service.command,
        env=_environment(service),
        files=texts,
        volumes=service.volumes,
        tmpfs=service.tmpfs,
        healthcheck=service.healthcheck,
        limits=service.limits,
        aliases=(name,),
        hosts=hosts(node, args["services"], topology),
        replicas=service.replicas,
        machine=service.node or "",
        placement=service.placement,
    )


def _environment(service: Service) -> dict[str, str]:
    """A service that may call out finds the proxy where most HTTP clients look for it. Its own value comes first."""
    way_out = {"HTTPS_PROXY": f"http://{PROXY}:{EGRESS_PORT}"} if service.egress else {}
    return {**way_out, **service.env}
