"""What every answer has, and what no answer tells."""

import re
from typing import Any

import pytest

from components.gateway.render import SECURITY_HEADERS
from tests.live.gateway.backend import FINGERPRINT
from tests.live.gateway.connector import Response
from tests.live.gateway.stand import API_HOST, Stand

PRODUCTS = re.compile(
    r"nginx|openresty|lua|crowdsec|cloudflared|debian|servlet|exampleserver|python|/\d+\.\d+\.\d+", re.I
)
ANSWERS: dict[int, dict[str, Any]] = {
    200: {"target": "/ok"},
    308: {"target": "/ok", "headers": {"X-Forwarded-Proto": "http"}},
    400: {"target": "/ok", "headers": {"CF-Ray": None}},
    401: {"target": "/keyed", "host": API_HOST},
    404: {"target": "/nowhere"},
    405: {"target": "/ok", "method": "TRACE"},
    413: {"target": "/ok", "method": "POST", "body": b"x" * 9_000_000},
    414: {"target": f"/{'x' * 9000}"},
    431: {"target": "/ok", "headers": {f"X-{number}": "1" for number in range(120)}},
    403: {"target": "/status/403", "host": API_HOST},
    500: {"target": "/status/500", "host": API_HOST},
    503: {"target": "/status/503", "host": API_HOST},
}


def answer(stand: Stand, status: int) -> Response:
    """An answer of one status, from whoever gives it."""
    response = stand.connector.ask(**ANSWERS[status])
    assert response.status == status
    return response


@pytest.mark.parametrize("status", ANSWERS)
def test_every_answer_has_every_security_header_once(stand: Stand, status: int) -> None:
    headers = answer(stand, status).headers
    for name, value in SECURITY_HEADERS.items():
        assert name.lower() in headers
        assert value.startswith("$") or headers[name.lower()] == value
    assert headers["content-security-policy"].startswith("default-src 'self'")


@pytest.mark.parametrize("status", ANSWERS)
def test_no_answer_names_a_product_or_a_version(stand: Stand, status: int) -> None:
    response = answer(stand, status)
    own = response.raw_head if status != 200 else response.raw_head.replace(b"ExampleServer", b"")
    assert not PRODUCTS.search(own.decode().partition("\r\n")[2])
    assert not {"server", "via", "x-powered-by"} & set(response.headers)
    if status >= 400:
        assert not PRODUCTS.search(response.text)


def test_control_the_service_does_name_its_product(stand: Stand) -> None:
    """Where its own error bodies are let through; its headers are not even then."""
    response = stand.connector.ask("/own/x", host=API_HOST)
    assert FINGERPRINT in response.text
    assert PRODUCTS.search(response.text)
    assert not PRODUCTS.search(response.raw_head.decode())


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json, text/html", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("status", [status for status in ANSWERS if status >= 400 and status not in (414, 431)])
def test_an_error_has_one_body_in_the_form_that_was_asked_for(
    stand: Stand, status: int, accept: str | None, kind: str
) -> None:
    asked = dict(ANSWERS[status])
    asked["headers"] = {**asked.get("headers", {}), "Accept": accept}
    response = stand.connector.ask(**asked)
    assert response.headers["content-type"] == kind
    assert response.headers["x-request-id"] in response.text
    assert str(status) in response.text


def test_a_route_may_have_a_content_security_policy_of_its_own(stand: Stand) -> None:
    assert stand.connector.ask("/read/x").headers["content-security-policy"] == "default-src 'none'"
