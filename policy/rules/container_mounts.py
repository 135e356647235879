"""Docker containers: what is mounted into one. Named volumes and tmpfs; nothing of the host's."""

from collections.abc import Iterator

from .model import UNKNOWN, Resource, Rule
from .reading import View
from .tokens import CONTAINER, SERVICE


def named_volumes_only(resource: Resource) -> Iterator[str]:
    container = View(resource.props)
    for volume in container.views("volumes"):
        if volume.given("hostPath"):
            yield f"{volume.at('hostPath')}: a path of the host, the Docker socket perhaps"
        if volume.given("fromContainer"):
            yield f"{volume.at('fromContainer')}: takes over another container's mounts"
        if volume.props.get("volumeName") is UNKNOWN:
            continue  # at a first preview; the stack rule asks where it comes from
        name = volume.text("volumeName")
        if not name or name.startswith(("/", ".", "~", "\\")):
            yield f"{volume.at('volumeName')}: not the name of a volume"
    yield from mounts(container)


def mounts(view: View) -> Iterator[str]:
    """Findings of the mounts of a container or of a service's container specification."""
    for mount in view.views("mounts"):
        if mount.text("type") not in {"volume", "tmpfs"}:
            yield f"{mount.at('type')}: only volume and tmpfs"
        # A volume's name is unknown at a first preview; the stack rule asks where it comes from.
        named = mount.props.get("source") is not UNKNOWN or mount.text("type") != "volume"
        if named and mount.text("source").startswith(("/", ".", "~", "\\")):
            yield f"{mount.at('source')}: a path of the host"
        options = mount.view("volumeOptions")
        if options.given("driverName") or options.given("driverOptions"):
            yield f"{options.path}: a volume driver can be a bind mount in disguise"


def service_mounts(resource: Resource) -> Iterator[str]:
    yield from mounts(View(resource.props).view("taskSpec").view("containerSpec"))


RULES = (
    Rule(
        id="container-mounts",
        severity="critical",
        claim="No container sees a path of the host, its Docker socket, or another container's mounts.",
        remediation="Use a named volume. Files reach a container through a carrier.",
        threat="containers",
        types=(CONTAINER,),
        check=named_volumes_only,
        waivable=False,
    ),
    Rule(
        id="service-mounts",
        severity="critical",
        claim="No swarm service sees a path of a host.",
        remediation="Use a named volume.",
        threat="containers",
        types=(SERVICE,),
        check=service_mounts,
        waivable=False,
    ),
)
