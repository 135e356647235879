"""Generated stack files of any size."""

from typing import Any

from settings.stack import Settings
from topology.plan import plan
from topology.subnets import SubnetClashError


def stack(services: int) -> dict[str, Any]:
    """A local stack: every service uses the database and one other, every fifth has a route."""
    entries: dict[str, Any] = {"postgres": {"preset": "postgres"}}
    for index in range(services - 1):
        uses = ["postgres", *([_name(index - 1)] if index % 3 else [])]
        routes = [] if index % 5 else [{"host": f"{_name(index)}.example.org"}]
        entries[_name(index)] = {
            "image": "example/app:1.0", "user": f"{1000 + index}:1000", "port": 3000, "uses": uses, "routes": routes,
            "secrets": {"database": "${postgres.url}"},
        }  # fmt: skip
    raw = {"target": "local", "domain": "example.org", "services": entries}
    return raw | {"network": {"subnets": _pins(raw)}}


def _name(index: int) -> str:
    return f"service-{index:04}"


def _pins(raw: dict[str, Any]) -> dict[str, str]:
    """The lines that settle clashes, which a large stack has a few of."""
    settings = Settings.model_validate(raw)
    pins: dict[str, str] = {}
    while True:
        network = settings.network.model_copy(update={"subnets": pins})
        try:
            plan(settings.model_copy(update={"network": network}))
        except SubnetClashError as clash:
            pins[clash.link] = str(clash.free)
        else:
            return pins
