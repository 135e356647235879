"""Resource options: exposure can't be left to drift, and code can't hide in a resource."""

from collections.abc import Iterator, Mapping
from typing import Final

from . import tokens
from .model import Resource, Rule

WATCHED: Final[Mapping[str, frozenset[str]]] = {
    tokens.FIREWALL: frozenset({"rules", "applyTos"}),
    tokens.SERVER: frozenset({"firewallIds", "publicNets", "ignoreRemoteFirewallIds", "rescue", "iso"}),
    tokens.CONTAINER: frozenset(
        {
            "ports",
            "publishAllPorts",
            "networkMode",
            "networksAdvanced",
            "privileged",
            "volumes",
            "mounts",
            "capabilities",
        }
    ),
    tokens.NETWORK: frozenset({"internal", "options", "driver", "attachable"}),
    tokens.SERVICE: frozenset({"endpointSpec", "taskSpec", "mode"}),
    tokens.SERVER_NETWORK: frozenset({"subnetId", "ip"}),
    tokens.DNS_RECORDS[0]: frozenset({"content", "proxied", "type"}),
    tokens.TUNNELS[0]: frozenset({"configSrc"}),
    tokens.TUNNEL_CONFIGS[0]: frozenset({"config", "source"}),
    tokens.ACCESS_APPLICATIONS[0]: frozenset({"policies", "domain", "type"}),
    tokens.ACCESS_POLICIES[0]: frozenset({"decision", "includes"}),
    tokens.ZONE_SETTING: frozenset({"value"}),
    tokens.RULESET: frozenset({"rules"}),
}
"""The inputs that decide exposure, by type."""
DYNAMIC: Final = (
    "pulumi-python:dynamic:Resource",
    "pulumi-nodejs:dynamic:Resource",
    "pulumi-java:dynamic:Resource",
)


def nothing_ignored(resource: Resource) -> Iterator[str]:
    watched = WATCHED[resource.type]
    for path in resource.ignore_changes:
        if path == "*" or path.replace("[", ".").split(".")[0] in watched:
            yield "ignoreChanges: a change by hand to an input that decides exposure would stay"


def no_dynamic(resource: Resource) -> Iterator[str]:
    yield f"{resource.type}: code that runs at deployment and shows nothing of what it does"


RULES = (
    Rule(
        id="option-ignore-changes",
        severity="high",
        claim="No input that decides exposure is exempt from updates.",
        remediation="Take the input out of ignoreChanges.",
        threat="operations",
        types=tuple(WATCHED),
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
