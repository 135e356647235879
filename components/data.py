"""Data volumes: the only part of a container that is protected, since nothing but them is lost with a replacement.

They are retained as well: at the stack's end they stay on the server's data volume, which outlives it.
"""

import pulumi
import pulumi_docker as docker

from components.site import Site
from components.spec import ContainerSpec


def data_volumes(spec: ContainerSpec, site: Site, opts: pulumi.ResourceOptions) -> dict[str, pulumi.Output[str]]:
    """Create the volumes of a node: name in the stack file → Docker's name."""
    protected = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=True, retain_on_delete=True))
    owner = spec.volumes_of or spec.node
    return {
        name: docker.Volume(
            f"{owner}-{name}",
            name=site.named(f"{owner}-{name}"),
            labels=[docker.VolumeLabelArgs(label="zero-exposure.node", value=owner)],
            opts=protected,
        ).name
        for name in sorted(spec.volumes)
    }
