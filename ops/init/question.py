"""What `make init` asks, one answer a key of the stack file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from settings.cloud import Cloudflare, Host
from settings.values import WORDS, Cidr, Email, HexId, Hostname, Image, Name, Port, SshPublicKey, User

Answers = dict[str, Any]
NONE = "none"
"""The answer that leaves out what is optional."""


@dataclass(frozen=True)
class Question:
    """``kind`` is the type that the settings give the key: the same check, and the same words where it fails."""

    key: str
    text: str
    kind: Any
    default: Callable[[Answers], str] = lambda _: ""
    optional: bool = False
    cloud: bool = False
    """Asked only where the target is the cloud."""

    def offered(self, before: Answers) -> str:
        """What an empty answer stands for: the answer of the last round, or the default."""
        value = before.get(self.key)
        if value is None:
            return self.default(before)
        return ("no", "yes")[value] if isinstance(value, bool) else str(value)

    def parse(self, answer: str) -> Any:  # noqa: ANN401 - the type is the key's
        """The value of an answer. Raises ``ValueError`` with what is right."""
        if answer in ("", NONE) and self.optional:
            return None
        if not answer:
            raise ValueError("an answer is needed")
        try:
            return TypeAdapter(self.kind).validate_python(answer)
        except ValidationError as error:
            raise ValueError(_reason(error)) from None


def _reason(error: ValidationError) -> str:
    entry = error.errors()[0]
    pattern = entry.get("ctx", {}).get("pattern")
    if pattern:
        return WORDS.get(pattern, f"it has to match {pattern}")
    return "yes or no" if entry["type"].startswith("bool") else str(entry["msg"]).removeprefix("Value error, ")


def _choices(model: Any, field: str) -> str:  # noqa: ANN401 - a pydantic model class
    return ", ".join(map(str, get_args(model.model_fields[field].annotation)))


def _kind(model: Any, field: str) -> Any:  # noqa: ANN401 - a pydantic model class
    """A field's type with its constraints."""
    return model.model_fields[field].rebuild_annotation()


def _own_key(_: Answers) -> str:
    path = Path.home() / ".ssh" / "id_ed25519.pub"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


QUESTIONS = (
    Question("domain", "Domain: a zone at Cloudflare, such as example.com", Hostname),
    Question("account_id", "Cloudflare account id, on the account's home page", HexId, cloud=True),
    Question("zone_id", "Cloudflare zone id, on the zone's overview page", HexId, cloud=True),
    Question("team", "Zero Trust team: TEAM of TEAM.cloudflareaccess.com", _kind(Cloudflare, "team"), cloud=True),
    Question(
        "plan",
        f"Cloudflare plan of the zone ({_choices(Cloudflare, 'plan')})",
        _kind(Cloudflare, "plan"),
        lambda _: "free",
        cloud=True,
    ),
    Question(
        "location",
        f"Hetzner location ({_choices(Host, 'location')})",
        _kind(Host, "location"),
        lambda _: "fsn1",
        cloud=True,
    ),
    Question("type", "Hetzner server type", _kind(Host, "type"), lambda _: "cx33", cloud=True),
    Question("operator", "Your name, as the key's name", Name, lambda _: "admin", cloud=True),
    Question("ssh_key", "Your SSH public key, one line of id_ed25519.pub", SshPublicKey, _own_key, cloud=True),
    Question("email", "Your e-mail address, for Cloudflare Access and alerts", Email, cloud=True),
    Question(
        "network",
        "Network that admin hosts exist for, such as 203.0.113.7/32",
        Cidr,
        lambda _: NONE,
        optional=True,
    ),
    Question("service", "Name of your first service", Name, lambda _: "api"),
    Question("image", "Its image, with a version", Image),
    Question("user", "The uid:gid it runs as, of its own", User, lambda _: "3000:3000"),
    Question("port", "The port it listens on in its container", Port, lambda _: "8080"),
    Question("host", "Its public host name", Hostname, lambda answers: f"{answers['service']}.{answers['domain']}"),
    Question("database", "A PostgreSQL beside it? (yes, no)", bool, lambda _: "yes"),
)
