"""Alertmanager's and the prober's files, as texts and on the real programs."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring import render
from components.monitoring.render import values
from settings.load import SettingsError
from tests.components.monitoring.planned import EVERYTHING, SECRETS, everything, given
from tests.programs import need
from tests.samples import cloud_stack, local_stack, settings

RECEIVERS: list[dict[str, Any]] = [
    {key: value for key, value in EVERYTHING.items() if key in keys}
    for keys in ({"webhook"}, {"ntfy"}, {"mail"}, {"webhook", "heartbeat"}, set(EVERYTHING))
]


def alertmanager(monitoring: dict[str, Any]) -> str:
    raw = cloud_stack(monitoring=monitoring, secrets=dict.fromkeys(SECRETS, "x"))
    return render.alertmanager(values(settings(raw), "dev"))


def for_debian(text: str, url: str = "https://example.org/") -> str:
    """Debian 12's Alertmanager (0.25) has no ``url_file``, which came with 0.26: the address itself stands there."""
    return re.sub(r"url_file: \S+", f"url: {url}", text)


def amtool(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["amtool", "check-config", str(path)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("monitoring", RECEIVERS, ids=lambda found: "+".join(found))
def test_alertmanager_takes_its_configuration(monitoring: dict[str, Any], tmp_path: Path) -> None:
    need("amtool")
    path = tmp_path / "alertmanager.yaml"
    path.write_text(for_debian(alertmanager(monitoring)))
    done = amtool(path)
    assert done.returncode == 0, done.stderr


def test_control_a_receiver_that_is_not_there_is_found(tmp_path: Path) -> None:
    need("amtool")
    path = tmp_path / "alertmanager.yaml"
    path.write_text(for_debian(alertmanager(EVERYTHING)).replace("receiver: heartbeat", "receiver: nurse"))
    assert amtool(path).returncode != 0


def test_everything_leaves_by_the_proxy() -> None:
    found = yaml.safe_load(alertmanager(EVERYTHING))
    calls = [hook for receiver in found["receivers"] for hook in receiver.get("webhook_configs", [])]
    assert len(calls) == 3
    assert {call["http_config"]["proxy_url"] for call in calls} == {"http://egress-proxy:3128"}
    assert found["global"]["smtp_smarthost"] == "mail-relay:465"
    mails = [mail for receiver in found["receivers"] for mail in receiver.get("email_configs", [])]
    assert {mail["tls_config"]["server_name"] for mail in mails} == {"smtp.example.net"}


def test_no_secret_is_in_a_configuration() -> None:
    secrets = {name: f"secret-{name}" for name in SECRETS}
    stack = settings(cloud_stack(monitoring=EVERYTHING, secrets=secrets))
    texts = [render.alertmanager(values(stack, "dev")), *render.prometheus(values(stack, "dev")).values()]
    assert [name for name, value in secrets.items() if any(value in text for text in texts)] == []


def test_what_a_stack_lacks_is_not_asked() -> None:
    local = values(settings(local_stack()), "dev")
    assert {job.name for job in local.jobs} == {
        "prometheus", "gateway", "crowdsec", "node-exporter", "alertmanager", "postgres-exporter",
    }  # fmt: skip
    assert not {"tunnel.yaml", "outside.yaml", "waiver.yaml"} & set(local.rules)
    assert {"cloudflared", "cache-exporter"} <= {job.name for job in given().jobs}


def test_waivers_come_from_the_policy_packs_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("settings.monitoring.ROOT", tmp_path)
    waiver = {"rule": "image-pinned", "urn": "urn", "reason": "none of ours", "expires": "2027-01-31"}
    (tmp_path / "policy-config.json").write_text(json.dumps({"waiver-valid": {"waivers": [waiver]}}))
    found = values(everything(), "dev")
    assert "vector(1801439999) - time()" in render.prometheus(found)[f"{render.CONFIG}/waiver.yaml"]


@pytest.mark.parametrize(
    ("monitoring", "message"),
    [
        ({}, "monitoring: alerts would reach nobody"),
        ({"ntfy": {"topic": "none_such"}}, "monitoring.ntfy.topic: no such secret"),
        ({"ntfy": {"topic": "alert_topic"}, "webhoook": {}}, "monitoring.webhoook"),
    ],
    ids=["nobody to tell", "a secret that is none", "a key that is none"],
)
def test_a_mistake_is_said_with_its_key(monitoring: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings(cloud_stack(monitoring=monitoring))
    assert message in str(error.value)


def test_a_file_of_waivers_that_is_none_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("settings.monitoring.ROOT", tmp_path)
    (tmp_path / "policy-config.json").write_text('{"waiver-valid": {"waivers": [{"rule": "image-pinned"}]}}')
    with pytest.raises(SettingsError, match="is no configuration of the policy pack"):
        everything()


def test_a_service_can_not_take_an_exporters_name() -> None:
    raw = local_stack()
    raw["services"]["postgres-exporter"] = {"preset": "redis"}
    with pytest.raises(SettingsError, match=r"services\.postgres-exporter: this name is taken"):
        settings(raw)


@pytest.mark.parametrize(("spoiled", "code"), [("", 0), ("method(", 1)], ids=["as it is", "control: a mistake"])
def test_syslog_ng_takes_its_configuration(tmp_path: Path, spoiled: str, code: int) -> None:
    need("syslog-ng")
    text = render.log_shipper(str(tmp_path))
    (tmp_path / "log-shipper.conf").write_text(text.replace(spoiled, "metod(") if spoiled else text)
    (tmp_path / "target.conf").write_text(render.target("logs.example.net", "in/secret"))
    command = ["syslog-ng", "--syntax-only", "--no-caps", f"--cfgfile={tmp_path}/log-shipper.conf"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == bool(code), done.stderr


def test_the_prober_takes_its_configuration(tmp_path: Path) -> None:
    need("prometheus-blackbox-exporter")
    path = tmp_path / "prober.yaml"
    for text, code in ((render.prober(), 0), (render.prober().replace("prober: http", "probber: http"), 1)):
        path.write_text(text)
        command = ["prometheus-blackbox-exporter", f"--config.file={path}", "--config.check"]
        assert subprocess.run(command, capture_output=True, check=False).returncode == code
