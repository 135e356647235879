"""The one way in which this program makes a container: closed everywhere that is not opened by name."""

from collections.abc import Sequence

import pulumi
import pulumi_docker as docker

from components.carrier import HALF_MADE, Carried, carry, labels
from components.data import data_volumes
from components.site import Site
from components.spec import HEALTHY_WITHIN, ROOT, STOPS_WITHIN, ContainerSpec, Mount, as_read_back
from components.swarm import deploy_service
from settings.service import Healthcheck, Limits
from settings.values import size_mib

Deployed = docker.Container | docker.Service
"""What a node became: on a Swarm a service."""
NOT_UPDATED = ["healthcheck", "tmpfs"]
"""What the provider plans to change in place, and then leaves as it is (kreuzwerker/terraform-provider-docker 4.6.0,
resource_docker_container_funcs.go: its update knows memory, shares and restart policy). So a change replaces."""


def deploy(spec: ContainerSpec, site: Site, opts: pulumi.ResourceOptions) -> Deployed:
    """Create what a node is: a container, or a service where the stack is a Swarm."""
    return deploy_service(spec, site, opts) if site.swarm else deploy_container(spec, site, opts)


def deploy_container(spec: ContainerSpec, site: Site, opts: pulumi.ResourceOptions) -> docker.Container:
    """Create a container with its image, its files and its data volumes.

    ``opts`` carries the parent, the Docker provider and the containers that must be there first. On a fixed address
    the old container has to leave before the new one comes, hence ``delete_before_replace``.
    """
    image = docker.RemoteImage(f"{spec.node}-image", name=spec.image, keep_locally=True, opts=_without_depends(opts))
    carried = None
    if spec.files:
        own = site.carrier_images[spec.machine]
        carried = carry(spec.node, spec.files, spec.user or ROOT, own, site, _without_depends(opts))
    extra = pulumi.ResourceOptions(
        delete_before_replace=True,
        replace_on_changes=[*NOT_UPDATED, HALF_MADE],
        depends_on=[carried.carrier] if carried else [],
    )
    return docker.Container(
        spec.node,
        args=_arguments(spec, image, carried, _data(spec, site, opts), site),
        opts=pulumi.ResourceOptions.merge(opts, extra),
    )


def _without_depends(opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(parent=opts.parent, provider=opts.provider)


def _arguments(
    spec: ContainerSpec,
    image: docker.RemoteImage,
    carried: Carried | None,
    data: list[docker.ContainerVolumeArgs],
    site: Site,
) -> docker.ContainerArgs:
    return docker.ContainerArgs(
        name=site.named(spec.node),
        hostname=spec.node,
        image=image.image_id,
        entrypoints=_texts(spec.entrypoint),
        command=_texts(spec.command),
        envs=[f"{key}={value}" for key, value in sorted(spec.env.items())],
        user=spec.user or ROOT,
        labels=_labels(spec, carried),
        networks_advanced=_networks(spec, site),
        # Without a network of its own a container would land on Docker's default bridge, which leads out.
        network_mode=None if spec.networks else "none",
        hosts=[docker.ContainerHostArgs(host=name, ip=str(ip)) for name, ip in sorted(spec.hosts.items())],
        dns=list(spec.dns) if spec.dns is not None else [str(site.resolver)],
        volumes=[*data, *_shared(spec.mounts), *_mounts(carried)],
        tmpfs={path: _tmpfs(size, spec.user or ROOT) for path, size in sorted(spec.tmpfs.items())},
        healthcheck=_healthcheck(spec.healthcheck),
        wait=spec.healthcheck is not None,
        wait_timeout=HEALTHY_WITHIN,
        destroy_grace_seconds=STOPS_WITHIN,
        read_only=True,
        init=True,
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=["no-new-privileges:true"],
        restart="unless-stopped",
        log_driver="json-file",
        log_opts={"max-size": "10m", "max-file": "3"},
        memory=size_mib(spec.limits.memory),
        memory_swap=size_mib(spec.limits.memory),
        cpus=str(spec.limits.cpus),
        ulimits=_ulimits(spec.limits),
    )


def _texts(values: Sequence[str] | None) -> list[pulumi.Input[str]] | None:
    return None if values is None else list(values)


def _labels(spec: ContainerSpec, carried: Carried | None) -> list[docker.ContainerLabelArgs]:
    found = labels(spec.role, spec.node, carried.digest if carried else None)
    if spec.root_reason:
        found.append(docker.ContainerLabelArgs(label="zero-exposure.root-reason", value=spec.root_reason))
    return found


def _networks(spec: ContainerSpec, site: Site) -> list[docker.ContainerNetworksAdvancedArgs]:
    return [
        docker.ContainerNetworksAdvancedArgs(
            name=site.networks[name], ipv4_address=str(address), aliases=sorted({spec.node, *spec.aliases})
        )
        for name, address in sorted(spec.networks.items())
    ]


def _data(spec: ContainerSpec, site: Site, opts: pulumi.ResourceOptions) -> list[docker.ContainerVolumeArgs]:
    volumes = data_volumes(spec, site, _without_depends(opts))
    return [
        docker.ContainerVolumeArgs(volume_name=volumes[name], container_path=path)
        for name, path in sorted(spec.volumes.items())
    ]


def _shared(mounts: Sequence[Mount]) -> list[docker.ContainerVolumeArgs]:
    return [
        docker.ContainerVolumeArgs(
            volume_name=mount.volume, container_path=mount.path, read_only=True if mount.read_only else None
        )
        for mount in mounts
    ]


def _mounts(carried: Carried | None) -> list[docker.ContainerVolumeArgs]:
    volumes = carried.volumes if carried else {}
    return [
        docker.ContainerVolumeArgs(volume_name=volume, container_path=folder, read_only=True)
        for folder, volume in sorted(volumes.items())
    ]


def _tmpfs(size: str, user: str) -> str:
    owner, _, group = user.partition(":")
    return f"rw,noexec,nosuid,nodev,size={size},uid={owner},gid={group or owner},mode=0700"


def _healthcheck(check: Healthcheck | None) -> docker.ContainerHealthcheckArgs | None:
    if check is None:
        return None
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", *check.command],
        interval=as_read_back(check.interval),
        timeout=as_read_back(check.timeout),
        start_period=as_read_back(check.start_period),
        retries=check.retries,
    )


def _ulimits(limits: Limits) -> list[docker.ContainerUlimitArgs]:
    """The provider offers no pids limit, so processes are limited by ``nproc``, which the kernel counts by uid."""
    return [
        docker.ContainerUlimitArgs(name="nofile", soft=65_536, hard=65_536),
        docker.ContainerUlimitArgs(name="nproc", soft=limits.pids, hard=limits.pids),
    ]
