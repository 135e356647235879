"""Whether images and files are those of the program."""

from typing import Any

import pytest

from ops.audit.checks import configuration
from policy.rules.model import Resource
from tests.ops.audit.stand import program


@pytest.mark.parametrize(
    ("have", "wanted", "same"),
    [
        ("postgres:17", "postgres:17", True),
        ("postgres:17", "docker.io/library/postgres:17", True),
        ("postgres:16", "postgres:17", False),
        ("postgres@sha256:a", "postgres:17@sha256:a", True),
        ("postgres@sha256:b", "postgres:17@sha256:a", False),
        ("postgres:17", "postgres:17@sha256:a", False),
        ("evil/postgres@sha256:a", "postgres@sha256:a", False),
    ],
)
def test_an_image_is_the_one_that_the_program_names(have: str, wanted: str, same: bool) -> None:
    assert (configuration.judge_images({"c": [have]}, {"c": wanted}).verdict == "pass") is same


def _labelled(name: str, digest: str) -> dict[str, Any]:
    return {"Name": f"/{name}", "Config": {"Labels": {"zero-exposure.config": digest}}}


def test_a_digest_that_is_not_the_programs_is_found() -> None:
    planned = {"dev-api": _declared("dev-api", [{"label": "zero-exposure.config", "value": "aa"}])}
    assert configuration.judge_digests([_labelled("dev-api", "aa")], planned).verdict == "pass"
    assert "dev-api: files of digest bb, the program's are aa" in (
        configuration.judge_digests([_labelled("dev-api", "bb")], planned).evidence
    )


def test_a_digest_with_secrets_has_to_be_that_of_the_carrier() -> None:
    planned = {"dev-api": _declared("dev-api", [{"label": "zero-exposure.config"}])}
    both = [_labelled("dev-api", "aa"), _labelled("dev-api-carrier", "aa")]
    assert configuration.judge_digests(both, planned).verdict == "pass"
    both = [_labelled("dev-api", "aa"), _labelled("dev-api-carrier", "bb")]
    assert "dev-api and its carrier have different files" in configuration.judge_digests(both, planned).evidence


def _declared(name: str, labels: list[dict[str, str]]) -> Resource:
    return Resource(
        type="docker:index/container:Container", name=name, urn=name, props={"name": name, "labels": labels}
    )


def test_files_with_secrets_are_not_compared_and_all_others_are() -> None:
    planned = configuration.planned_files(program())
    assert planned["dev-api"] == {"/run/secrets/database_url": None}
    known = [digest for files in planned.values() for digest in files.values() if digest]
    assert len(known) > 40
    found: dict[str, dict[str, str]] = {name: {path: value or "" for path, value in files.items()}
                                        for name, files in planned.items()}  # fmt: skip
    assert configuration.judge_files(found, planned).verdict == "pass"
    del found["dev-gateway"]["/etc/zero-exposure/gateway/nginx.conf"]
    assert configuration.judge_files(found, planned).verdict == "fail"
