"""The Docker Engine that everything runs on: the server's, behind the admin tunnel, or this machine's."""

from typing import TypedDict

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components.ssh import host, ready_command, ssh_options

LOCAL = "unix:///var/run/docker.sock"


class Server(TypedDict):
    """A remote Engine: where SSH is found, which key it has, and what identifies this very server."""

    ssh_host: str
    host_key: pulumi.Input[str]
    server_id: pulumi.Input[str]
    connected: list[pulumi.Resource]
    """DNS and Access must be there before the first attempt: a failed look-up is remembered by resolvers."""


class EngineArgs(TypedDict):
    """``server`` is None for this machine's own Engine. ``carrier_image`` is what carriers are made of there."""

    server: Server | None
    carrier_image: str


class Engine(pulumi.ComponentResource):
    """An explicit Docker provider. For a server it comes after a command that waits until Docker answers there."""

    provider: docker.Provider
    carrier_image: pulumi.Output[str]
    """Its id on this Engine: machines of another architecture have another one."""

    def __init__(self, name: str, args: EngineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Engine", name, None, opts)
        server = args["server"]
        child = pulumi.ResourceOptions(parent=self)
        if server is None:
            self.provider = docker.Provider(f"{name}-docker", host=LOCAL, opts=child)
        else:
            self.provider = _remote(name, server, child)
        on_it = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(provider=self.provider))
        image = docker.RemoteImage(f"{name}-carriers", name=args["carrier_image"], keep_locally=True, opts=on_it)
        self.carrier_image = image.image_id
        self.register_outputs({"host": self.provider.host})


def _remote(name: str, server: Server, opts: pulumi.ResourceOptions) -> docker.Provider:
    ssh_host = server["ssh_host"]
    key = pulumi.Output.from_input(server["host_key"])
    ready = command.local.Command(
        f"{name}-ready",
        create=key.apply(lambda line: ready_command(ssh_host, line)),
        # A new server is waited for anew.
        triggers=[server["server_id"]],
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=server["connected"])),
    )
    return docker.Provider(
        f"{name}-docker",
        host=host(ssh_host),
        ssh_opts=key.apply(lambda line: ssh_options(ssh_host, line)),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[ready])),
    )
