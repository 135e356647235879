"""The rule table: every rule of the pack, found by type."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from . import (
    access,
    bucket,
    checklist,
    command,
    container_isolation,
    container_limits,
    container_mounts,
    container_ports,
    dns,
    docker_host,
    edge,
    firewall,
    hetzner,
    image,
    network,
    options,
    provider,
    ruleset,
    score,
    secrets,
    server,
    service,
    stack_connector,
    stack_data,
    stack_ingress,
    stack_network,
    stack_source,
    tunnel,
    types,
    user_data,
    volume,
)
from .model import Rule, StackRule

RESOURCE_RULES: Final[tuple[Rule, ...]] = (
    types.DEFAULT_DENY,
    *options.RULES,
    *secrets.RULES,
    *firewall.RULES,
    *server.RULES,
    *user_data.RULES,
    *hetzner.RULES,
    *container_ports.RULES,
    *container_isolation.RULES,
    *container_mounts.RULES,
    *container_limits.RULES,
    *service.RULES,
    *network.RULES,
    *volume.RULES,
    *image.RULES,
    *docker_host.RULES,
    *provider.RULES,
    *dns.RULES,
    *tunnel.RULES,
    *access.RULES,
    *edge.RULES,
    *bucket.RULES,
    *ruleset.RULES,
    *command.RULES,
)

STACK_RULES: Final[tuple[StackRule, ...]] = (
    *stack_source.RULES,
    *stack_data.RULES,
    *stack_network.RULES,
    *stack_ingress.RULES,
    *stack_connector.RULES,
    *score.RULES,
    *checklist.RULES,
)

FOR_ALL_TYPES: Final = tuple(rule for rule in RESOURCE_RULES if rule.types == ("*",))


def by_type(rules: tuple[Rule, ...]) -> Mapping[str, tuple[Rule, ...]]:
    """Type token → its rules, those for all types among them."""
    tokens = {token for rule in rules for token in rule.types} - {"*"}
    return MappingProxyType(
        {
            token: tuple(rule for rule in rules if token in rule.types or rule.types == ("*",))
            for token in sorted(tokens)
        }
    )


BY_TYPE: Final = by_type(RESOURCE_RULES)
ALL: Final[tuple[Rule | StackRule, ...]] = (*RESOURCE_RULES, *STACK_RULES)
BY_ID: Final[Mapping[str, Rule | StackRule]] = MappingProxyType({rule.id: rule for rule in ALL})
