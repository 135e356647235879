"""The commands that make machines one Swarm. Pure.

They run on the machine of whoever deploys, and reach each server by its own admin tunnel. What they call there is
usr/local/lib/zero-exposure/swarm. Tokens and keys go from one server to the other through a pipe: they are in no
argument, no environment and no state.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from components.ssh import shell
from settings.nodes import Machine

TOOL, MESH_TOOL = "sudo /usr/local/lib/zero-exposure/swarm", "sudo /usr/local/lib/zero-exposure/mesh"
OWN_POOL = 512
"""Where in the pool Swarm's own networks begin: behind egress and ingress, before the first link. A /23."""
MACHINE_LABEL, GROUP_LABEL, LOCATION_LABEL = (f"zero-exposure.{key}" for key in ("machine", "group", "location"))
OWN_LABEL = "zero-exposure.label."
"""What comes before the stack file's own labels, so that none can stand for a machine."""


@dataclass(frozen=True)
class Reached:
    """A machine with what SSH needs to reach it."""

    machine: Machine
    ssh_host: str
    host_key: str

    def call(self, *arguments: str) -> str:
        """A shell command that runs the tool there."""
        return shell(self.ssh_host, self.host_key, f"{TOOL} {shlex.join(arguments)}")

    def mesh(self, *arguments: str) -> str:
        """The same with the tool for WireGuard."""
        return shell(self.ssh_host, self.host_key, f"{MESH_TOOL} {shlex.join(arguments)}")


def found(first: Reached, members: list[str], pool: str, autolock: bool, is_mesh: bool = False) -> str:
    """Commands that make a machine the first of the Swarm. They print the key that unlocks it, or nothing.

    A machine that was replaced has its Swarm still, on the volume, and needs the key: it was printed the last time.
    With ``is_mesh`` the environment has ``ENDPOINTS``: address and public address of each machine, a line each.
    """
    own = IPv4Network((int(IPv4Network(pool).network_address) + OWN_POOL, 23))
    lines = [
        first.call("members", *members),
        *([_endpoints(first)] * is_mesh),
        f"printf '%s\\n' \"${{PULUMI_COMMAND_STDOUT:-}}\" | {first.call('keep-key')}",
        first.call("init", str(first.machine.address), str(own), "true" if autolock else "false"),
        f"{first.call('show-key')} | {first.call('keep-key')}",
        _label(first, first),
        first.call("show-key"),
    ]
    return _script(lines)


def join(newcomer: Reached, manager: Reached, members: list[str], peers: Sequence[Reached] = ()) -> str:
    """Commands that make a machine a member, with the help of a manager. What is done already is left alone.

    ``peers``: in several zones, all that have joined before; the environment has ``ENDPOINTS`` then.
    """
    lines = [
        newcomer.call("members", *members),
        *(_meet(newcomer, peers) if peers else ()),
        # A manager that was replaced is locked before it is a member again.
        *([f"{manager.call('show-key')} | {newcomer.call('keep-key')}"] * newcomer.machine.is_manager),
        f"{manager.call('token', newcomer.machine.role)} | "
        + newcomer.call("join", str(newcomer.machine.address), str(manager.machine.address)),
        *([f"{manager.call('show-key')} | {newcomer.call('keep-key')}"] * newcomer.machine.is_manager),
        _label(newcomer, manager),
    ]
    return _script(lines)


def _endpoints(machine: Reached) -> str:
    return f"printf '%s\\n' \"$ENDPOINTS\" | {machine.mesh('members')}"


def _meet(newcomer: Reached, peers: Sequence[Reached]) -> Iterator[str]:
    """Each of two machines is told the other's public key, which is read from where it was made."""
    yield _endpoints(newcomer)
    yield f"own=$(: | {newcomer.mesh('peers')})"
    for number, peer in enumerate(peers):
        yield f'key_{number}=$(echo "{newcomer.machine.address} $own" | {peer.mesh("peers")})'
    told = " ".join(f'"{peer.machine.address} $key_{number}"' for number, peer in enumerate(peers))
    yield f"printf '%s\\n' {told} | {newcomer.mesh('peers')} >/dev/null"
    yield newcomer.mesh("reach", *(str(peer.machine.address) for peer in peers))


def dismiss(leaving: Reached, manager: Reached | None) -> str:
    """Commands that take a machine out. A machine that does not answer is taken out all the same."""
    lines = [*([manager.call("dismiss", leaving.machine.name)] if manager else []), leaving.call("leave")]
    return "\n".join(f"{line} || true" for line in lines)


def rotate(manager: Reached) -> str:
    """Commands after which no token that was used is worth anything."""
    return _script([manager.call("rotate")])


def labels(machine: Machine) -> list[str]:
    """Labels of a machine as ``KEY=VALUE``, its name first."""
    own = {MACHINE_LABEL: machine.name, GROUP_LABEL: machine.group, LOCATION_LABEL: machine.location}
    return [f"{key}={value}" for key, value in own.items()] + [
        f"{OWN_LABEL}{key}={value}" for key, value in sorted(machine.labels.items())
    ]


def _label(machine: Reached, manager: Reached) -> str:
    return f"{machine.call('identity')} | {manager.call('label', *labels(machine.machine))}"


def _script(lines: list[str]) -> str:
    return "\n".join(["set -eu", *lines])
