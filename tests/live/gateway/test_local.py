"""Without an edge, on a person's own machine: the same checks, less what only an edge can say."""

from collections.abc import Iterator

import pytest

from tests.live.gateway.connector import HOST, OPERATOR, Response
from tests.live.gateway.stand import ADMIN_HOST, CONNECTOR, STRANGER, Stand, beside, running

EDGE = ("CF-Connecting-IP", "CF-Ray", "X-Forwarded-For", "X-Forwarded-Proto", "User-Agent")


@pytest.fixture(scope="module")
def local(stand: Stand) -> Iterator[Stand]:
    """A gateway without an edge in front."""
    with running(backends=stand.backends, edge=False, **beside(6)) as found:
        yield found


def ask(stand: Stand, target: str, host: str = HOST, visitor: str | None = None) -> Response:
    """A request as curl sends it."""
    return stand.connector.ask(target, host=host, headers={**dict.fromkeys(EDGE), "CF-Connecting-IP": visitor})


def test_a_request_needs_a_host_and_nothing_else(local: Stand) -> None:
    assert ask(local, "/ok").status == 200
    assert local.backends["api"].seen[-1]["headers"]["x-real-ip"] == CONNECTOR
    assert ask(local, "/ok", "nobody.example.com").status == 0


def test_admin_routes_are_hidden_unless_one_says_to_be_an_operator(local: Stand) -> None:
    assert ask(local, "/admin").status == 404
    assert ask(local, "/", ADMIN_HOST).status == 0
    assert ask(local, "/admin", visitor=OPERATOR).status == 200
    assert ask(local, "/", ADMIN_HOST, visitor=OPERATOR).status == 200


def test_only_the_machine_itself_is_heard(local: Stand) -> None:
    assert local.connector.ask("/ok", visitor=OPERATOR, source=STRANGER).status == 0


def test_control_with_an_edge_its_headers_are_needed(stand: Stand) -> None:
    assert ask(stand, "/ok").status == 400
