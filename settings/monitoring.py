"""Settings of monitoring: who is told, what is kept, and the images."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field

from settings.image import own_image
from settings.values import Duration, Email, Hostname, Image, Model, SecretName, Size

ROOT = Path(__file__).parents[1]
PACK_CONFIG = "policy-config.json"
"""What the policy pack is configured with: docs/policy.md."""


class Webhook(Model):
    """An address that takes Alertmanager's JSON, as a POST to https://DOMAIN/PATH."""

    domain: Hostname
    path: SecretName = Field(description="Stack secret: what follows https://DOMAIN/ and is nobody's business.")


class Ntfy(Model):
    """Push messages by ntfy 2.14 or later. Whoever knows the topic reads along, so it is a secret."""

    domain: Hostname = "ntfy.sh"
    topic: SecretName = Field(description="Stack secret with the topic; a name under `generated` will do.")
    token: SecretName | None = Field(None, description="Stack secret with an access token, where the server wants one.")


class Mail(Model):
    """E-mail by a server that speaks TLS from the first byte, on port 465."""

    server: Hostname
    user: str = Field(min_length=1, max_length=254)
    password: SecretName = Field(description="Stack secret.")
    sender: Email
    to: tuple[Email, ...] = Field(min_length=1)


class Logs(Model):
    """Where the gateway's log goes as well: each line as JSON, in a POST to https://DOMAIN/PATH."""

    domain: Hostname
    path: SecretName = Field(description="Stack secret: what follows https://DOMAIN/.")
    image: Image = own_image("log-shipper", "syslog-ng.")


class Waiver(Model):
    """An exception from the policy pack, which ends on a day."""

    rule: str
    urn: str
    expires: date


class Images(Model):
    """What monitoring runs."""

    prometheus: Image = own_image("prometheus")
    alertmanager: Image = own_image("alertmanager")
    node_exporter: Image = own_image("node-exporter")
    prober: Image = own_image("prober")
    postgres_exporter: Image = own_image("postgres-exporter")
    redis_exporter: Image = own_image("redis-exporter")
    mail_relay: Image = own_image("mail-relay")


class Monitoring(Model):
    """Prometheus, Alertmanager and exporters. What is watched follows from the rest of the stack file."""

    webhook: Webhook | None = None
    ntfy: Ntfy | None = None
    mail: Mail | None = None
    heartbeat: Webhook | None = Field(
        None, description="Called every five minutes while all is well: who is missed there is dead."
    )
    logs: Logs | None = Field(None, description="Without it the gateway's log stays on the server.")
    keep: Duration = Field("15d", description="How long measurements are kept.")
    keep_size: Size = Field("2g", description="What they may take of the disk; the oldest go first.")
    images: Images = Images()

    @property
    def is_heard(self) -> bool:
        """Whether an alert reaches anybody."""
        return bool(self.webhook or self.ntfy or self.mail)

    @property
    def domains(self) -> tuple[str, ...]:
        """Where Alertmanager calls, on port 443."""
        called = (self.webhook, self.ntfy, self.heartbeat)
        return tuple(sorted({receiver.domain for receiver in called if receiver}))

    @property
    def secrets(self) -> dict[str, str]:
        """Key below ``monitoring`` → the stack secret that it names."""
        return dict(self._secrets())

    def _secrets(self) -> Iterator[tuple[str, str]]:
        for key in ("webhook", "heartbeat", "logs"):
            target = getattr(self, key)
            if target:
                yield f"{key}.path", target.path
        if self.ntfy:
            yield "ntfy.topic", self.ntfy.topic
            if self.ntfy.token:
                yield "ntfy.token", self.ntfy.token
        if self.mail:
            yield "mail.password", self.mail.password


def waivers() -> tuple[Waiver, ...]:
    """The waivers of the policy pack's configuration, where there is one. Raises ``ValueError`` where it is none."""
    path = ROOT / PACK_CONFIG
    if not path.is_file():
        return ()
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        entries = config.get("waiver-valid", {}).get("waivers", [])
        return tuple(Waiver(rule=each["rule"], urn=each["urn"], expires=each["expires"]) for each in entries)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is no configuration of the policy pack: {error}") from None
