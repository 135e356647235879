"""The containers of backups, on mocks, in a whole deployment."""

from typing import Any

import pytest

from deployment import deploy
from policy.rules.engine import check_resource, check_stack
from policy.rules.model import PackConfig, Resource
from tests.mocks import Recording, both_modes, run
from tests.samples import cloud_stack, local_stack, service, settings
from topology.plan import plan

CONTAINER = "docker:index/container:Container"
TOKENS = {"hcloud:token": "t" * 64, "cloudflare:apiToken": "t"}
KEYS = {"secrets": {"key_id": "the-id", "key": "the-key"}}
S3 = {"store": "s3", "s3": {"endpoint": "s3.example.net", "bucket": "bucket", "region": "eu-1"}}
S3_KEYS = {**S3, "keys": {"id": "key_id", "secret": "key"}}


def stack(make: Any = cloud_stack, backup: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    raw: dict[str, Any] = make(backup={} if backup is None else backup, **more)
    raw["services"]["notes"] = service(volumes={"data": "/data"}, backup="files", user="4000:4000")
    raw["services"]["scratch"] = service(volumes={"data": "/data"}, backup="none")
    return raw


def ran(raw: dict[str, Any], preview: bool) -> Recording:
    found = settings(raw)
    return run(lambda: _deploy(found), preview, TOKENS)


def _deploy(found: Any) -> None:
    deploy(found, plan(found), "dev")


def container(recording: Recording, name: str) -> Resource:
    (found,) = [resource for resource in recording.of_type(CONTAINER) if resource.name == name]
    return found


def mounts(found: Resource) -> dict[str, tuple[str, bool]]:
    """Path → volume, and whether it may only be read."""
    return {
        entry["containerPath"]: (entry["volumeName"], entry.get("readOnly", False)) for entry in found.props["volumes"]
    }


def environment(found: Resource) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in found.props["envs"])


@both_modes
def test_without_the_key_there_are_no_backups(preview: bool) -> None:
    recording = ran(cloud_stack(), preview)
    assert recording.of_type("zero-exposure:index:Backup") == []
    assert [found.name for found in recording.of_type(CONTAINER) if "backup" in found.name] == []


@both_modes
def test_there_is_one_keeper_and_a_copier_for_each_service_that_says_how(preview: bool) -> None:
    names = {found.name for found in ran(stack(), preview).of_type(CONTAINER) if "carrier" not in found.name}
    assert {name for name in names if "backup" in name} == {"backup", "postgres-backup", "notes-backup"}


@both_modes
def test_a_copier_runs_as_its_service_and_may_only_read_its_files(preview: bool) -> None:
    copier = container(ran(stack(), preview), "notes-backup")
    assert copier.props["user"] == "4000:4000"
    assert mounts(copier)["/volumes/data"] == ("dev-notes-data", True)
    assert copier.props["networkMode"] == "none"
    assert copier.secrets == frozenset()


@both_modes
def test_a_database_is_dumped_by_its_own_image_over_one_link(preview: bool) -> None:
    recording = ran(stack(), preview)
    copier, database = container(recording, "postgres-backup"), container(recording, "postgres")
    assert copier.props["image"] == database.props["image"]
    assert [entry["name"] for entry in copier.props["networksAdvanced"]] == ["dev-link-postgres-backup-postgres"]
    assert "/volumes/data" not in mounts(copier)
    assert database.urn in copier.dependencies
    carrier = container(recording, "postgres-backup-carrier")
    assert [upload["file"] for upload in carrier.props["uploads"]][-1].endswith("pgpass")
    assert any("uploads" in path for path in carrier.secrets)


@both_modes
def test_the_keeper_has_the_repositorys_secrets_and_no_database(preview: bool) -> None:
    recording = ran(stack(backup=S3_KEYS, **KEYS), preview)
    keeper = container(recording, "backup")
    assert [entry["name"] for entry in keeper.props["networksAdvanced"]] == ["dev-link-backup-egress-proxy"]
    assert environment(keeper)["RESTIC_REPOSITORY"] == "s3:https://s3.example.net/bucket"
    assert environment(keeper)["AWS_DEFAULT_REGION"] == "eu-1"
    files = {upload["file"].rpartition("/")[2] for upload in container(recording, "backup-carrier").props["uploads"]}
    assert {"repository", "keys"} <= files
    assert "pgpass" not in files
    assert {path for path in mounts(keeper) if path.startswith("/exchange")} == {
        "/exchange/notes",
        "/exchange/postgres",
    }


@both_modes
def test_the_bucket_is_private_and_outlives_the_stack_like_the_password(preview: bool) -> None:
    recording = ran(stack(), preview)
    (bucket,) = recording.of_type("cloudflare:index/r2Bucket:R2Bucket")
    (public,) = recording.of_type("cloudflare:index/r2ManagedDomain:R2ManagedDomain")
    (lifecycle,) = recording.of_type("cloudflare:index/r2BucketLifecycle:R2BucketLifecycle")
    (password,) = [found for found in recording.resources if found.name == "backup-password"]
    assert bucket.props["name"] == "dev-example-org-backup"
    assert public.props["enabled"] is False
    assert "deleteObjectsTransition" not in lifecycle.props["rules"][0]
    assert bucket.protect
    assert password.protect
    kept = {made.resource.name for made in recording.registrations if made.retain_on_delete}
    assert {"backup-bucket", "backup-password"} <= kept


@both_modes
def test_a_password_that_is_given_is_not_made(preview: bool) -> None:
    recording = ran(stack(backup={"password": "mine"}, secrets={"mine": "given"}), preview)
    assert [found.name for found in recording.resources if found.name == "backup-password"] == []
    uploads = container(recording, "backup-carrier").props["uploads"]
    assert [upload["content"] for upload in uploads if upload["file"].endswith("/repository")] == ["given"]


@both_modes
def test_a_local_repository_needs_no_network_and_no_keys(preview: bool) -> None:
    recording = ran(stack(local_stack, {"store": "volume"}), preview)
    keeper = container(recording, "backup")
    assert keeper.props["networkMode"] == "none"
    assert environment(keeper)["RESTIC_REPOSITORY"].startswith("/var/tmp/")  # noqa: S108 - its volume
    assert "HTTPS_PROXY" not in environment(keeper)
    assert recording.of_type("zero-exposure:index:Egress") == []


@pytest.mark.parametrize(
    "raw",
    [stack(), stack(backup=S3_KEYS, **KEYS), stack(local_stack, {"store": "volume"})],
    ids=["r2", "s3", "volume"],
)
@both_modes
def test_no_rule_is_broken(raw: dict[str, Any], preview: bool) -> None:
    recording, config = ran(raw, preview), PackConfig()
    found = [violation for resource in recording.resources for violation in check_resource(resource, config)]
    found += check_stack(recording.resources, config)
    assert [f"{violation.rule}: {violation.message}" for violation in found if violation.blocking] == []


@both_modes
def test_one_password_more_is_one_resource_more_and_a_restart_of_the_keeper_alone(preview: bool) -> None:
    first, second = ran(stack(), preview), ran(stack(backup={"passwords": 2}), preview)
    made = {found.name: found for found in second.resources if found.name.startswith("backup-password")}
    assert sorted(made) == ["backup-password", "backup-password-2"]
    assert all(found.protect for found in made.values()), "the one before opens the repository until it was renewed"
    assert [found.name for found in first.resources if found.name.startswith("backup-password")] == ["backup-password"]
    changed = {
        found.name
        for found in second.of_type(CONTAINER)
        if preview is False and found.props.get("labels") != container(first, found.name).props.get("labels")
    }
    assert changed <= {"backup", "backup-carrier"}


@both_modes
def test_former_passwords_are_a_file_of_the_keepers_and_a_secret(preview: bool) -> None:
    (carrier,) = [found for found in ran(stack(backup={"passwords": 3}), preview).of_type(CONTAINER)
                  if found.name == "backup-carrier"]  # fmt: skip
    paths = [upload["file"] for upload in carrier.props["uploads"]]
    (index,) = [index for index, path in enumerate(paths) if path.endswith("/former")]
    assert any(path.startswith(f"uploads[{index}]") or path == "uploads" for path in carrier.secrets)
