"""The one way in which this program makes a service of a Swarm: closed everywhere that is not opened by name."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.carrier import Files
from components.data import data_volumes
from components.site import Site, SwarmSite
from components.spec import ROOT, STOPS_WITHIN, ContainerSpec, as_read_back
from settings.service import Healthcheck
from settings.values import size_mib

MIB = 1024 * 1024
MONITOR = "30s"
"""How long a task that replaced another is watched: one that fails in this time takes the update back."""
RESTART_DELAY = "2s"
LONGEST_NAME = 64
"""Characters that Swarm takes in the name of a config or a secret."""
NANO = 1_000_000_000


@dataclass(frozen=True)
class _Config:
    """A file that a task gets. Its name is its content's: a changed file is another one, and the service moves on."""

    path: str
    id: pulumi.Output[str]
    name: pulumi.Output[str]
    secret: bool


def deploy_service(spec: ContainerSpec, site: Site, opts: pulumi.ResourceOptions) -> docker.Service:
    """Create a service with its files and its data volumes. It publishes nothing: names stand for its tasks.

    Raises ``LookupError`` where the stack is no Swarm.
    """
    swarm = site.swarm
    if swarm is None:
        raise LookupError("this stack is no Swarm")
    bare = pulumi.ResourceOptions(parent=opts.parent, provider=opts.provider)
    # The provider would delete a file before it makes the new one, and Swarm deletes none that a service has.
    new_first = pulumi.ResourceOptions.merge(bare, pulumi.ResourceOptions(delete_before_replace=False))
    configs = [_config(spec.node, path, text, site, new_first) for path, text in sorted(spec.files.items())]
    data = data_volumes(spec, site, site.on(spec.machine, bare))
    # A task of the old kind and one of the new must not write to the same files.
    first = "stop-first" if spec.volumes or spec.mounts or _fills_all(spec, swarm) else "start-first"
    return docker.Service(
        spec.node,
        name=site.named(spec.node),
        labels=_labels(spec),
        mode=_mode(spec),
        # A name leads to every task; a virtual address is for clients that look it up once. Neither is published.
        endpoint_spec=docker.ServiceEndpointSpecArgs(mode="vip" if spec.virtual else "dnsrr"),
        update_config=docker.ServiceUpdateConfigArgs(
            parallelism=1,
            order=first,
            failure_action="pause" if spec.pause_reason else "rollback",
            monitor=MONITOR,
            max_failure_ratio="0",
            delay="0s",
        ),
        rollback_config=docker.ServiceRollbackConfigArgs(
            parallelism=1, order=first, failure_action="pause", monitor=MONITOR, max_failure_ratio="0", delay="0s"
        ),
        converge_config=_converge(spec),
        task_spec=docker.ServiceTaskSpecArgs(
            container_spec=_container(spec, swarm, configs, data),
            networks_advanceds=_networks(spec, swarm),
            placement=_placement(spec),
            resources=_resources(spec),
            restart_policy=docker.ServiceTaskSpecRestartPolicyArgs(condition="any", delay=RESTART_DELAY, window="0s"),
            log_driver=docker.ServiceTaskSpecLogDriverArgs(
                name="json-file", options={"max-size": "10m", "max-file": "3"}
            ),
        ),
        opts=opts,
    )


def _fills_all(spec: ContainerSpec, swarm: SwarmSite) -> bool:
    """No machine is left for one task more."""
    return spec.apart and spec.replicas >= len(swarm.cluster.machines)


def _mode(spec: ContainerSpec) -> docker.ServiceModeArgs:
    if spec.everywhere:
        return docker.ServiceModeArgs(global_=True)
    return docker.ServiceModeArgs(replicated=docker.ServiceModeReplicatedArgs(replicas=spec.replicas))


def _converge(spec: ContainerSpec) -> docker.ServiceConvergeConfigArgs | None:
    """`up` waits until every task runs. The provider refuses to count those of a service that is everywhere."""
    if spec.patient or spec.everywhere:
        return None
    return docker.ServiceConvergeConfigArgs(delay="2s", timeout="5m")


def _labels(spec: ContainerSpec) -> list[docker.ServiceLabelArgs]:
    """The labels that the policy pack reads."""
    found = {"role": spec.role, "node": spec.node}
    if spec.root_reason:
        found["root-reason"] = spec.root_reason
    if spec.pause_reason:
        found["pause-reason"] = spec.pause_reason
    return [docker.ServiceLabelArgs(label=f"zero-exposure.{key}", value=value) for key, value in found.items()]


def _config(node: str, path: str, text: str | pulumi.Output[str], site: Site, opts: pulumi.ResourceOptions) -> _Config:
    slug = path.strip("/").replace("/", "-").replace(".", "-")
    if isinstance(text, str):
        name = _named(site.stack, node, hashlib.sha256(f"{path} {text}".encode()).hexdigest())
        made = docker.ServiceConfig(f"{node}-config-{slug}", name=name, data=_encoded(text), opts=opts)
        return _Config(path, made.id, made.name, secret=False)
    digest = pulumi.Output.all(site.digest_key, text).apply(
        lambda both: hmac.new(both[0].encode(), f"{path} {both[1]}".encode(), "sha256").hexdigest()
    )
    title = pulumi.Output.unsecret(digest).apply(lambda known: _named(site.stack, node, known))
    data: pulumi.Output[str] = pulumi.Output.secret(text.apply(_encoded))
    kept = docker.Secret(f"{node}-secret-{slug}", name=title, data=data, opts=opts)
    return _Config(path, kept.id, kept.name, secret=True)


def _named(stack: str, node: str, digest: str) -> str:
    """Which stack and node it is for, cut to what Swarm takes, and what is in it."""
    return f"{stack}-{node}"[: LONGEST_NAME - 17] + f"-{digest[:16]}"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _container(
    spec: ContainerSpec, swarm: SwarmSite, configs: list[_Config], data: Mapping[str, pulumi.Output[str]]
) -> docker.ServiceTaskSpecContainerSpecArgs:
    return docker.ServiceTaskSpecContainerSpecArgs(
        image=spec.image,
        commands=list(spec.entrypoint) if spec.entrypoint is not None else None,
        args=list(spec.command) if spec.command is not None else None,
        env=dict(sorted(spec.env.items())) or None,
        user=spec.user or ROOT,
        labels=[
            docker.ServiceTaskSpecContainerSpecLabelArgs(label=f"zero-exposure.{key}", value=value)
            for key, value in {"role": spec.role, "node": spec.node}.items()
        ],
        hostname=spec.node,
        dns_config=docker.ServiceTaskSpecContainerSpecDnsConfigArgs(nameservers=[str(ip) for ip in swarm.resolvers]),
        read_only=True,
        init=True,
        cap_drops=["ALL"],
        mounts=[*_mounts(spec, data), *_folders(spec.files)],
        configs=[_as_config(config, spec.user or ROOT) for config in configs if not config.secret],
        secrets=[_as_secret(config, spec.user or ROOT) for config in configs if config.secret],
        healthcheck=_healthcheck(spec.healthcheck),
        stop_grace_period=f"{STOPS_WITHIN}s",
    )


def _as_config(config: _Config, user: str) -> docker.ServiceTaskSpecContainerSpecConfigArgs:
    owner, _, group = user.partition(":")
    return docker.ServiceTaskSpecContainerSpecConfigArgs(
        config_id=config.id,
        config_name=config.name,
        file_name=config.path,
        file_uid=owner,
        file_gid=group or owner,
        file_mode=0o400,
    )


def _as_secret(config: _Config, user: str) -> docker.ServiceTaskSpecContainerSpecSecretArgs:
    owner, _, group = user.partition(":")
    return docker.ServiceTaskSpecContainerSpecSecretArgs(
        secret_id=config.id,
        secret_name=config.name,
        file_name=config.path,
        file_uid=owner,
        file_gid=group or owner,
        file_mode=0o400,
    )


def _folders(files: Files) -> list[docker.ServiceTaskSpecContainerSpecMountArgs]:
    """An empty folder that nobody may write to under each file, so that the image's own files there are hidden."""
    return [
        docker.ServiceTaskSpecContainerSpecMountArgs(
            target=folder,
            type="tmpfs",
            tmpfs_options=docker.ServiceTaskSpecContainerSpecMountTmpfsOptionsArgs(mode=0o555, size_bytes=MIB),
        )
        for folder in sorted({path.rpartition("/")[0] for path in files})
    ]


def _mounts(
    spec: ContainerSpec, data: Mapping[str, pulumi.Output[str]]
) -> list[docker.ServiceTaskSpecContainerSpecMountArgs]:
    mount = docker.ServiceTaskSpecContainerSpecMountArgs
    kept = [mount(target=path, source=data[name], type="volume") for name, path in sorted(spec.volumes.items())]
    shared = [
        mount(
            target=each.path,
            source=each.volume,
            type="volume",
            read_only=each.read_only,
            volume_options=_owned(each.owner) if each.owner else None,
        )
        for each in spec.mounts
    ]
    # Swarm has no word for an owner, and nobody but the one user is in there. The provider reads back no sticky bit.
    scratch = [
        mount(
            target=path,
            type="tmpfs",
            tmpfs_options=docker.ServiceTaskSpecContainerSpecMountTmpfsOptionsArgs(
                mode=0o777, size_bytes=size_mib(size) * MIB
            ),
        )
        for path, size in sorted(spec.tmpfs.items())
    ]
    return [*kept, *shared, *scratch]


def _owned(owner: str) -> docker.ServiceTaskSpecContainerSpecMountVolumeOptionsArgs:
    label = docker.ServiceTaskSpecContainerSpecMountVolumeOptionsLabelArgs(label="zero-exposure.node", value=owner)
    return docker.ServiceTaskSpecContainerSpecMountVolumeOptionsArgs(labels=[label])


def _healthcheck(check: Healthcheck | None) -> docker.ServiceTaskSpecContainerSpecHealthcheckArgs | None:
    if check is None:
        return None
    return docker.ServiceTaskSpecContainerSpecHealthcheckArgs(
        tests=["CMD", *check.command],
        interval=_as_read_back(check.interval),
        timeout=_as_read_back(check.timeout),
        start_period=_as_read_back(check.start_period),
        retries=check.retries,
    )


def _as_read_back(seconds: str) -> str:
    """Of a service without what is zero at the end: ``60s`` is ``1m``."""
    text = as_read_back(seconds)
    for zero in ("m0s", "h0m"):
        text = text[:-2] if text.endswith(zero) else text
    return text


def _networks(spec: ContainerSpec, swarm: SwarmSite) -> list[docker.ServiceTaskSpecNetworksAdvancedArgs]:
    return [
        docker.ServiceTaskSpecNetworksAdvancedArgs(id=swarm.networks[name], aliases=sorted({spec.node, *spec.aliases}))
        for name in sorted(spec.networks)
    ]


def _placement(spec: ContainerSpec) -> docker.ServiceTaskSpecPlacementArgs:
    wanted = {f"zero-exposure.label.{key}": value for key, value in spec.placement.items()}
    if spec.machine:
        wanted["zero-exposure.machine"] = spec.machine
    return docker.ServiceTaskSpecPlacementArgs(
        constraints=[f"node.labels.{key}=={value}" for key, value in sorted(wanted.items())],
        max_replicas=1 if spec.apart else None,
        # No word before it: the provider hands it on as it is, and Swarm takes no notice of what it does not know.
        prefs=["node.labels.zero-exposure.location"],
    )


def _resources(spec: ContainerSpec) -> docker.ServiceTaskSpecResourcesArgs:
    """A quarter of a task's limit is set aside for it, so that machines are not promised twice over."""
    memory, processors = size_mib(spec.limits.memory) * MIB, int(spec.limits.cpus * NANO)
    return docker.ServiceTaskSpecResourcesArgs(
        limits=docker.ServiceTaskSpecResourcesLimitsArgs(memory_bytes=memory, nano_cpus=processors),
        reservation=docker.ServiceTaskSpecResourcesReservationArgs(
            memory_bytes=memory // 4, nano_cpus=processors // 10
        ),
    )
