"""Signers: one way of signing each, found by the image's whole name."""

import re
from typing import Any

import pytest

from settings.load import SettingsError, validate
from settings.signer import Signer, full_name, known, signer_of
from tests.samples import NAMESPACE, local_stack

KEY = Signer(key="a.pub")
GITHUB = "https://token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("prefix", "image", "fits"),
    [
        ("ghcr.io/acme/", "ghcr.io/acme/api", True),
        ("ghcr.io/acme/api", "ghcr.io/acme/api", True),
        ("ghcr.io/acme/api", "ghcr.io/acme/api-of-somebody-else", False),
        ("ghcr.io/acme/", "ghcr.io/acme-evil/api", False),
        ("docker.io/library/postgres", "postgres", True),
        ("docker.io/acme/", "acme/api", True),
        ("docker.io/acme/", "docker.io/acme/api", True),
        ("registry.acme.dev:5000/", "registry.acme.dev:5000/team/api", True),
    ],
)
def test_a_prefix_is_a_folder_or_a_whole_name(prefix: str, image: str, fits: bool) -> None:
    assert (signer_of(image, {prefix: KEY}) is not None) == fits


def test_the_longest_prefix_decides() -> None:
    other = Signer(key="b.pub")
    assert signer_of("ghcr.io/acme/api", {"ghcr.io/acme/": KEY, "ghcr.io/acme/api": other}) == other


def test_docker_hub_is_written_out() -> None:
    assert full_name("prom/prometheus") == "docker.io/prom/prometheus"
    assert full_name("localhost/api") == "localhost/api"


@pytest.mark.parametrize(
    ("signers", "message"),
    [
        ({"ghcr.io/acme/": {}}, r"signers\.ghcr\.io/acme/: give either key, or issuer and identity"),
        ({"ghcr.io/acme/": {"key": "a.pub", "issuer": GITHUB}}, "give either key, or issuer and identity"),
        ({"ghcr.io/acme/": {"issuer": GITHUB}}, "issuer and identity go together"),
        ({"ghcr.io/acme/": {"issuer": GITHUB, "identity": "("}}, "no regular expression"),
        ({"ghcr.io/acme/": {"issuer": GITHUB, "identity": "x", "logged": False}}, "nothing outside the transparency"),
        ({"ghcr.io/acme/": {"key": "/etc/a.pub"}}, r"signers\.ghcr\.io/acme/\.key"),
        ({"acme": {"key": "a.pub"}}, "registry and repository"),
    ],
)
def test_a_signer_that_says_nothing_is_refused_by_its_path(signers: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        validate(local_stack(signers=signers), NAMESPACE)


def test_every_known_publisher_is_named_whole() -> None:
    assert known()
    for prefix, signer in known().items():
        assert not prefix.endswith("/"), "a publisher's other images may be signed by others"
        assert signer.repository or signer.key
        assert re.compile(str(signer.identity))
