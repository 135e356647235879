"""One plan of the engine, in a person's words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REPLACING = {"replace", "create-replacement", "delete-replaced"}
VERBS = {"update": "in place", "replace": "replaced", "create": "made", "delete": "removed"}
"""Operation → what is said of it, in the order in which it is said."""
NOUNS = {
    "hcloud:index/volume:Volume": "data volume",
    "hcloud:index/volumeAttachment:VolumeAttachment": "its attachment",
    "hcloud:index/sshKey:SshKey": "SSH key",
    "docker:index/remoteImage:RemoteImage": "image",
    "docker:index/volume:Volume": "volume",
    "cloudflare:index/dnsRecord:DnsRecord": "DNS record",
    "cloudflare:index/r2Bucket:R2Bucket": "bucket",
    "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": "tunnel",
    "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig": "tunnel's configuration",
    "command:local:Command": "the wait for Docker",
    "pulumi:providers:docker": "the way to Docker",
}
ONE_BY_ONE = 3
"""More of one kind are counted, not named."""
DATA = ("hcloud:index/volume:Volume", "docker:index/volume:Volume", "cloudflare:index/r2Bucket:R2Bucket")
MADE_AGAIN = ("-files-", "-exchange")
"""In the names of volumes whose content the program makes again: files of a container, copies on their way."""
REFUSED = re.compile(
    r'unable to (?P<verb>replace|delete) resource "(?P<urn>[^"]+)" as|resource "(?P<gone>[^"]+)" cannot be'
)


@dataclass(frozen=True)
class Effect:
    """``operations`` maps each resource's URN to what happens to it; ``refused`` is what stops it all."""

    operations: Mapping[str, str]
    refused: str = ""

    def lost_data(self) -> list[str]:
        """URNs of what holds data and would be replaced or removed."""
        lost = [urn for urn, operation in self.operations.items() if operation in ("replace", "delete")]
        return [urn for urn in lost if kind(urn) in DATA and not any(part in name(urn) for part in MADE_AGAIN)]

    def text(self) -> str:
        """For a cell of a table."""
        if self.refused:
            return f"**refused**: {self.refused}"
        parts = [f"{said}: {self._named(verb)}" for verb, said in VERBS.items() if verb in self.operations.values()]
        return "; ".join(parts) or "nothing"

    def _named(self, verb: str) -> str:
        names: dict[str, list[str]] = {}
        for urn, operation in self.operations.items():
            if operation == verb:
                names.setdefault(noun(urn), []).append(name(urn))
        return ", ".join(_listed(of, found) for of, found in sorted(names.items()))


def _listed(of: str, names: list[str]) -> str:
    if len(names) > ONE_BY_ONE:
        return f"{len(names)} {of}s"
    return f"{of} {', '.join(f'`{each}`' for each in sorted(names))}"


def effect(steps: Sequence[Mapping[str, Any]]) -> Effect:
    """Of the steps of a plan. Components have no counterpart outside, so nothing is said of them."""
    found: dict[str, str] = {}
    for step in steps:
        operation = "replace" if step["op"] in REPLACING else str(step["op"])
        if operation in VERBS and not kind(step["urn"]).startswith(("zero-exposure:", "pulumi:pulumi:")):
            found[step["urn"]] = operation
    return Effect(found)


def refusal(message: str) -> Effect:
    """Of a plan that the engine refuses. Raises ``ValueError`` for a message that is about something else."""
    every = REFUSED.finditer(re.sub(r"\s+", " ", message))
    found = {(each["verb"] != "replace", each["urn"] or each["gone"]) for each in every}
    if not found:
        raise ValueError(message)
    return Effect({}, "; ".join(_protected(urn, "removed" if gone else "replaced") for gone, urn in sorted(found)))


def _protected(urn: str, lot: str) -> str:
    return f"{noun(urn)} `{name(urn)}` is protected, and would be {lot}"


def kind(urn: str) -> str:
    """Type token of a resource, without its parents'."""
    return urn.split("::")[2].rpartition("$")[2]


def name(urn: str) -> str:
    """The program's name of it."""
    return urn.rpartition("::")[2]


def noun(urn: str) -> str:
    """What a person calls it."""
    token = kind(urn)
    return NOUNS.get(token) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", token.rpartition(":")[2]).lower()
