"""How much one visitor may ask for."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.gateway.stand import Stand


def statuses(stand: Stand, visitors: list[str], path: str = "/slow") -> list[int]:
    """Answers to requests made one after the other, faster than the route's rate."""
    return [stand.connector.ask(path, visitor=visitor).status for visitor in visitors]


def test_above_its_rate_a_visitor_is_told_to_wait(stand: Stand) -> None:
    assert 429 in statuses(stand, ["192.0.2.1"] * 8)
    response = stand.connector.ask("/slow", visitor="192.0.2.1")
    assert response.status == 429
    assert int(response.headers["retry-after"]) >= 1
    assert stand.logged(response.headers["x-request-id"])["reason"] == "rate"
    assert stand.logged(response.headers["x-request-id"])["decision"] == "limited"


def test_control_another_visitor_is_not_limited(stand: Stand) -> None:
    assert statuses(stand, [f"192.0.2.{number}" for number in range(10, 18)]) == [404] * 8


def test_control_another_route_is_not_limited(stand: Stand) -> None:
    assert statuses(stand, ["192.0.2.1"] * 8, "/ok") == [200] * 8


def test_an_ipv6_visitor_is_a_whole_64(stand: Stand) -> None:
    assert 429 in statuses(stand, [f"2001:db8:1:1::{number}" for number in range(1, 9)])


def test_control_other_64s_are_other_visitors(stand: Stand) -> None:
    assert statuses(stand, [f"2001:db8:2:{number}::1" for number in range(1, 9)]) == [404] * 8


@pytest.mark.parametrize(
    ("visitors", "refused"), [(["192.0.2.2"] * 4, 2), ([f"192.0.2.{n}" for n in range(30, 34)], 0)]
)
def test_a_visitor_has_so_many_requests_in_flight(stand: Stand, visitors: list[str], refused: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda visitor: stand.connector.ask("/few/wait", visitor=visitor).status, visitors))
    assert sorted(found) == [200] * (4 - refused) + [429] * refused
