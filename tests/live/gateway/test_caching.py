"""What the edge and browsers are told to keep of an answer: nothing that is not for everyone."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.gateway.connector import OPERATOR, Response
from tests.live.gateway.stand import ADMIN_HOST, API_HOST, API_KEY, Stand, beside, running

PRIVATE: dict[str, dict[str, Any]] = {
    "admin path": {"target": "/admin/users/export.csv", "visitor": OPERATOR},
    "admin host": {"target": "/export.csv", "host": ADMIN_HOST, "visitor": OPERATOR},
    "API key": {"target": "/keyed/report.csv", "host": API_HOST, "headers": {"X-API-Key": API_KEY}},
    "login": {"target": "/login/next.js"},
    "sensitive": {"target": "/read/report.csv?token=a"},
}
CLOUDFLARES = {"cdn-cache-control", "cloudflare-cdn-cache-control"}


def kept(stand: Stand, **asked: Any) -> Response:
    """An answer that its service wants to be kept."""
    return stand.connector.ask(**{**asked, "headers": {"X-Kept": "1", **asked.get("headers", {})}})


@pytest.fixture(scope="module")
def trusting(stand: Stand) -> Iterator[Stand]:
    """A gateway that leaves caching to the services."""

    def spoil(files: dict[str, str]) -> dict[str, str]:
        return files | {"/etc/zero-exposure/gateway/private.conf": ""}

    with running(spoil, stand.backends, **beside(6)) as found:
        yield found


@pytest.mark.parametrize("kind", PRIVATE)
def test_what_is_not_for_everyone_is_kept_by_nobody(stand: Stand, kind: str) -> None:
    response = kept(stand, **PRIVATE[kind])
    assert response.status == 200
    assert response.headers["cache-control"] == "private, no-store"
    assert not CLOUDFLARES & set(response.headers)


@pytest.mark.parametrize("kind", PRIVATE)
def test_where_the_service_says_nothing_either(stand: Stand, kind: str) -> None:
    assert "no-store" in stand.connector.ask(**PRIVATE[kind]).headers["cache-control"]


@pytest.mark.parametrize("kind", PRIVATE)
def test_control_left_to_the_services_a_stranger_could_have_it_from_the_edge(trusting: Stand, kind: str) -> None:
    headers = kept(trusting, **PRIVATE[kind]).headers
    assert headers["cache-control"] == "public, max-age=7200"
    assert set(headers) >= CLOUDFLARES


def test_elsewhere_a_service_says_for_itself_what_is_kept(stand: Stand) -> None:
    headers = kept(stand, target="/style.css").headers
    assert headers["cache-control"] == "public, max-age=7200"
    assert set(headers) >= CLOUDFLARES
    assert "cache-control" not in stand.connector.ask("/ok").headers


def test_a_private_answer_keeps_its_other_headers(stand: Stand) -> None:
    headers = kept(stand, **PRIVATE["sensitive"]).headers
    assert headers["content-security-policy"] == "default-src 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers
