"""Resource options: exposure can't be left to drift, and code can't hide in a resource."""

from collections.abc import Iterator, Mapping
from typing import Final

from . import tokens
from .model import Resource, Rule

LIST: Final = "cloudflare:index/list:List"
MAY_IGNORE: Final[Mapping[str, frozenset[str]]] = {
    LIST: frozenset({"items"}),
    tokens.SERVER: frozenset({"userData", "sshKeys"}),
}
"""What comes and goes by itself, and what nobody can change by hand: a server has it from its first boot on."""
DYNAMIC: Final = (
    "pulumi-python:dynamic:Resource",
    "pulumi-nodejs:dynamic:Resource",
    "pulumi-java:dynamic:Resource",
)


def nothing_ignored(resource: Resource) -> Iterator[str]:
    for path in resource.ignore_changes:
        if path not in MAY_IGNORE.get(resource.type, ()):
            yield "ignoreChanges: a change by hand would stay; only inputs of a short list may be ignored"


def no_dynamic(resource: Resource) -> Iterator[str]:
    yield f"{resource.type}: code that runs at deployment and shows nothing of what it does"


RULES = (
    Rule(
        id="option-ignore-changes",
        severity="high",
        claim="No input is exempt from updates but what nobody can change by hand, and a list's entries.",
        remediation="Take the input out of ignoreChanges.",
        threat="operations",
        types=("*",),
        check=nothing_ignored,
    ),
    Rule(
        id="dynamic-resource",
        severity="critical",
        claim="No resource is a dynamic one.",
        remediation="Use a provider's resource, whose inputs can be checked.",
        threat="operations",
        types=DYNAMIC,
        check=no_dynamic,
        waivable=False,
    ),
)
