"""Secrets: marked as secret, in files where containers read them, never in plain text."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from .model import UNKNOWN, Resource, Rule, leaves
from .reading import View, labels
from .tokens import CONTAINER, SECRET, SERVER, SERVICE, TUNNELS

MUST_BE_SECRET: Final[Mapping[str, tuple[str, ...]]] = {
    SERVER: ("userData",),
    **{token: ("tunnelSecret", "secret") for token in TUNNELS},
    "pulumi:providers:hcloud": ("token",),
    "pulumi:providers:cloudflare": ("apiToken", "apiKey", "apiUserServiceKey"),
    "hcloud:index/storageBox:StorageBox": ("password",),
    SECRET: ("data",),
    "command:remote:Command": ("connection.password", "connection.privateKey"),
}
SECRET_NAME: Final = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?)$", re.IGNORECASE
)
NOT_A_SECRET: Final = re.compile(r"^(?:|true|false|yes|no|on|off|\d{1,6}|[@/].*|file:.*)$", re.IGNORECASE)
WITH_PASSWORD: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@]*:[^\s/@]+@", re.IGNORECASE)
SECRET_SHAPE: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJhIjoi[A-Za-z0-9+/=]{40,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bxox[baprs]-[A-Za-z0-9-]{10,}|\bsk_live_[A-Za-z0-9]{16,}"
)
"""Texts that are secrets beyond doubt: private keys, tunnel tokens, keys of AWS, GitHub, Slack, Stripe."""


def marked(resource: Resource) -> Iterator[str]:
    for path in MUST_BE_SECRET[resource.type]:
        top, _, rest = path.partition(".")
        value = resource.props.get(top)
        if rest and isinstance(value, Mapping):
            value = value.get(rest)
        if value not in (None, "") and not {top, path} & resource.secrets:
            yield f"{path}: not marked as a secret, so the state and the logs show it"


def no_plain_text(resource: Resource) -> Iterator[str]:
    for path, value in leaves(resource.props):
        shaped = isinstance(value, str) and len(value) > 15 and SECRET_SHAPE.search(value)
        if shaped and not is_secret(path, resource.secrets):
            yield f"{path}: a secret in plain text"


def is_secret(path: str, secrets: frozenset[str]) -> bool:
    """True if the path, or a map or list that holds it, is marked as a secret."""
    return any(path == mark or path.startswith((f"{mark}.", f"{mark}[")) for mark in secrets)


def files_only(resource: Resource) -> Iterator[str]:
    for path in sorted(resource.secrets):
        if not path.startswith(("uploads", "registryAuth")):
            yield f"{path}: a secret that `docker inspect` shows; it belongs into a file, by a carrier"
    container = View(resource.props)
    for index, entry in enumerate(container.items("envs")):
        if entry is UNKNOWN or not isinstance(entry, str) or _is_secret_entry(entry):
            yield f"envs[{index}]: unknown, or a secret by its name or form; name a file instead"
    for key in ("command", "entrypoints"):
        for index, word in enumerate(container.texts(key)):
            if WITH_PASSWORD.search(word):
                yield f"{key}[{index}]: a password in the arguments"
    if any(SECRET_NAME.search(name) for name in labels(resource.props)):
        yield "labels: a secret by its name"


def _is_secret_entry(entry: str) -> bool:
    name, _, value = entry.partition("=")
    return bool(SECRET_NAME.search(name) and not NOT_A_SECRET.match(value)) or bool(WITH_PASSWORD.search(value))


def service_files_only(resource: Resource) -> Iterator[str]:
    for path in sorted(resource.secrets):
        if not path.startswith("auth"):
            yield f"{path}: a secret that `docker service inspect` shows; it belongs into a Secret"
    specification = View(resource.props).view("taskSpec").view("containerSpec")
    for key in ("commands", "args"):
        for index, word in enumerate(specification.texts(key)):
            if WITH_PASSWORD.search(word):
                yield f"{specification.at(key)}[{index}]: a password in the arguments"
    for name, value in specification.view("env").props.items():
        if value is UNKNOWN or _is_secret_entry(f"{name}={value}"):
            yield f"{specification.at('env')}: a secret by its name or form; name a file instead"


RULES = (
    Rule(
        id="secret-marked",
        severity="high",
        claim="Inputs that hold secrets are marked as secrets.",
        remediation="Wrap the value with Output.secret, or take it from a resource whose output is secret.",
        threat="secrets",
        types=tuple(MUST_BE_SECRET),
        check=marked,
    ),
    Rule(
        id="secret-plain-text",
        severity="critical",
        claim="No input holds a private key or a token in plain text.",
        remediation="Take it from the configuration with require_secret, or generate it in the program.",
        threat="secrets",
        types=("*",),
        check=no_plain_text,
        waivable=False,
    ),
    Rule(
        id="container-secret-file",
        severity="high",
        claim="A container reads secrets from files, not from its environment, arguments or labels.",
        remediation="Upload the secret by a carrier and name the file (…_FILE=/run/secrets/…).",
        threat="secrets",
        types=(CONTAINER,),
        check=files_only,
    ),
    Rule(
        id="service-secret-file",
        severity="high",
        claim="A service of a Swarm reads secrets from files, not from its environment, arguments or labels.",
        remediation="Use a Docker secret and name its file.",
        threat="secrets",
        types=(SERVICE,),
        check=service_files_only,
    ),
)
