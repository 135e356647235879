"""Buckets: what a lifecycle may do to the objects in them."""

from collections.abc import Iterator
from typing import Final

from .model import Resource, Rule
from .reading import View

R2_LIFECYCLE: Final = "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle"


def keeps(resource: Resource) -> Iterator[str]:
    for entry in View(resource.props).views("rules"):
        if entry.given("deleteObjectsTransition"):
            yield f"{entry.at('deleteObjectsTransition')}: takes parts of backups away by their age"


RULES = (
    Rule(
        id="bucket-keeps",
        severity="high",
        claim="No lifecycle deletes objects of a bucket: restic alone knows which of them backups need.",
        remediation="Leave deleteObjectsTransition out; set backup.keep.",
        threat="availability",
        types=(R2_LIFECYCLE,),
        check=keeps,
    ),
)
