"""The words that rules are written in. No pulumi in here: rules are plain functions over plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from .graph import Stack

Severity: TypeAlias = Literal["critical", "high", "medium", "low"]
Level: TypeAlias = Literal["mandatory", "advisory"]
PropertyValue: TypeAlias = Any  # a JSON value, or UNKNOWN, at any depth
Props: TypeAlias = Mapping[str, PropertyValue]

NO_PROPS: Final[Mapping[str, Any]] = MappingProxyType({})


class Unknown:
    """A value that is not known before the resource exists.

    It has no truth value, length or order: a rule that reads it as if it were known raises, and a rule
    that raises is a violation. So carelessness with unknown values denies; it never lets pass.
    """

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth value")

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as the engine registers it.

    `props` are the inputs under their wire names (camelCase), secrets unwrapped, unknown values replaced
    by UNKNOWN. `secrets` are the paths of the values that are marked secret (`uploads[0].content`).
    `property_dependencies` maps an input's name to the URNs that its value was made from. `provider` is
    the provider's URN, None for a component.
    """

    type: str
    name: str
    urn: str
    props: Props = field(default_factory=lambda: NO_PROPS)
    parent: str | None = None
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    provider: str | None = None
    secrets: frozenset[str] = frozenset()
    ignore_changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule has to say about a resource (an empty URN means the whole stack).

    Only `mandatory` violations block. `advisory` ones are printed: waived violations, and rules whose
    part of the program is optional.
    """

    rule: str
    severity: Severity
    urn: str
    message: str
    remediation: str
    level: Level = "mandatory"

    @property
    def blocking(self) -> bool:
        return self.level == "mandatory"


@dataclass(frozen=True, slots=True)
class Waiver:
    """A violation that somebody accepted: for one rule and one resource, with a reason, until a day."""

    rule: str
    urn: str
    reason: str
    expires: date


@dataclass(frozen=True, slots=True)
class PackConfig:
    """What a project may set: types beyond the table (type → reason) and waivers. Tests set `today`."""

    allowed_types: Mapping[str, str] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    today: date = field(default_factory=date.today)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a stack rule found: the resource's URN (empty: the stack) and what is wrong with it."""

    urn: str
    message: str


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One of the ten items: its number and text, whether it holds, and what in the graph shows it."""

    number: int
    item: str
    ok: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """The four metrics and the ten-item checklist of one stack. `layers` names the layers that are counted."""

    open_inbound_ports: int
    security_layers: int
    tls_termination_points: int
    centralized_ingress_percent: int
    checklist: tuple[ChecklistItem, ...]
    layers: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The shape in which the score leaves the program."""
        return {
            "open_inbound_ports": self.open_inbound_ports,
            "security_layers": self.security_layers,
            "tls_termination_points": self.tls_termination_points,
            "centralized_ingress_percent": self.centralized_ingress_percent,
            "checklist": [{"item": item.item, "ok": item.ok, "evidence": item.evidence} for item in self.checklist],
        }


ResourceCheck: TypeAlias = Callable[[Resource], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule about one resource.

    `claim` is the sentence that holds while nothing is reported; `threat` is its anchor in
    docs/threat-model.md; `types` are the tokens it is for; `check` yields one message a finding, made of
    property paths, never of property values. `waivable` is False for what would open a way in.
    """

    id: str
    severity: Severity
    claim: str
    remediation: str
    threat: str
    types: tuple[str, ...]
    check: ResourceCheck
    waivable: bool = True
    level: Level = "mandatory"


@dataclass(frozen=True, slots=True)
class StackRule:
    """One rule about a whole stack. `check` yields findings; the other fields are those of Rule."""

    id: str
    severity: Severity
    claim: str
    remediation: str
    threat: str
    check: Callable[[Stack], Iterable[Finding]]
    waivable: bool = True
    level: Level = "mandatory"


def has_unknown(value: object) -> bool:
    """True if the value is unknown or holds an unknown at any depth."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Mapping):
        return any(has_unknown(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(has_unknown(inner) for inner in value)
    return False


def leaves(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar in a value with its path, as in `uploads[0].content`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value
