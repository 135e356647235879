"""A stack that uses all of monitoring, and its values."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from components.monitoring.render import Values, prometheus, values
from settings.monitoring import Waiver
from settings.stack import Settings
from tests.samples import cloud_stack, settings

EVERYTHING: dict[str, Any] = {
    "webhook": {"domain": "hooks.example.net", "path": "hook_path"},
    "ntfy": {"topic": "alert_topic", "token": "ntfy_token"},
    "mail": {
        "server": "smtp.example.net",
        "user": "watch",
        "password": "mail_password",
        "sender": "watch@example.org",
        "to": ["someone@example.org", "other@example.org"],
    },
    "logs": {"domain": "logs.example.net", "path": "logs_path"},
    "heartbeat": {"domain": "beats.example.net", "path": "beat_path"},
}
SECRETS = ("hook_path", "ntfy_token", "mail_password", "beat_path", "logs_path")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WAIVER = Waiver(rule="image-pinned", urn="urn:pulumi:dev::image", expires=date(1970, 1, 31))
"""Tests of rules begin at the epoch: this one ends on their thirty-first day."""


def everything(**more: Any) -> Settings:
    """A stack with every receiver and every database that has an exporter."""
    raw = cloud_stack(monitoring={**EVERYTHING, **more}, secrets=dict.fromkeys(SECRETS, "x"))
    raw["services"]["cache"] = {"preset": "redis"}
    return settings(raw)


def given(stack: Settings | None = None, waiver: Waiver = WAIVER, machines: int = 0) -> Values:
    """Values with a waiver among them; with ``machines`` of a Swarm with two gateways."""
    plain = values(stack or everything(), "dev")
    swarm = {"machines": machines, "gateways": 2, "followed": ("postgres",)} if machines else {}
    return Values(**{**vars(plain), "waivers": (waiver,), **swarm})


def write(folder: Path, found: Values) -> Path:
    """Prometheus's files in a folder of this machine; the path of the main one."""
    for path, text in prometheus(Values(**{**vars(found), "folder": str(folder)})).items():
        Path(path).write_text(text, encoding="utf-8")
    return folder / "prometheus.yaml"


def soon() -> Waiver:
    """A waiver that ends in a week from now."""
    return WAIVER.model_copy(update={"expires": datetime.now(UTC).date() + timedelta(days=7)})
