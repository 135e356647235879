"""Docker volumes: plain local ones. Driver options can make a bind mount or a network share of one."""

from collections.abc import Iterator

from .model import Resource, Rule
from .reading import View
from .tokens import VOLUME


def local(resource: Resource) -> Iterator[str]:
    volume = View(resource.props)
    if volume.text("driver") not in {"", "local"}:
        yield "driver: another program decides what the volume is"
    for key in ("driverOpts", "cluster"):
        if volume.given(key):
            yield f"{key}: a bind mount or a share in disguise"


RULES = (
    Rule(
        id="volume-local",
        severity="critical",
        claim="Every volume is a plain local one, without driver options.",
        remediation="Leave driver, driverOpts and cluster out.",
        threat="containers",
        types=(VOLUME,),
        check=local,
        waivable=False,
    ),
)
