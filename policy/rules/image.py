"""Images: pinned by version or digest, and built elsewhere."""

import re
from collections.abc import Iterator
from typing import Final

from .model import UNKNOWN, Resource, Rule
from .reading import View
from .tokens import CONTAINER, REMOTE_IMAGE, SERVICE

IMAGE: Final = "docker:index/image:Image"
PLUGIN: Final = "docker:index/plugin:Plugin"
BUILDER: Final = "docker:index/buildxBuilder:BuildxBuilder"
PINNED: Final = re.compile(r"^[^@\s]+@sha256:[0-9a-f]{64}$|^[^@\s]+:[^:/@\s]*\d[^:/@\s]*$")
IMAGE_ID: Final = re.compile(r"^sha256:[0-9a-f]{64}$")


def pinned(resource: Resource) -> Iterator[str]:
    if not PINNED.match(View(resource.props).text("name")):
        yield "name: no digest and no version in the tag"


def container_image(resource: Resource) -> Iterator[str]:
    """The image's id is unknown before it was pulled; the stack rule asks where it comes from."""
    value = resource.props.get("image")
    if value is UNKNOWN:
        return
    image = View(resource.props).text("image")
    if not PINNED.match(image) and not IMAGE_ID.match(image):
        yield "image: neither an image's id nor a pinned name"


def service_image(resource: Resource) -> Iterator[str]:
    specification = View(resource.props).view("taskSpec").view("containerSpec")
    if not PINNED.match(specification.text("image")):
        yield f"{specification.at('image')}: no digest and no version in the tag"


def build_network(resource: Resource) -> Iterator[str]:
    if resource.type == REMOTE_IMAGE and View(resource.props).given("build"):
        yield "build: made on the server, of what nobody has pinned"
    build = View(resource.props).view("build")
    if resource.type == IMAGE and build.text("network") not in {"", "default", "none"}:
        yield f"{build.at('network')}: the build shares the host's or a container's network"


def builder_closed(resource: Resource) -> Iterator[str]:
    view = View(resource.props)
    if resource.type == PLUGIN and (view.flag("grantAllPermissions") or view.given("grantPermissions")):
        yield "grantAllPermissions: the plugin is root on the host"
    if view.text("endpoint") and not view.text("endpoint").startswith(("unix://", "ssh://")):
        yield "endpoint: a builder reached over plain TCP is a remote root shell"
    if view.view("dockerContainer").text("network") not in {"", "bridge", "none"}:
        yield "dockerContainer.network: the builder shares the host's network"
    if "insecure" in view.text("buildkitFlags"):
        yield "buildkitFlags: insecure entitlements"


RULES = (
    Rule(
        id="image-pinned",
        severity="high",
        claim="Every image is pulled by digest or by a version in its tag.",
        remediation="Name a version (postgres:17.2) or, better, a digest (@sha256:…).",
        threat="supply-chain",
        types=(REMOTE_IMAGE,),
        check=pinned,
    ),
    Rule(
        id="container-image",
        severity="high",
        claim="Every container runs an image by its id or by a pinned name.",
        remediation="Pass the RemoteImage's image_id.",
        threat="supply-chain",
        types=(CONTAINER,),
        check=container_image,
    ),
    Rule(
        id="service-image",
        severity="high",
        claim="Every swarm service runs a pinned image.",
        remediation="Name a version or a digest.",
        threat="supply-chain",
        types=(SERVICE,),
        check=service_image,
    ),
    Rule(
        id="image-build-network",
        severity="high",
        claim="No image that a container runs is built by a deployment, and none on the host's network.",
        remediation="Build it in a pipeline, push it, and name its digest; leave build.network out.",
        threat="supply-chain",
        types=(REMOTE_IMAGE, IMAGE),
        check=build_network,
    ),
    Rule(
        id="docker-extensions",
        severity="critical",
        claim="No Docker plugin or builder has the host's permissions or a TCP endpoint.",
        remediation="Remove it; what needs the host belongs on the host.",
        threat="containers",
        types=(PLUGIN, BUILDER),
        check=builder_closed,
        waivable=False,
    ),
)
