"""Docker containers: limits, so that one can't starve the others or fill the disk with its log."""

from collections.abc import Iterator

from .container_isolation import is_carrier
from .model import Resource, Rule
from .reading import View
from .tokens import CONTAINER


def limited(resource: Resource) -> Iterator[str]:
    if is_carrier(resource):
        return
    container = View(resource.props)
    if container.number("memory") <= 0:
        yield "memory: no limit"
    if container.number("cpus") <= 0 and container.number("cpuQuota") <= 0:
        yield "cpus: no limit"
    if not any(limit.text("name") == "nproc" for limit in container.views("ulimits")):
        yield "ulimits: no limit of processes (nproc)"


def log_limited(resource: Resource) -> Iterator[str]:
    if is_carrier(resource):
        return
    container = View(resource.props)
    driver = container.text("logDriver")
    if driver not in {"json-file", "local", "none"}:
        yield "logDriver: json-file or local, set in the declaration, so that the limit below holds"
    elif driver != "none" and not container.view("logOpts").given("max-size"):
        yield "logOpts.max-size: no limit of the log's size"


def restarts(resource: Resource) -> Iterator[str]:
    restart = View(resource.props).text("restart")
    if is_carrier(resource) or restart in {"unless-stopped", "always", "on-failure"}:
        return
    yield "restart: the container stays down after a crash"


RULES = (
    Rule(
        id="container-limits",
        severity="medium",
        claim="Every container that runs has limits of memory, CPU and processes.",
        remediation="Set memory, cpus and a ulimit nproc.",
        threat="availability",
        types=(CONTAINER,),
        check=limited,
    ),
    Rule(
        id="container-log-limits",
        severity="low",
        claim="Every container that runs has a log of limited size.",
        remediation="Set logDriver json-file and logOpts max-size and max-file.",
        threat="availability",
        types=(CONTAINER,),
        check=log_limited,
    ),
    Rule(
        id="container-restarts",
        severity="low",
        claim="Every container that runs comes back after a crash or a reboot.",
        remediation="Set restart to unless-stopped.",
        threat="availability",
        types=(CONTAINER,),
        check=restarts,
    ),
)
