"""One Swarm of many machines: each joins over its own admin tunnel, and no port is opened for it."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components.cluster.render import Reached, dismiss, found, join, rotate
from components.ssh import host, ssh_options
from settings.nodes import Machine


class Login(TypedDict):
    """How a machine is reached: its name for SSH, and the host key that the program made."""

    machine: Machine
    ssh_host: str
    host_key: pulumi.Input[str]


class Mesh(TypedDict):
    """What machines in several zones reach each other by. ``endpoints``: of all, address → public address. ``peers``:
    those that have joined before, with the servers that they are now: each tells the newcomer its key, and is told its.
    """

    endpoints: dict[str, pulumi.Input[str]]
    peers: list[Login]
    server_ids: list[pulumi.Input[str]]


class MemberArgs(TypedDict):
    """``manager`` takes the machine in; None for the one that founds the Swarm. ``server_id`` is the server that the
    machine is now; ``ready`` is what must be there before it is called. ``members`` are the addresses of all machines.
    """

    own: Login
    manager: Login | None
    server_id: pulumi.Input[str]
    members: list[str]
    pool: str
    autolock: bool
    ready: list[pulumi.Resource]
    mesh: NotRequired[Mesh]


class Member(pulumi.ComponentResource):
    """A machine's place in the Swarm. It is called again when its server is replaced, and dismissed when it goes."""

    joined: command.local.Command
    unlock_key: pulumi.Output[str]
    """Secret, of the founder alone: opens a manager that was restarted. Empty without autolock."""

    def __init__(self, name: str, args: MemberArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Member", name, None, opts)
        manager = args["manager"]
        peers = [peer["host_key"] for peer in args["mesh"]["peers"]] if "mesh" in args else []
        keys = pulumi.Output.all(args["own"]["host_key"], manager["host_key"] if manager else "", *peers)
        self.joined = command.local.Command(
            f"{name}-joined",
            create=keys.apply(lambda known: _create(args, *known)),
            delete=keys.apply(lambda known: _delete(args, *known[:2])),
            # A change of it calls the command again; triggers would dismiss the machine first.
            environment={"SERVER": pulumi.Output.from_input(args["server_id"]), **_mesh_environment(args)},
            logging=command.local.Logging.NONE,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=args["ready"], additional_secret_outputs=["stdout", "stderr"]
            ),
        )
        self.unlock_key = pulumi.Output.secret(self.joined.stdout)
        self.register_outputs({"machine": args["own"]["machine"].name})


def _mesh_environment(args: MemberArgs) -> dict[str, pulumi.Output[str]]:
    """What the commands are told beside their text, and whose change calls them again: a peer may have another key."""
    if "mesh" not in args:
        return {}
    endpoints, servers = args["mesh"]["endpoints"], args["mesh"]["server_ids"]
    lines = [pulumi.Output.concat(address, " ", public) for address, public in endpoints.items()]
    told = {"ENDPOINTS": pulumi.Output.all(*lines).apply("\n".join)}
    return told | ({"PEERS": pulumi.Output.all(*servers).apply(" ".join)} if servers else {})


def _create(args: MemberArgs, own_key: str, manager_key: str, *peer_keys: str) -> str:
    own, manager = _reached(args["own"], own_key), args["manager"]
    if manager is None:
        return found(own, args["members"], args["pool"], args["autolock"], "mesh" in args)
    logins = args["mesh"]["peers"] if "mesh" in args else []
    peers = [_reached(login, key) for login, key in zip(logins, peer_keys, strict=True)]
    return join(own, _reached(manager, manager_key), args["members"], peers)


def _delete(args: MemberArgs, own_key: str, manager_key: str) -> str:
    manager = args["manager"]
    return dismiss(_reached(args["own"], own_key), _reached(manager, manager_key) if manager else None)


def _reached(login: Login, host_key: str) -> Reached:
    return Reached(login["machine"], login["ssh_host"], host_key)


class SwarmArgs(TypedDict):
    """``through`` is the manager that deployments go through; ``members`` are all machines that have joined, with the
    servers that they are now."""

    through: Login
    members: list[pulumi.Resource]
    server_ids: list[pulumi.Input[str]]


class Swarm(pulumi.ComponentResource):
    """The whole: its Docker provider comes after every machine has joined and the tokens that they used are void."""

    provider: docker.Provider

    def __init__(self, name: str, args: SwarmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Swarm", name, None, opts)
        child, through = pulumi.ResourceOptions(parent=self), args["through"]
        key = pulumi.Output.from_input(through["host_key"])
        rotated = command.local.Command(
            f"{name}-tokens-rotated",
            create=key.apply(lambda known: rotate(_reached(through, known))),
            triggers=[*args["server_ids"]],
            logging=command.local.Logging.NONE,
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=args["members"])),
        )
        self.provider = docker.Provider(
            f"{name}-docker",
            host=host(through["ssh_host"]),
            ssh_opts=key.apply(lambda known: ssh_options(through["ssh_host"], known)),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[rotated])),
        )
        self.register_outputs({"host": self.provider.host, "through": through["machine"].name})
