"""Backups: a copier beside each service that has data, and the keeper, which alone knows the repository."""

from collections.abc import Mapping
from typing import TypedDict

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_docker as docker
import pulumi_random as random

from components.backup import render
from components.backup.render import EXCHANGE, FORMER, KEYS, PASSWORD, PGPASS, SCRIPTS, SECRETS, VOLUMES, WORK
from components.container import Deployed, deploy
from components.site import Site
from components.spec import ContainerSpec, Mount
from settings.backup import Backup as BackupSettings
from settings.service import Limits, Service
from settings.stack import Settings
from topology.model import Topology
from topology.names import BACKUP
from topology.nodes import copied, copier

USER = "65529:65529"
A_DAY = 24 * 3600
"""In seconds."""


class BackupArgs(TypedDict):
    """``secrets`` are the stack's own by name, ``passwords`` those of databases by service, ``containers`` those of
    services by node. ``metrics`` is the name of the volume that metrics are read from; None where nobody reads them.
    ``after`` is what the way out leads through."""

    settings: Settings
    backup: BackupSettings
    topology: Topology
    site: Site
    secrets: Mapping[str, pulumi.Output[str]]
    passwords: Mapping[str, pulumi.Output[str]]
    containers: Mapping[str, pulumi.Resource]
    metrics: pulumi.Input[str] | None
    after: list[pulumi.Resource]


class Backup(pulumi.ComponentResource):
    """The keeper has the keys and the way out, and no database's password; a copier has its service's data only."""

    password: pulumi.Output[str]
    """Secret that opens the repository. Without it backups are worth nothing: docs/backup.md says where to put it."""

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("zero-exposure:index:Backup", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._where = render.repository(args["site"].stack, args["settings"])
        *self._former, self.password = self._passwords(name)
        before = [*self._bucket(name), *args["after"]]
        services = copied(args["settings"])
        exchanges = {service: self._exchange(service) for service in services}
        before += [self._copier(service, exchanges[service]) for service in services]
        after = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=before))
        keeper = deploy(self._keeper(exchanges), args["site"], after)
        self.register_outputs({"container": keeper.name})

    def _passwords(self, name: str) -> list[pulumi.Output[str]]:
        """All that the repository has had, oldest first. They are kept whatever happens to the stack: with the last one
        gone every backup is gone, and where a renewal was cut off the one before it opens the repository."""
        given = self._args["backup"].password
        if given is not None:
            return [self._args["secrets"][given]]
        numbers = range(1, self._args["backup"].passwords + 1)
        return [self._made(f"{name}-password" if number == 1 else f"{name}-password-{number}") for number in numbers]

    def _made(self, name: str) -> pulumi.Output[str]:
        kept = pulumi.ResourceOptions(protect=True, retain_on_delete=True)
        made = random.RandomPassword(
            name, length=64, special=False, opts=pulumi.ResourceOptions.merge(self._child, kept)
        )
        return pulumi.Output.secret(made.result)

    def _bucket(self, name: str) -> list[pulumi.Resource]:
        """A private bucket at Cloudflare, where the stack asks for one. It outlives the stack."""
        settings, backup = self._args["settings"], self._args["backup"]
        if backup.store != "r2" or settings.cloudflare is None:
            return []
        account = settings.cloudflare.account_id
        kept = pulumi.ResourceOptions(protect=True, retain_on_delete=True)
        bucket = cloudflare.R2Bucket(
            f"{name}-bucket",
            account_id=account,
            name=render.bucket(self._args["site"].stack, settings.domain),
            location=backup.location,
            opts=pulumi.ResourceOptions.merge(self._child, kept),
        )
        cloudflare.R2ManagedDomain(
            f"{name}-not-public", account_id=account, bucket_name=bucket.name, enabled=False, opts=self._child
        )
        return [bucket, _lifecycle(f"{name}-lifecycle", account, bucket.name, self._child)]

    def _exchange(self, service: str) -> docker.Volume:
        """What a copier and the keeper hand each other: a copy, and what was fetched. It can be made again."""
        node = copier(service)
        return docker.Volume(
            f"{node}-exchange",
            name=self._args["site"].named(f"{node}-exchange"),
            labels=[docker.VolumeLabelArgs(label="zero-exposure.node", value=node)],
            opts=self._args["site"].on(self._args["site"].data_machine, self._child),
        )

    def _copier(self, name: str, exchange: docker.Volume) -> Deployed:
        args, service = self._args, self._args["settings"].services[name]
        after = [args["containers"][name]]
        opts = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=after))
        return deploy(_copier(name, service, exchange, args), args["site"], opts)

    def _keeper(self, exchanges: Mapping[str, docker.Volume]) -> ContainerSpec:
        args, topology = self._args, self._args["topology"]
        mounts = [Mount(volume.name, f"{EXCHANGE}/{service}") for service, volume in exchanges.items()]
        if args["metrics"] is not None:
            mounts.append(Mount(args["metrics"], render.METRICS))
        files: dict[str, str | pulumi.Output[str]] = {**render.scripts("keeper")}
        return ContainerSpec(
            node=BACKUP,
            role="backup",
            image=args["backup"].image,
            networks=topology.nodes[BACKUP].addresses,
            user=USER,
            entrypoint=("/bin/sh",),
            command=(f"{SCRIPTS}/schedule.sh",),
            env=render.keeper_environment(
                args["site"].stack,
                args["backup"],
                tuple(exchanges),
                self._where,
                topology,
                watched=args["metrics"] is not None,
            ),
            files={**files, **self._secret_files()},
            volumes={"data": WORK},
            mounts=mounts,
            limits=Limits(memory="512m", cpus=1.0, pids=100),
            machine=args["site"].data_machine,
        )

    def _secret_files(self) -> dict[str, pulumi.Output[str]]:
        found = {f"{SECRETS}/{PASSWORD}": self.password}
        if self._former:
            former = pulumi.Output.all(*self._former).apply(render.former_file)
            found[f"{SECRETS}/{FORMER}"] = pulumi.Output.secret(former)
        keys = self._args["backup"].keys
        if self._where.remote and keys is not None:
            pair = pulumi.Output.all(self._args["secrets"][keys.id], self._args["secrets"][keys.secret])
            found[f"{SECRETS}/{KEYS}"] = pulumi.Output.secret(pair.apply(lambda both: render.keys_file(*both)))
        return found


def _lifecycle(
    name: str, account: str, bucket: pulumi.Output[str], opts: pulumi.ResourceOptions
) -> cloudflare.R2BucketLifecycle:
    """Uploads that were never finished are paid for until they are given up."""
    old = cloudflare.R2BucketLifecycleRuleAbortMultipartUploadsTransitionConditionArgs(type="Age", max_age=A_DAY)
    rule = cloudflare.R2BucketLifecycleRuleArgs(
        id="give up unfinished uploads",
        enabled=True,
        conditions=cloudflare.R2BucketLifecycleRuleConditionsArgs(prefix=""),
        abort_multipart_uploads_transition=cloudflare.R2BucketLifecycleRuleAbortMultipartUploadsTransitionArgs(
            condition=old
        ),
    )
    return cloudflare.R2BucketLifecycle(name, account_id=account, bucket_name=bucket, rules=[rule], opts=opts)


def _copier(name: str, service: Service, exchange: docker.Volume, args: BackupArgs) -> ContainerSpec:
    """It runs as its service's own user, who alone may read the files; for a database with the database's own image, so
    that the dump is made by the version that has made the data."""
    node, database = copier(name), service.backup == "postgres"
    files: dict[str, str | pulumi.Output[str]] = {**render.scripts("copier")}
    if database:
        files[f"{SECRETS}/{PGPASS}"] = _pgpass(args["passwords"][name])
    volumes = {} if database else service.volumes
    return ContainerSpec(
        node=node,
        role="backup",
        image=service.image if database else args["backup"].image,
        networks=args["topology"].nodes[node].addresses,
        user=service.user,
        root_reason=service.root_reason,
        entrypoint=("/bin/sh",),
        command=(f"{SCRIPTS}/serve.sh",),
        env=render.copier_environment(name, service, args["topology"]),
        files=files,
        mounts=[
            Mount(exchange.name, WORK),
            *(
                Mount(args["site"].named(f"{name}-{volume}"), f"{VOLUMES}/{volume}", read_only=True)
                for volume in sorted(volumes)
            ),
        ],
        limits=Limits(memory="512m" if database else "128m", cpus=1.0, pids=service.limits.pids),
        machine=args["site"].data_machine,
    )


def _pgpass(password: pulumi.Output[str]) -> pulumi.Output[str]:
    """libpq's password file, for whatever database and role."""
    return pulumi.Output.secret(pulumi.Output.concat("*:*:*:*:", password, "\n"))
