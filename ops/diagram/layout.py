"""Where boxes and arrows of a picture lie. Pure, and the same on every machine: no font is asked for its widths.

Layers from the outside down, after Sugiyama (1981): a rank for each box, then an order in each rank with few crossings,
then places close to the neighbours'. A rank that is wider than a page becomes several. Lines that pass a rank on the
way to one server share one lane, so that fifty clients of a database come in as one line and not as fifty; so do lines
from one client to many.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ops.diagram.picture import Arrow, Box, Picture

# Pixels. Every usual monospaced font is at most 0.602 em wide (Courier 0.600, DejaVu 0.602, Menlo 0.602).
CHARACTER, NAME_SIZE, LINE_SIZE = 0.61, 14, 12
PADDING, LEADING = 10, 16
RANK_GAP, BOX_GAP, LANE_GAP, MARGIN, FRAME = 44, 16, 9, 16, 18
NAME_HEIGHT, BELOW = 24, 6
WIDE = 1000
"""What a rank may take, so that a picture fits a page beside others' texts."""
LONG = 34
"""Characters of a line below a name; longer ones are shown by their ends."""
DOT = 14
"""What a host name's dot takes at its left."""
SWEEPS = 24

Cell = tuple[str, int]
"""A box or lane in a rank."""


@dataclass(frozen=True)
class Place:
    """A box and its rectangle."""

    box: Box
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """An arrow and the path that it takes: vertical stretches, as (x, y) pairs, with curves between them."""

    arrow: Arrow
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """A picture with all its coordinates. ``frame`` is the rectangle around what is on the server, ``caption`` where
    the text in its upper edge begins."""

    width: float
    height: float
    frame: Place
    caption: float
    places: tuple[Place, ...]
    lines: tuple[Line, ...]


def layout(picture: Picture) -> Layout:
    """Coordinates of a picture."""
    boxes = {box.id: box for box in picture.boxes}
    flows = _flows(picture)
    pairs = [(left, right) for left, right, _ in flows]
    ranks = _split(_ranks(boxes, pairs), boxes, pairs)
    routes = _routes(flows, ranks)
    widths = {(box.id, ranks[box.id]): _width(box) for box in picture.boxes}
    order = _order(list(widths), routes)
    middles = _middles(order, routes, widths)
    rows = _rows(picture.boxes, ranks)
    places = tuple(_place(boxes[name], rows[rank], middles[name, rank]) for name, rank in widths)
    lines = [
        _line(arrow, route, flipped=arrow.client != source, rows=rows, middles=middles)
        for arrow, route, (source, _, _) in zip(picture.arrows, routes, flows, strict=True)
    ]
    return _framed(picture, places, lines)


def _flows(picture: Picture) -> list[tuple[str, str, Arrow]]:
    """(upper, lower) of each arrow: against a tunnel, and against the arrows that close a circle."""
    outgoing: dict[str, list[str]] = defaultdict(list)
    pairs = [(a.server, a.client) if a.way == "tunnel" else (a.client, a.server) for a in picture.arrows]
    for left, right in pairs:
        outgoing[left].append(right)
    closing = set(_closing([box.id for box in picture.boxes], outgoing))
    turned = [(right, left) if (left, right) in closing else (left, right) for left, right in pairs]
    return [(left, right, arrow) for (left, right), arrow in zip(turned, picture.arrows, strict=True)]


def _closing(names: list[str], outgoing: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Arrows that lead back to where a walk came from."""
    done: set[str] = set()
    for start in names:
        path, walk = [start], [iter(outgoing.get(start, ()))]
        while walk and start not in done:
            after = next(walk[-1], None)
            if after is None:
                walk.pop()
                done.add(path.pop())
            elif after in path:
                yield path[-1], after
            elif after not in done:
                path.append(after)
                walk.append(iter(outgoing.get(after, ())))


def _ranks(boxes: Mapping[str, Box], pairs: list[tuple[str, str]]) -> dict[str, int]:
    """Below all that leads to it; the server's part below the edge, the internet below everything."""
    outside = {"people": 0, "edge": 1}
    ranks = {name: outside.get(box.kind, 2) for name, box in boxes.items()}
    for _ in boxes:
        for left, right in pairs:
            ranks[right] = max(ranks[right], ranks[left] + 1)
    last = max((ranks[name] for name, box in boxes.items() if box.kind != "internet"), default=0) + 1
    ranks |= {name: last for name, box in boxes.items() if box.kind == "internet"}
    followed = {right for _, right in pairs}
    for name in boxes:
        after = [ranks[right] for left, right in pairs if left == name]
        if name not in followed and after and boxes[name].inside:
            ranks[name] = min(after) - 1
    used = sorted(set(ranks.values()))
    return {name: used.index(rank) for name, rank in ranks.items()}


def _split(ranks: Mapping[str, int], boxes: Mapping[str, Box], pairs: list[tuple[str, str]]) -> dict[str, int]:
    """Ranks that are too wide as several, one below the other. No arrow lies within a rank, so any order holds: first
    what something leads to, last what leads on."""
    entered, left = Counter(right for _, right in pairs), Counter(left for left, _ in pairs)
    found: dict[str, int] = {}
    used = 0
    for rank in sorted(set(ranks.values())):
        row = [name for name in ranks if ranks[name] == rank]
        row.sort(key=lambda name: (not entered[name], left[name] > 0))
        parts = math.ceil(sum(_width(boxes[name]) + BOX_GAP for name in row) / WIDE)
        each = math.ceil(len(row) / parts)
        found |= {name: used + index // each for index, name in enumerate(row)}
        used += math.ceil(len(row) / each)
    return found


def _routes(flows: list[tuple[str, str, Arrow]], ranks: Mapping[str, int]) -> list[list[Cell]]:
    """The cells of each flow: its ends, and between them the lane that it shares with others of its busier end."""
    outgoing, incoming = Counter(left for left, _, _ in flows), Counter(right for _, right, _ in flows)
    routes = []
    for left, right, arrow in flows:
        shared = f"{left}→" if outgoing[left] > incoming[right] else f"→{right}"
        lane = shared if arrow.server == right else f"{left}←{right}"
        lanes = [(lane, rank) for rank in range(ranks[left] + 1, ranks[right])]
        routes.append([(left, ranks[left]), *lanes, (right, ranks[right])])
    return routes


def _order(boxes: list[Cell], routes: list[list[Cell]]) -> dict[int, list[Cell]]:
    """Cells of each rank from left to right: the best of some sweeps, each after the mean of the neighbours."""
    before, after = _neighbours(routes)
    cells = list(dict.fromkeys([*(cell for route in routes for cell in route), *boxes]))
    order: dict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        order[cell[1]].append(cell)
    best, least = {rank: list(row) for rank, row in order.items()}, (_crossings(order, after), _slant(order, after))
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for rank in sorted(order, reverse=not forward):
            at, near = _relative(order), before if forward else after
            order[rank].sort(key=lambda cell: _mean([at[other] for other in near.get(cell, [cell])]))
        found = (_crossings(order, after), _slant(order, after))
        if found < least:
            best, least = {rank: list(row) for rank, row in order.items()}, found
    return _centred(best, set(boxes), after)


def _centred(order: dict[int, list[Cell]], boxes: set[Cell], after: Mapping[Cell, list[Cell]]) -> dict[int, list[Cell]]:
    """Lanes in the middle of their rank, where that makes lines straighter and crosses no more of them."""
    best, least = order, (_crossings(order, after), _slant(order, after))
    for lane in [cell for row in order.values() for cell in row if cell not in boxes]:
        row = [cell for cell in best[lane[1]] if cell != lane]
        row.insert(len(row) // 2, lane)
        moved = {**best, lane[1]: row}
        found = (_crossings(moved, after), _slant(moved, after))
        if found < least:
            best, least = moved, found
    return best


def _relative(order: Mapping[int, list[Cell]]) -> dict[Cell, float]:
    """Place of each cell in its rank, from 0 to 1."""
    return {cell: (index + 0.5) / len(row) for row in order.values() for index, cell in enumerate(row)}


def _slant(order: Mapping[int, list[Cell]], after: Mapping[Cell, list[Cell]]) -> float:
    """How far lines lead aside, all in all: of two orders with as many crossings the straighter one is better."""
    at = _relative(order)
    return sum(abs(at[left] - at[right]) for left, found in after.items() for right in found)


def _neighbours(routes: list[list[Cell]]) -> tuple[dict[Cell, list[Cell]], dict[Cell, list[Cell]]]:
    before: dict[Cell, list[Cell]] = defaultdict(list)
    after: dict[Cell, list[Cell]] = defaultdict(list)
    for left, right in dict.fromkeys(pair for route in routes for pair in pairwise(route)):
        before[right].append(left)
        after[left].append(right)
    return before, after


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _crossings(order: Mapping[int, list[Cell]], after: Mapping[Cell, list[Cell]]) -> int:
    at = {cell: index for row in order.values() for index, cell in enumerate(row)}
    total = 0
    for row in order.values():
        ends = [(at[left], at[right]) for left in row for right in after.get(left, ())]
        total += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[:i])
    return total


def _height(box: Box) -> float:
    return NAME_HEIGHT + LEADING * (len(box.lines) + len(box.public) + len(box.admin)) + BELOW


def _middles(
    order: Mapping[int, list[Cell]], routes: list[list[Cell]], widths: Mapping[Cell, float]
) -> dict[Cell, float]:
    """Each cell's middle, from the left: as near to its neighbours as order and gaps allow."""
    before, after = _neighbours(routes)
    middles = {cell: 0.0 for row in order.values() for cell in row}
    for row in order.values():
        middles |= _spread(row, middles, widths)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for rank in sorted(order, reverse=not forward):
            near = before if forward else after
            wanted = {cell: _mean([middles[other] for other in near.get(cell, [cell])]) for cell in order[rank]}
            middles |= _spread(order[rank], wanted, widths)
    return middles


def _spread(row: list[Cell], wanted: Mapping[Cell, float], widths: Mapping[Cell, float]) -> dict[Cell, float]:
    """The positions nearest to those wanted (least squares) that keep order and gaps: pool adjacent violators."""
    offsets = [0.0]
    for before, after in pairwise(row):
        offsets.append(offsets[-1] + _distance(before, after, widths))
    pools: list[list[float]] = []
    for cell, offset in zip(row, offsets, strict=True):
        pools.append([wanted[cell] - offset])
        while len(pools) > 1 and _mean(pools[-2]) > _mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    bases = [base for pool in pools for base in [_mean(pool)] * len(pool)]
    return {cell: base + offset for cell, base, offset in zip(row, bases, offsets, strict=True)}


def _distance(before: Cell, after: Cell, widths: Mapping[Cell, float]) -> float:
    gap = BOX_GAP if before in widths and after in widths else LANE_GAP
    return (widths.get(before, 0) + widths.get(after, 0)) / 2 + gap


def _rows(boxes: Iterable[Box], ranks: Mapping[str, int]) -> dict[int, tuple[float, float]]:
    """Top and height of each rank. The frame around the server needs room where ranks enter and leave it."""
    heights: dict[int, float] = defaultdict(float)
    inside: dict[int, bool] = {}
    for box in boxes:
        heights[ranks[box.id]] = max(heights[ranks[box.id]], _height(box))
        inside[ranks[box.id]] = box.inside
    found: dict[int, tuple[float, float]] = {}
    y = 0.0
    for rank in sorted(heights):
        if rank - 1 in inside and inside[rank] != inside[rank - 1]:
            y += FRAME + (LEADING if inside[rank] else 0)
        found[rank] = (y, heights[rank])
        y += heights[rank] + RANK_GAP
    return found


def short(line: str) -> str:
    """A long line by its beginning and its end, which tells more of a host name."""
    return line if len(line) <= LONG else f"{line[: LONG // 4]}…{line[-LONG * 3 // 4 + 1 :].lstrip('.')}"


def _width(box: Box) -> float:
    lines = [len(short(line)) * LINE_SIZE * CHARACTER for line in box.lines]
    hosts = [len(host) * LINE_SIZE * CHARACTER + DOT for host in (*box.public, *box.admin)]
    return round(max([len(box.name) * NAME_SIZE * CHARACTER, *lines, *hosts]) + 2 * PADDING)


def _place(box: Box, row: tuple[float, float], middle: float) -> Place:
    width = _width(box)
    return Place(box, middle - width / 2, row[0], width, row[1])


def _line(
    arrow: Arrow,
    route: list[Cell],
    *,
    flipped: bool,
    rows: Mapping[int, tuple[float, float]],
    middles: Mapping[Cell, float],
) -> Line:
    points: list[tuple[float, float]] = []
    for index, cell in enumerate(route):
        top, height = rows[cell[1]]
        if index > 0:
            points.append((middles[cell], top))
        if index < len(route) - 1:
            points.append((middles[cell], top + height))
    return Line(arrow, tuple(reversed(points)) if flipped else tuple(points))


def _framed(picture: Picture, places: tuple[Place, ...], lines: list[Line]) -> Layout:
    """Everything moved into the page, and the frame around the server."""
    starts = [*(place.x for place in places), *(x for line in lines for x, _ in line.points)]
    ends = [*(place.x + place.width for place in places), *(x for line in lines for x, _ in line.points)]
    dx = MARGIN + FRAME - min(starts)
    dy = MARGIN + (FRAME + LEADING if min(places, key=lambda place: place.y).box.inside else 0)
    moved = tuple(Place(p.box, p.x + dx, p.y + dy, p.width, p.height) for p in places)
    drawn = tuple(Line(line.arrow, tuple((x + dx, y + dy) for x, y in line.points)) for line in lines)
    inner = [place for place in moved if place.box.inside]
    top = min(place.y for place in inner) - FRAME - LEADING
    bottom = max(place.y + place.height for place in inner) + FRAME
    right = max(max(ends) + dx + FRAME, MARGIN + len(picture.frame) * LINE_SIZE * CHARACTER + FRAME)
    frame = Place(Box("(frame)", picture.frame, "host"), MARGIN, top, right - MARGIN, bottom - top)
    height = max([bottom, *(place.y + place.height for place in moved)])
    return Layout(right + MARGIN, height + MARGIN, frame, _caption(frame, drawn), moved, drawn)


def _caption(frame: Place, lines: Iterable[Line]) -> float:
    """The first place from the left where no line that enters the frame crosses the text."""
    width = len(frame.box.name) * LINE_SIZE * CHARACTER
    steps = [sorted(step, key=lambda end: end[1]) for line in lines for step in pairwise(line.points)]
    # A curve is past its middle where it enters.
    crossed = [sorted(((upper[0] + lower[0]) / 2, lower[0])) for upper, lower in steps if upper[1] < frame.y < lower[1]]
    places = [frame.x + PADDING, *(high + PADDING for _, high in sorted(crossed))]
    free = [
        x
        for x in places
        if x + width < frame.x + frame.width and all(x + width < low or high < x for low, high in crossed)
    ]
    return min(free, default=frame.x + PADDING)
