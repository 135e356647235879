"""Inputs and outputs of one resource, for the stack rules: what was asked for, and what there is."""

from dataclasses import replace
from typing import Final

from . import tokens
from .model import UNKNOWN, Resource

TOLD: Final = frozenset({"rules", "firewallIds", "ports", "internal", "content", "proxied", "type"})
"""Outputs that count for more than inputs: a change by hand shows there. Providers rewrite most others."""
READ_AS_WRITTEN: Final = frozenset(
    {tokens.FIREWALL, tokens.NETWORK, *tokens.DNS_RECORDS, *tokens.TUNNEL_CONFIGS, *tokens.ACCESS_POLICIES}
)
"""Types whose outputs look like their inputs: where one was read and not registered, its outputs are checked."""


def merged(inputs: Resource | None, outputs: Resource) -> Resource:
    """One resource of both. Without inputs, which is so for one that was only read, the outputs alone.

    At a first preview the outputs of a provider that is not configured yet are empty.
    """
    if inputs is None or not inputs.props:
        return outputs
    told = {key: value for key, value in outputs.props.items() if key in TOLD and value is not UNKNOWN}
    return replace(outputs, props={**inputs.props, **told}, secrets=inputs.secrets | outputs.secrets)
