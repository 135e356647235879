"""What a change to the program or a stack file does to the graph. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Graph = dict[str, Any]
"""A recorded graph, as `python -m ops.preview --json` writes it."""
NETWORK = "docker:index/network:Network"
STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Resource:
    """One resource of a change. ``keys`` are the inputs that differ, of one that is on both sides."""

    type: str
    name: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One line of the score, before and after. ``before`` is None where there was no graph."""

    name: str
    before: str | None
    after: str
    ok: bool

    @property
    def changed(self) -> bool:
        """Whether the two sides differ. Without a side to compare with, nothing is a change."""
        return self.before is not None and self.before != self.after


@dataclass(frozen=True)
class Change:
    """The difference of two graphs, and what the policy pack says of the new one."""

    added: tuple[Resource, ...]
    removed: tuple[Resource, ...]
    changed: tuple[Resource, ...]
    links_added: tuple[tuple[str, str], ...]
    links_removed: tuple[tuple[str, str], ...]
    score: tuple[Row, ...]
    violations: tuple[dict[str, str], ...]

    @property
    def blocked(self) -> bool:
        """Whether the pack would stop a deployment."""
        return any(violation["level"] == "mandatory" for violation in self.violations)


def change(before: Graph | None, after: Graph) -> Change:
    """The difference from ``before`` (None: there was nothing to compare with) to ``after``."""
    old, new = _resources(before), _resources(after)
    links_before, links_after = _links(before), _links(after)
    compared = before is not None
    return Change(
        added=tuple(_of(new[urn]) for urn in sorted(new.keys() - old.keys()) if compared),
        removed=tuple(_of(old[urn]) for urn in sorted(old.keys() - new.keys())),
        changed=tuple(_changed(old, new)),
        links_added=tuple(sorted(links_after - links_before)) if compared else (),
        links_removed=tuple(sorted(links_before - links_after)),
        score=tuple(_score(before, after)),
        violations=tuple(after["violations"]),
    )


def _resources(graph: Graph | None) -> dict[str, dict[str, Any]]:
    found = graph["resources"] if graph else []
    return {resource["urn"]: resource for resource in found if resource["type"] != STACK}


def _of(resource: dict[str, Any], keys: tuple[str, ...] = ()) -> Resource:
    return Resource(resource["type"], resource["name"], keys)


def _changed(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> Iterator[Resource]:
    for urn in sorted(old.keys() & new.keys()):
        before, after = old[urn]["inputs"], new[urn]["inputs"]
        keys = tuple(sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key)))
        if keys:
            yield _of(new[urn], keys)


def _links(graph: Graph | None) -> set[tuple[str, str]]:
    """(client, server) of every private network between two containers."""
    networks = [resource for resource in _resources(graph).values() if resource["type"] == NETWORK]
    labels = [{label["label"]: label["value"] for label in network["inputs"].get("labels", [])} for network in networks]
    found = {(label.get("zero-exposure.client", ""), label.get("zero-exposure.server", "")) for label in labels}
    return {(client, server) for client, server in found if client and server}


def _score(before: Graph | None, after: Graph) -> Iterator[Row]:
    old = dict(_measures(before)) if before else {}
    for name, (text, ok) in _measures(after):
        yield Row(name, old[name][0] if name in old else None, text, ok)


def _measures(graph: Graph) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Name → (value, whether it is as it should be), of the four metrics and the checklist."""
    exposure = graph["exposure"]
    ports, layers = exposure["open_inbound_ports"], exposure["security_layers"]
    points, ingress = exposure["tls_termination_points"], exposure["centralized_ingress_percent"]
    yield "open inbound ports", (str(ports), ports == 0)
    yield "independent security layers", (str(layers), layers >= 5)
    yield "TLS termination points", (str(points), points <= 1)
    yield "centralised ingress", (f"{ingress} %", ingress == 100)
    for number, item in enumerate(exposure["checklist"], start=1):
        yield f"{number}. {item['item']}", ("pass" if item["ok"] else "fail", bool(item["ok"]))
