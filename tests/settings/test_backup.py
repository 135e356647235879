"""What a stack file may say of backups."""

from typing import Any

import pytest

from settings.load import SettingsError
from tests.samples import cloud_stack, local_stack, service, settings
from topology.egress import egress
from topology.nodes import copied
from topology.plan import plan

KEYS = {"id": "key_id", "secret": "key"}
SECRETS = {"key_id": "x", "key": "y"}
S3 = {"endpoint": "s3.example.net", "bucket": "bucket"}


def stack(make: Any = cloud_stack, backup: dict[str, Any] | None = None, **services: Any) -> dict[str, Any]:
    raw: dict[str, Any] = make(backup=backup if backup is not None else {}, secrets=SECRETS)
    raw["services"] |= services
    return raw


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (stack(notes=service(volumes={"data": "/data"})), r"services\.notes\.backup: the service has volumes"),
        (stack(notes=service(backup="files")), r"services\.notes\.backup: there are no volumes"),
        (stack(notes=service(backup="postgres")), r"services\.notes\.backup: postgres goes with preset"),
        (stack(**{"postgres-backup": service()}), r"services\.postgres-backup: this name is taken"),
        (stack(backup={"store": "s3", "s3": S3}), r"backup\.keys: needed with store: s3"),
        (stack(backup={"store": "s3", "keys": KEYS}), r"backup\.s3: goes with store: s3"),
        (stack(backup={"s3": S3}), r"backup\.s3: goes with store: s3"),
        (stack(backup={"store": "volume", "keys": KEYS}), r"backup\.keys: a volume needs none"),
        (stack(local_stack), r"backup\.store: with target: local"),
        (stack(backup={"keys": {"id": "key_id", "secret": "other"}}), r"backup\.keys\.secret: no such secret"),
        (stack(backup={"password": "other"}), r"backup\.password: no such secret"),
        (stack(backup={"password": "key", "passwords": 2}), r"backup\.passwords: counts those"),
        (stack(backup={"keep": {"daily": 0}}), r"backup\.keep\.daily"),
        (stack(backup={"at": "24:00"}), r"backup\.at"),
        (stack(backup={"image": "restic/restic"}), r"backup\.image: pin the image"),
    ],
)
def test_what_is_not_right_is_refused_with_its_place(raw: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        settings(raw)


@pytest.mark.parametrize(
    "raw",
    [
        stack(),
        stack(backup={"keys": KEYS}),
        stack(backup={"store": "s3", "s3": S3, "keys": KEYS}),
        stack(local_stack, {"store": "volume"}),
        stack(notes=service(volumes={"data": "/data"}, backup="none")),
    ],
)
def test_what_is_right_is_not(raw: dict[str, Any]) -> None:
    assert settings(raw).backup is not None


def test_without_backups_nothing_has_to_be_said_and_nothing_is_copied() -> None:
    raw: dict[str, Any] = cloud_stack()
    raw["services"]["notes"] = service(volumes={"data": "/data"})
    found = settings(raw)
    assert copied(found) == ()
    assert [name for name in plan(found).nodes if name.endswith("-backup")] == []


@pytest.mark.parametrize(
    ("raw", "domains"),
    [
        (stack(), (f"{'0' * 32}.r2.cloudflarestorage.com",)),
        (stack(backup={"store": "s3", "s3": S3, "keys": KEYS}), ("s3.example.net",)),
        (stack(local_stack, {"store": "volume"}), None),
    ],
)
def test_the_keeper_may_call_the_buckets_host_and_no_other(
    raw: dict[str, Any], domains: tuple[str, ...] | None
) -> None:
    assert egress(settings(raw)).get("backup") == domains
