"""Containers and networks on the Engine, held against the plan."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ops.audit.checks import services
from ops.audit.engine import Engine
from ops.audit.live import Live, label, name_of, nodes, service_of
from ops.audit.result import Check, NotApplicableError, Result, judged
from topology.model import ANY, Topology
from topology.names import RESOLVER

Container = Mapping[str, Any]
Titles = Callable[[Container], str]
"""What a container is called in the plan: STACK-NODE."""
GAINS = "may gain privileges"
EMPTY = ("bridge", "host", "none")
"""Docker's own networks, which nobody is on."""
BRIDGE_OUT = "docker_gwbridge"
"""On each machine of a Swarm: the way out of networks that are not internal."""
CONNECTOR = "cloudflared"


def judge_published(containers: Sequence[Container], of_services: Sequence[str] = ()) -> Result:
    """No container takes connections on the server's own addresses. ``of_services``: what a Swarm publishes."""
    problems = [f"{name_of(each)}: {problem}" for each in containers for problem in _published(each)]
    problems += of_services
    return judged(f"{len(containers)} containers on the Engine", problems, len(problems))


def _published(container: Container) -> Iterator[str]:
    host = container["HostConfig"]
    # What was asked for, and what came of it: a port of an image may be published at random.
    ports = {**(host.get("PortBindings") or {}), **(container["NetworkSettings"].get("Ports") or {})}
    yield from (f"publishes {port}" for port, bindings in sorted(ports.items()) if bindings)
    if host.get("PublishAllPorts"):
        yield "publishes whatever its image exposes"
    if host.get("NetworkMode") == "host":
        yield "is on the host's network"


def judge_isolation(containers: Sequence[Container], sealed: frozenset[str] = frozenset()) -> Result:
    """Each is closed everywhere that the program does not open. A carrier never runs; the rest of it counts.
    ``sealed``: ids of those whose processes the kernel itself says can gain no privileges."""
    problems = [f"{name_of(each)}: {problem}" for each in containers for problem in isolation(each, sealed)]
    return judged(f"{len(containers)} containers looked at", problems)


def isolation(container: Container, sealed: frozenset[str] = frozenset()) -> Iterator[str]:
    """What is open in a container. Swarm has no word for new privileges, so its tasks are looked at by the kernel's."""
    unnamed = container.get("Id") in sealed
    yield from (found for found in _isolation(container) if not (found == GAINS and unnamed))


def _isolation(container: Container) -> Iterator[str]:
    if label(container, "role") == "carrier" and not container["State"]["Running"]:
        yield from _openings(container["HostConfig"])
        return
    host, config = container["HostConfig"], container["Config"]
    user = str(config.get("User") or "").partition(":")[0]
    if user in ("", "0", "root") and not label(container, "root-reason"):
        yield "runs as root"
    if not host.get("ReadonlyRootfs"):
        yield "has a writable root file system"
    yield from _openings(host)
    yield from _mounts(container.get("Mounts") or [])


def _openings(host: Mapping[str, Any]) -> Iterator[str]:
    if host.get("Privileged"):
        yield "is privileged"
    if host.get("CapAdd"):
        yield f"has capabilities: {', '.join(host['CapAdd'])}"
    if "ALL" not in (host.get("CapDrop") or []):
        yield "does not drop all capabilities"
    security = host.get("SecurityOpt") or []
    if not {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"} & set(security):
        yield GAINS
    yield from (f"runs with {option}" for option in security if "unconfined" in option or option == "label=disable")
    # Not of control groups: with their first version the Engine knows no other mode.
    shared = [key for key in ("PidMode", "IpcMode", "UTSMode", "UsernsMode") if host.get(key) == "host"]
    yield from (f"shares the host's {key.removesuffix('Mode')}" for key in shared)
    if host.get("Devices"):
        yield "has devices of the host"


def _mounts(mounts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from (f"mounts {mount.get('Source')} of the host" for mount in mounts if mount.get("Type") == "bind")


def judge_connectors(connectors: Sequence[Container], sealed: frozenset[str] = frozenset()) -> Result:
    """The connector is as closed as any other, and has no reason to be root."""
    problems = [f"{name_of(each)}: {problem}" for each in connectors for problem in isolation(each, sealed)]
    problems += [f"{name_of(each)}: a connector can't have a reason to be root" for each in connectors
                 if label(each, "root-reason")]  # fmt: skip
    users = ", ".join(f"{name_of(each)} as {each['Config'].get('User') or 'root'}" for each in connectors)
    return judged(f"{users}, read-only, without capabilities" if not problems else users, problems)


def _connectors(live: Live) -> Result:
    declared = [found.name for _, found in nodes(live)] + [found.name for found in live.planned_services.values()]
    if CONNECTOR not in declared:
        raise NotApplicableError("no connector in this stack")
    return judge_connectors([found for _, found in live.running(CONNECTOR)], _sealed(live))


def _sealed(live: Live) -> frozenset[str]:
    """Ids of tasks whose first process can gain no privileges, as the kernel of each machine says."""
    found = set[str]()
    for machine, containers in live.on_machines.items():
        tasks = {str(each["State"]["Pid"]): str(each["Id"]) for each in containers
                 if service_of(each) and each["State"]["Running"]}  # fmt: skip
        if live.topology.cluster and tasks:
            found |= {tasks[pid] for pid in _without_new_privileges(live.by_machine[machine], tuple(tasks))}
    return frozenset(found)


def _without_new_privileges(engine: Engine, pids: tuple[str, ...]) -> Iterator[str]:
    """A process that has just ended has no file: grep then says so, and tells of all others."""
    done = engine.machine.run("grep", "-H", "NoNewPrivs", *(f"/proc/{pid}/status" for pid in pids))
    for line in done.stdout.decode().splitlines():
        path, _, value = line.partition(":NoNewPrivs:")
        if value.strip() == "1":
            yield path.split("/")[2]


def judge_networks(
    networks: Sequence[Mapping[str, Any]],
    containers: Sequence[Container],
    topology: Topology,
    stack: str,
    titled: Titles = name_of,
) -> Result:
    """Networks, their subnets and who is on them at which address are the plan's, and there is no other network."""
    own = (*EMPTY, BRIDGE_OUT) if topology.cluster else EMPTY
    found = {str(network["Name"]): network for network in networks if network["Name"] not in own}
    planned = {f"{stack}-{network.name}": network for network in topology.networks}
    problems = [f"network {name} is not in the plan" for name in found if name not in planned]
    problems += [f"network {name} is missing" for name in planned if name not in found]
    for name in planned.keys() & found.keys():
        plan, live = planned[name], found[name]
        subnets = [config.get("Subnet") for config in (live.get("IPAM") or {}).get("Config") or []]
        if subnets != [str(plan.subnet)]:
            problems.append(f"network {name} has subnet {subnets}, not {plan.subnet}")
        if bool(live.get("Internal")) != plan.internal:
            problems.append(f"network {name} {'has a' if plan.internal else 'has no'} way out, against the plan")
        if topology.cluster and "encrypted" not in (live.get("Options") or {}):
            problems.append(f"network {name} is not encrypted between machines")
    problems += list(_members(containers, topology, stack, titled))
    return judged(f"{len(found)} networks, {len(planned)} planned; {len(containers)} containers on them", problems)


def _members(containers: Sequence[Container], topology: Topology, stack: str, titled: Titles) -> Iterator[str]:
    """Addresses that Swarm gives are not the plan's."""
    planned = {
        (f"{stack}-{network.name}", f"{stack}-{node}"): str(address)
        for network in topology.networks
        for node, address in network.members.items()
    }
    found = {
        (network, titled(container)): str(joined.get("IPAddress", ""))
        for container in containers
        if container["State"]["Running"]
        for network, joined in container["NetworkSettings"]["Networks"].items()
        if network != "none"
    }
    for key in sorted(found.keys() - planned.keys()):
        yield f"{key[1]} is on network {key[0]}, against the plan"
    for key in sorted(planned.keys() & found.keys()):
        if planned[key] not in (str(ANY), found[key]):
            yield f"{key[1]} has {found[key]} on network {key[0]}, not {planned[key]}"


def _networks(live: Live) -> Result:
    return judge_networks(live.networks, live.containers, live.topology, live.stack, live.title)


def judge_one_gateway(containers: Sequence[Container], stack: str, titled: Titles = name_of) -> Result:
    """Only the gateway is on the ingress network and on services' networks. The connector's other network leads out."""
    ingress, egress = f"{stack}-ingress", f"{stack}-egress"
    between = []
    for container in containers:
        joined = set(container["NetworkSettings"]["Networks"])
        watched = {network for network in joined if network.startswith(f"{stack}-link-prometheus-")}
        if ingress in joined and joined - {ingress, egress} - watched:
            between.append(titled(container))
    problems = [f"{name} is on ingress and on other networks" for name in between if name != f"{stack}-gateway"]
    if f"{stack}-gateway" not in between:
        problems.append("the gateway is not between ingress and services")
    return judged(f"on ingress and services' networks: {', '.join(between) or 'none'}", problems)


def _one_gateway(live: Live) -> Result:
    return judge_one_gateway([each for each in live.containers if each["State"]["Running"]], live.stack, live.title)


def judge_resolver(containers: Sequence[Container], resolvers: Sequence[str], own: Sequence[str]) -> Result:
    """Every container asks the internal resolvers alone. ``own``: the resolvers' containers, which ask themselves."""
    asked = {name_of(each): list(each["HostConfig"].get("Dns") or []) for each in containers}
    problems = [
        f"{name} asks {', '.join(servers) or 'whom the host asks'}"
        for name, servers in sorted(asked.items())
        if servers != (["127.0.0.1"] if name in own else list(resolvers))
    ]
    states = {name_of(each): each["State"].get("Health") or {} for each in containers}
    health = {name: str(states.get(name, {}).get("Status", "not running")) for name in own}
    problems += [f"{name} is {status}" for name, status in health.items() if status not in ("healthy", "starting")]
    seen = f"{len(asked)} containers, resolver {', '.join(resolvers)} is {', '.join(dict.fromkeys(health.values()))}"
    if "starting" in health.values() and not problems:
        return Result("not measured", (seen, "try again in a minute"))
    return judged(seen, problems)


def _resolver(live: Live) -> Result:
    running = [each for each in live.containers if each["State"]["Running"]]
    nodes = live.topology.cluster.resolvers if live.topology.cluster else (RESOLVER,)
    addresses = [str(address) for address in live.topology.resolvers]
    return judge_resolver(running, addresses, [f"{live.stack}-{node}" for node in nodes])


def _published_live(live: Live) -> Result:
    swarm = live.topology.cluster is not None
    return judge_published(live.containers, list(services.published(live.services)) if swarm else [])


def _isolation_live(live: Live) -> Result:
    return judge_isolation(live.containers, _sealed(live))


CHECKS = (
    Check(
        "published-ports",
        (1,),
        "No container publishes a port or is on the host's network.",
        "containers",
        "Remove the container that somebody started by hand; `pulumi up` makes the others anew.",
        _published_live,
    ),
    Check(
        "connector",
        (2,),
        "The connector runs as a user of its own, read-only, without capabilities.",
        "tunnel",
        "Remove the container and run `pulumi up`.",
        _connectors,
    ),
    Check(
        "one-gateway",
        (3,),
        "The gateway is the only container on the ingress network and on services' networks.",
        "gateway",
        "Take the other container off the network: `docker network disconnect`.",
        _one_gateway,
    ),
    Check(
        "networks",
        (4,),
        "Networks and who is on them, at which address, are the plan's.",
        "lateral-movement",
        "Remove networks and members that somebody made by hand; `pulumi up` makes missing ones.",
        _networks,
    ),
    Check(
        "isolation",
        (4, 9),
        "Every container is non-root, read-only, without capabilities, privileges, devices or folders of the host.",
        "containers",
        "Remove the container; `pulumi up` makes those of the program anew.",
        _isolation_live,
    ),
    Check(
        "resolver",
        (8,),
        "Every container asks the internal resolver for names, and it answers.",
        "exfiltration",
        "Remove the container and run `pulumi up`; for the resolver itself see docs/names.md.",
        _resolver,
    ),
)
