"""Files for a container with a read-only root.

Docker refuses to upload into such a container. So a second container that is never started, the carrier, takes
the uploads into named volumes, one a folder, which the real container mounts read-only.

The carrier's image is its own. Docker gives what is uploaded for an owner to the container's user instead, and fails
where the server has no user of that name; so the container may have none, and many images name one (ADR 120).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.site import Site

HALF_MADE = "#initerror"
"""The engine's word for a creation or an update that broke off (pulumi, pkg/resource/deploy/step_generator.go). What a
container lacks then, its networks, its start, its health, the provider's update does not make up for: it would do
nothing, and call it done. So what is half made is replaced."""
Files = Mapping[str, str | pulumi.Output[str]]
"""Absolute path → text; an Output is a secret."""


@dataclass(frozen=True)
class Carried:
    """Volumes to mount read-only (folder → volume name), the digest of all files, and what must exist first."""

    volumes: dict[str, pulumi.Output[str]]
    digest: pulumi.Output[str]
    carrier: docker.Container


def carry(
    node: str, files: Files, user: str, image: pulumi.Input[str], site: Site, opts: pulumi.ResourceOptions
) -> Carried:
    """Create the volumes and the carrier of one node's files, readable by ``user`` (uid:gid) alone."""
    folders = sorted({_folder(path) for path in files})
    volumes = {folder: _volume(node, folder, files, site, opts) for folder in folders}
    digest = _digest(files, site.digest_key)
    carrier = docker.Container(
        f"{node}-carrier",
        name=site.named(f"{node}-carrier"),
        image=image,
        # Some images have no command, and Engine refuses to create a container without one.
        command=["none"],
        start=False,
        must_run=False,
        network_mode="none",
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=["no-new-privileges:true"],
        labels=labels("carrier", node, digest),
        volumes=[_mount(folder, index, volumes) for index, folder in enumerate(folders)],
        uploads=[_upload(path, files[path], folders.index(_folder(path)), user) for path in sorted(files)],
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(delete_before_replace=True, replace_on_changes=[HALF_MADE])
        ),
    )
    return Carried({folder: volume.name for folder, volume in volumes.items()}, digest, carrier)


def labels(role: str, node: str, digest: pulumi.Output[str] | None) -> list[docker.ContainerLabelArgs]:
    """The labels that the policy pack reads."""
    values: dict[str, pulumi.Input[str]] = {"role": role, "node": node}
    if digest is not None:
        values["config"] = digest
    return [docker.ContainerLabelArgs(label=f"zero-exposure.{key}", value=value) for key, value in values.items()]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _volume(node: str, folder: str, files: Files, site: Site, opts: pulumi.ResourceOptions) -> docker.Volume:
    """A volume named by what is in it: a file that is no longer declared cannot linger on the new one.

    The name is made of what is known at preview: paths, and texts that are no secrets.
    """
    inside = {path: text if isinstance(text, str) else "" for path, text in files.items() if _folder(path) == folder}
    content = hashlib.sha256(repr(sorted(inside.items())).encode()).hexdigest()[:12]
    slug = folder.strip("/").replace("/", "-").replace(".", "-")
    return docker.Volume(
        f"{node}-files-{slug}",
        name=site.named(f"{node}-{slug}-{content}"),
        labels=[docker.VolumeLabelArgs(label="zero-exposure.node", value=node)],
        opts=opts,
    )


def _mount(folder: str, index: int, volumes: dict[str, docker.Volume]) -> docker.ContainerVolumeArgs:
    """Beside the image's own folders: mounted over one, a fresh volume would first be filled with its content."""
    return docker.ContainerVolumeArgs(volume_name=volumes[folder].name, container_path=f"/carrier/{index}")


def _upload(path: str, text: pulumi.Input[str], index: int, user: str) -> docker.ContainerUploadArgs:
    owner, _, group = user.partition(":")
    name = path.rpartition("/")[2]
    return docker.ContainerUploadArgs(
        file=f"/carrier/{index}/{name}", content=text, owner=owner, group=group, permissions="0400"
    )


def _digest(files: Files, key: pulumi.Output[str]) -> pulumi.Output[str]:
    """Changes with any file, so that the real container is replaced with it. Keyed where a secret takes part."""
    public = {path: text for path, text in files.items() if isinstance(text, str)}
    if len(public) == len(files):
        return pulumi.Output.from_input(_hmac("", public))
    return pulumi.Output.unsecret(pulumi.Output.all(key, dict(files)).apply(lambda both: _hmac(both[0], both[1])))


def _hmac(key: str, files: Mapping[str, str]) -> str:
    return hmac.new(key.encode(), repr(sorted(files.items())).encode(), "sha256").hexdigest()[:16]
