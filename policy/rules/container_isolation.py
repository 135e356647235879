"""Docker containers: what ties one to the host. Every setting has a short list of values that are known to be safe."""

import re
from collections.abc import Iterator
from typing import Final

from .model import UNKNOWN, Resource, Rule
from .reading import View, stated_reason
from .tokens import CONTAINER

ROOT_REASON: Final = "zero-exposure.root-reason"
HOST_NETWORKS: Final = {"host", "ingress", "bridge", "docker_gwbridge", "none", "default"}
NETWORK_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*")
"""Without a colon: container:NAME is another container's network."""
SAFE_OPTIONS: Final = {"no-new-privileges", "no-new-privileges:true"}
SAFE_MODES: Final = {
    "pidMode": {""},
    "ipcMode": {"", "private", "none"},
    "usernsMode": {""},
    "cgroupnsMode": {"", "private"},
    "cgroupParent": {""},
    "runtime": {"", "runc", "runsc", "kata"},
}
HOST_ACCESS: Final = ("devices", "deviceRequests", "deviceCgroupRules", "gpus", "storageOpts")
SAFE_SYSCTLS: Final = {"net.ipv4.ip_unprivileged_port_start", "net.core.somaxconn"}
ZERO: Final = re.compile(r"[+-]?0+")
"""Root as the Engine reads a number: with a sign too."""
HOST_GROUPS: Final = {"root", "docker", "sudo", "wheel", "disk", "adm", "shadow", "kvm"}
START_CAPABILITIES: Final = {"CHOWN", "SETUID", "SETGID", "DAC_OVERRIDE", "FOWNER"}
"""What an image needs that starts as root to prepare its data and then steps down."""


def network_mode(resource: Resource) -> Iterator[str]:
    container = View(resource.props)
    mode = container.text("networkMode")
    networks = container.views("networksAdvanced")
    names = {network.props.get("name") for network in networks} - {UNKNOWN}
    for network in networks:
        if network.props.get("name") is not UNKNOWN and not is_declared(network.text("name")):
            yield f"{network.at('name')}: a network of the host or of another container"
    if mode not in {"", "none", "bridge"} | {name for name in names if is_declared(str(name))}:
        yield "networkMode: only none, bridge or one of the container's own networks"
    if mode != "none" and not networks:
        yield "networksAdvanced: empty, so the container is on the default bridge, with a way out"


def is_declared(name: str) -> bool:
    """True for a name that somebody can have given to a network: Docker's own have theirs already."""
    return name not in HOST_NETWORKS and bool(NETWORK_NAME.fullmatch(name))


def no_host_namespaces(resource: Resource) -> Iterator[str]:
    container = View(resource.props)
    if container.flag("privileged"):
        yield "privileged: the container is root on the host"
    for key, safe in SAFE_MODES.items():
        if container.text(key) not in safe:
            yield f"{key}: shared with the host or with another container"
    for key in HOST_ACCESS:
        if container.given(key):
            yield f"{key}: reaches the host's devices or storage"
    yield from _no_host_names(container)


def _no_host_names(container: View) -> Iterator[str]:
    """What only has to be named to reach the host: kernel settings, its address, its groups."""
    for name in container.view("sysctls").props:
        if name not in SAFE_SYSCTLS:
            yield "sysctls: a kernel setting outside the short list"
    for host in container.views("hosts"):
        if host.text("ip") == "host-gateway":
            yield f"{host.at('ip')}: a name for the host's own address"
    for index, group in enumerate(container.texts("groupAdds")):
        if group in HOST_GROUPS or ZERO.fullmatch(group) or group.strip() != group:
            yield f"groupAdds[{index}]: a group that owns parts of the host"


def capabilities(resource: Resource) -> Iterator[str]:
    container = View(resource.props)
    granted = container.view("capabilities")
    if "ALL" not in {name.upper().removeprefix("CAP_") for name in granted.texts("drops")}:
        yield "capabilities.drops: ALL is missing"
    allowed = {"NET_BIND_SERVICE"} | (START_CAPABILITIES if root_reason(resource) else set())
    for index, name in enumerate(granted.texts("adds")):
        if name.upper().removeprefix("CAP_") not in allowed:
            yield f"capabilities.adds[{index}]: more than the container needs to start"


def security_options(resource: Resource) -> Iterator[str]:
    options = [option.lower().replace("=", ":") for option in View(resource.props).texts("securityOpts")]
    if not SAFE_OPTIONS & set(options):
        yield "securityOpts: no-new-privileges:true is missing"
    for index, option in enumerate(options):
        if option not in SAFE_OPTIONS:
            yield f"securityOpts[{index}]: only no-new-privileges:true; another profile or label may allow everything"


def read_only(resource: Resource) -> Iterator[str]:
    if not is_carrier(resource) and not View(resource.props).flag("readOnly"):
        yield "readOnly: the container could change its own program"


def non_root(resource: Resource) -> Iterator[str]:
    if not root_reason(resource):
        yield from strictly_non_root(resource)


def strictly_non_root(resource: Resource) -> Iterator[str]:
    """Without the exception that a label states: for the connector, which has no reason to be root."""
    if is_carrier(resource):
        return
    user = View(resource.props).text("user").split(":")[0].strip()
    if user in {"", "root"} or ZERO.fullmatch(user):
        yield f"user: root, or the image's own choice; label {ROOT_REASON} must say why if it has to be"


def root_reason(resource: Resource) -> str:
    """The stated reason why a container may run as root: at least ten characters, in its declaration."""
    return stated_reason(resource.props, ROOT_REASON)


def is_carrier(resource: Resource) -> bool:
    """True for a container that never runs: its uploads only fill a volume."""
    props = resource.props
    return (
        props.get("start") is False
        and props.get("mustRun") is False
        and props.get("networkMode") == "none"
        and props.get("restart") in (None, "", "no")
    )


RULES = (
    Rule(
        id="container-network-mode",
        severity="critical",
        claim="A container is on declared networks or on none; never on the host's or another container's.",
        remediation="Use networksAdvanced with the plan's networks, and leave networkMode out.",
        threat="containers",
        types=(CONTAINER,),
        check=network_mode,
        waivable=False,
    ),
    Rule(
        id="container-host-namespaces",
        severity="critical",
        claim="No container is privileged, shares a namespace with the host, or has devices or kernel settings.",
        remediation="Remove the setting. Where a program needs it, that program belongs on the host.",
        threat="containers",
        types=(CONTAINER,),
        check=no_host_namespaces,
        waivable=False,
    ),
    Rule(
        id="container-capabilities",
        severity="high",
        claim="Every container drops all capabilities and adds back at most what it needs to start.",
        remediation='Set capabilities drops ["ALL"]; NET_BIND_SERVICE may be added.',
        threat="containers",
        types=(CONTAINER,),
        check=capabilities,
    ),
    Rule(
        id="container-security-options",
        severity="high",
        claim="Every container has no-new-privileges and the Engine's own seccomp, AppArmor and SELinux.",
        remediation='Set securityOpts ["no-new-privileges:true"].',
        threat="containers",
        types=(CONTAINER,),
        check=security_options,
    ),
    Rule(
        id="container-read-only",
        severity="high",
        claim="Every container that runs has a read-only root file system.",
        remediation="Set readOnly; use tmpfs and volumes for what is written, a carrier for files.",
        threat="containers",
        types=(CONTAINER,),
        check=read_only,
    ),
    Rule(
        id="container-non-root",
        severity="high",
        claim=f"Every container that runs has a user who is not root, or a label {ROOT_REASON} with the reason.",
        remediation=f"Set user, or say in the label {ROOT_REASON} why the image can't run without root.",
        threat="containers",
        types=(CONTAINER,),
        check=non_root,
    ),
)
