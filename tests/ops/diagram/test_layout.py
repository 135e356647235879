"""No two boxes overlap, no text leaves its box, no line passes through a box."""

import random
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings

from ops.diagram.layout import CHARACTER, DOT, LINE_SIZE, NAME_SIZE, PADDING, WIDE, Layout, Place, layout, short
from ops.diagram.picture import pictures
from tests.ops.diagram.stacks import stack, watched
from tests.ops.diagram.test_picture import LINKS

MONOSPACE = 0.6025
"""The widest usual font, DejaVu Sans Mono, in em for a character."""


def _overlapping(found: Layout) -> list[tuple[str, str]]:
    return [(a.box.id, b.box.id) for a, b in combinations(found.places, 2) if _touch(a, b)]


def _touch(a: Place, b: Place) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def _through_boxes(found: Layout) -> list[tuple[str, str]]:
    """Straight stretches of lines inside a box. Curves lie between ranks, where there is no box."""
    bad = []
    for line in found.lines:
        for (x, y), (to_x, to_y) in list(pairwise(line.points))[1::2]:
            assert x == to_x
            low, high = min(y, to_y), max(y, to_y)
            bad += [
                (line.arrow.client, place.box.id)
                for place in found.places
                if place.x < x < place.x + place.width and low < place.y + place.height and place.y < high
            ]
    return bad


def _too_wide(found: Layout) -> list[str]:
    return [place.box.id for place in found.places if _needed(place) > place.width]


def _needed(place: Place) -> float:
    box = place.box
    hosts = [len(host) * LINE_SIZE * MONOSPACE + DOT for host in (*box.public, *box.admin)]
    lines = [len(short(line)) * LINE_SIZE * MONOSPACE for line in box.lines]
    return max([len(box.name) * NAME_SIZE * MONOSPACE, *lines, *hosts]) + 2 * PADDING - 1


@settings(max_examples=60)
@given(LINKS)
def test_nothing_overlaps_whatever_is_linked_circles_too(links: set[tuple[str, str]]) -> None:
    found = layout(pictures(stack(sorted(links)))[0])
    assert _overlapping(found) == []
    assert _through_boxes(found) == []
    assert _too_wide(found) == []


@pytest.mark.parametrize("services", [5, 12, 50])
def test_nothing_overlaps_in_stacks_of_any_size(services: int) -> None:
    for picture in pictures(watched(services)):
        found = layout(picture)
        assert (_overlapping(found), _through_boxes(found), _too_wide(found)) == ([], [], [])


@pytest.mark.parametrize("seed", range(5))
def test_nothing_overlaps_among_fifty_that_reach_each_other_at_random(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable graph
    names = [f"service-{index}" for index in range(50)]
    links = {(names[low], names[high]) for low, high in (sorted(chance.sample(range(50), 2)) for _ in range(100))}
    found = layout(pictures(stack(sorted(links)))[0])
    assert (_overlapping(found), _through_boxes(found), _too_wide(found)) == ([], [], [])


def test_the_checks_see_what_is_wrong() -> None:
    found = layout(pictures(stack([("api", "postgres"), ("worker", "postgres")]))[0])
    first, second = found.places[:2]
    onto = replace(found, places=(first, replace(second, x=first.x, y=first.y)))
    assert _overlapping(onto) == [(first.box.id, second.box.id)]
    narrow = replace(found, places=(replace(first, width=len(first.box.name) * NAME_SIZE * CHARACTER / 2),))
    assert _too_wide(narrow) == [first.box.id]
    line = found.lines[0]
    middle = second.x + second.width / 2
    points = ((0.0, 0.0), (middle, 1.0), (middle, 9999.0), (0.0, 10000.0))
    assert (line.arrow.client, second.box.id) in _through_boxes(replace(found, lines=(replace(line, points=points),)))


def test_every_arrow_runs_from_its_client_to_its_server() -> None:
    found = layout(pictures(stack([("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")]))[0])
    places = {place.box.id: place for place in found.places}
    for line in found.lines:
        ends = [(line.points[0], line.arrow.client), (line.points[-1], line.arrow.server)]
        for (x, y), name in ends:
            place = places[name]
            assert y in (place.y, place.y + place.height)
            assert x == pytest.approx(place.x + place.width / 2)


def test_everything_lies_on_the_page_and_the_servers_part_in_its_frame() -> None:
    found = layout(pictures(watched(12))[0])
    frame = found.frame
    for place in found.places:
        assert place.x >= 0
        assert place.x + place.width <= found.width
        assert place.y + place.height <= found.height
        beside = frame.x <= place.x and place.x + place.width <= frame.x + frame.width
        inside = beside and frame.y <= place.y and place.y + place.height <= frame.y + frame.height
        assert inside == place.box.inside


def test_a_line_passes_the_ranks_between_on_the_lane_of_its_server() -> None:
    links = [("a", "b"), ("b", "c"), ("c", "store"), ("a", "store"), ("b", "store")]
    found = layout(pictures(stack(links))[0])
    points = {line.arrow.client: line.points for line in found.lines if line.arrow.server == "store"}
    assert points["a"][-3:] == points["b"][-3:]


@pytest.mark.parametrize("services", [5, 50])
def test_a_picture_fits_a_page(services: int) -> None:
    for picture in pictures(watched(services)):
        found = layout(picture)
        assert found.width < WIDE * 1.2
        assert found.height < WIDE * 1.2


def test_lines_to_many_share_a_lane_too() -> None:
    found = layout(pictures(watched(50))[1])
    passing = {line.points[2:-1] for line in found.lines if len(line.points) == 6}
    assert len({points[0] for points in passing}) == 1


@pytest.mark.parametrize("services", [5, 50])
def test_no_line_enters_the_servers_frame_through_its_caption(services: int) -> None:
    found = layout(pictures(watched(services))[0])
    width = len(found.frame.box.name) * LINE_SIZE * CHARACTER
    entering = [line.points[:2] for line in found.lines if line.arrow.way == "tunnel"]
    assert len(entering) == 2
    for (x, _), (to_x, _) in entering:
        # A curve is past its middle where it enters.
        low, high = sorted((x, (x + to_x) / 2))
        assert found.caption + width < low or high < found.caption


def test_a_long_line_shows_its_ends() -> None:
    line = f"may call {'0' * 32}.r2.cloudflarestorage.com"
    assert short(line) == "may call…r2.cloudflarestorage.com"
    assert short("may call ntfy.sh") == "may call ntfy.sh"
