"""What a deployment is made of: container images, Debian packages of the server, Python packages of the program."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from typing import Any, Literal

from packaging.requirements import Requirement

from components.host.render import crypt_packages, packages
from settings.stack import Settings

Kind = Literal["image", "debian", "python"]
IMAGE = "docker:index/remoteImage:RemoteImage"
SERVICE = "docker:index/service:Service"
CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True)
class Part:
    """``version`` is empty where it is decided elsewhere: Debian's mirror serves the newest of a release."""

    kind: Kind
    name: str
    version: str = ""
    digest: str = ""
    licence: str = ""
    used_by: tuple[str, ...] = ()


def images(graph: dict[str, Any]) -> Iterator[Part]:
    """Every image that the recorded graph pulls, with the containers that run it."""
    used: dict[str, set[str]] = {}
    for resource in graph["resources"]:
        if resource["type"] == IMAGE:
            used.setdefault(resource["inputs"]["name"], set()).add(resource["name"].removesuffix("-image"))
        if resource["type"] == SERVICE:
            reference = resource["inputs"]["taskSpec"]["containerSpec"]["image"]
            used.setdefault(reference, set()).add(resource["name"])
    for reference, nodes in sorted(used.items()):
        name, version, digest = split(reference)
        yield Part("image", name, version, digest, used_by=tuple(sorted(nodes)))


def split(reference: str) -> tuple[str, str, str]:
    """Repository, tag and digest: ``ghcr.io/a/b:1.2@sha256:…``; a port of a registry is no tag."""
    rest, _, digest = reference.partition("@")
    found = re.fullmatch(r"(.+?)(?::([^:/]+))?", rest)
    assert found is not None  # noqa: S101 - the expression matches every text that is not empty
    return found[1], found[2] or "", digest


def debian(settings: Settings) -> Iterator[Part]:
    """What the server installs beside its image. The connector is Cloudflare's own package."""
    if settings.target == "local" or settings.host is None:
        return
    names = [*packages(settings.host.image), *(crypt_packages(settings.host.image) if settings.host.encrypted else [])]
    yield from (Part("debian", name, used_by=(settings.host.image,)) for name in sorted({*names, "cloudflared"}))


def python(roots: list[str]) -> Iterator[Part]:
    """The packages that the program runs on, as installed here, with all that they need."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(root) for root in roots]
    while waiting:
        wanted = waiting.pop()
        if wanted.name.lower() in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        there = found[wanted.name.lower()] = distribution(wanted.name)
        waiting += [Requirement(text) for text in there.requires or []]
    for name, there in sorted(found.items()):
        yield Part("python", name, there.version, licence=licence(there))


def licence(package: Distribution) -> str:
    """What a package says of its licence: the expression, the name, or the classifier."""
    meta = package.metadata
    classifiers = [entry.removeprefix(CLASSIFIER) for entry in meta.get_all("Classifier") or [] if CLASSIFIER in entry]
    said = [*(meta.get_all("License-Expression") or []), *(meta.get_all("License") or []), "; ".join(classifiers)]
    return next((text.split("\n")[0] for text in said if text), "")
