"""What the clouds would add to a resource's inputs: made up from names, so that a run is repeatable.

Nothing here is a secret: generated passwords and keys are stand-ins that say so, wherever they end up.
"""

import base64
import hashlib
import uuid
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network
from typing import Any

Inputs = Mapping[str, Any]
Simulated = Callable[[str, Inputs], dict[str, Any]]

FIRST_ID = 100_000


def resource_id(token: str, name: str) -> str:
    """A provider's id: Hetzner's are numbers, Cloudflare's tunnels have UUIDs."""
    if token.startswith("hcloud:"):
        return str(number(name))
    if token.startswith("cloudflare:"):
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
    return f"{name}-id"


def outputs_of(token: str, name: str, inputs: Inputs) -> dict[str, Any]:
    """What is known of a resource only once it exists."""
    simulated = SIMULATED.get(token)
    return simulated(name, inputs) if simulated else {}


def number(name: str) -> int:
    """A repeatable number of a name."""
    return FIRST_ID + int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "big")


def masked(name: str) -> str:
    """A stand-in for a secret of this name: fit for a URL and a configuration file, and plainly no secret."""
    return f"masked-{name}"


def _key(name: str, _inputs: Inputs) -> dict[str, Any]:
    blob = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + hashlib.sha256(name.encode()).digest()
    public = f"ssh-ed25519 {base64.b64encode(blob).decode()}"
    return {"publicKeyOpenssh": f"{public}\n", "privateKeyOpenssh": masked(name), "privateKeyPem": masked(name)}


def _server(_name: str, _inputs: Inputs) -> dict[str, Any]:
    return {"ipv4Address": "192.0.2.10", "ipv6Address": "2001:db8::1", "status": "running"}


def _address(name: str, _inputs: Inputs) -> dict[str, Any]:
    """Of the range that is for tests of devices, where no two names are likely to meet."""
    return {"ipAddress": str(IPv4Network("198.18.0.0/15")[number(name) % 2**17])}


def _image(name: str, inputs: Inputs) -> dict[str, Any]:
    digest = hashlib.sha256(str(inputs.get("name", name)).encode()).hexdigest()
    return {"imageId": f"sha256:{digest}", "repoDigest": f"{inputs.get('name', name)}@sha256:{digest}"}


def _service_token(name: str, _inputs: Inputs) -> dict[str, Any]:
    return {"clientId": f"{number(name)}.access", "clientSecret": masked(name)}


SIMULATED: dict[str, Simulated] = {
    "random:index/randomPassword:RandomPassword": lambda name, _: {"result": masked(name)},
    "tls:index/privateKey:PrivateKey": _key,
    "tls:index/selfSignedCert:SelfSignedCert": lambda name, _: {"certPem": masked(name)},
    "hcloud:index/server:Server": _server,
    "hcloud:index/primaryIp:PrimaryIp": _address,
    "hcloud:index/volume:Volume": lambda name, _: {"linuxDevice": f"/dev/disk/by-id/scsi-0HC_Volume_{number(name)}"},
    "docker:index/remoteImage:RemoteImage": _image,
    "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication": lambda name, _: {
        "aud": hashlib.sha256(name.encode()).hexdigest()
    },
    "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken": _service_token,
    "random:index/randomString:RandomString": lambda name, inputs: {
        "result": hashlib.sha256(name.encode()).hexdigest()[: int(inputs.get("length", 8))]
    },
}
