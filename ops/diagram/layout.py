"""Where boxes and arrows of a picture lie. Pure, and the same on every machine: no font is asked for its widths.

Layers from left to right after Sugiyama (1981): a rank for each box, then an order in each rank with few crossings,
then heights close to the neighbours'. Lines that pass a rank on the way to one server share one lane, so that fifty
clients of a database come in as one line and not as fifty.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ops.diagram.picture import Arrow, Box, Picture

# Pixels. Every usual monospaced font is at most 0.602 em wide (Courier 0.600, DejaVu 0.602, Menlo 0.602).
CHARACTER, NAME_SIZE, LINE_SIZE = 0.61, 14, 12
PADDING, LEADING = 10, 16
COLUMN_GAP, ROW_GAP, LANE_GAP, MARGIN, FRAME = 52, 16, 9, 16, 18
NAME_HEIGHT, BELOW = 24, 6
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
    """An arrow and the path that it takes: horizontal stretches, as (x, y) pairs, with curves between them."""

    arrow: Arrow
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """A picture with all its coordinates. ``frame`` is the rectangle around what is on the server."""

    width: float
    height: float
    frame: Place
    places: tuple[Place, ...]
    lines: tuple[Line, ...]


def layout(picture: Picture) -> Layout:
    """Coordinates of a picture."""
    boxes = {box.id: box for box in picture.boxes}
    flows = _flows(picture)
    ranks = _ranks(boxes, [(source, target) for source, target, _ in flows])
    routes = [_route(source, target, arrow, ranks) for source, target, arrow in flows]
    heights = {(box.id, ranks[box.id]): _height(box) for box in picture.boxes}
    order = _order(list(heights), routes)
    middles = _middles(order, routes, heights)
    columns = _columns(picture.boxes, ranks)
    places = tuple(_place(boxes[name], columns[rank], middles[name, rank]) for name, rank in heights)
    lines = [
        _line(arrow, route, flipped=arrow.client != source, columns=columns, middles=middles)
        for arrow, route, (source, _, _) in zip(picture.arrows, routes, flows, strict=True)
    ]
    return _framed(picture, places, lines)


def _flows(picture: Picture) -> list[tuple[str, str, Arrow]]:
    """(left, right) of each arrow: against a tunnel, and against the arrows that close a circle."""
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
    """Right of all that leads to it; the server's part right of the edge, the internet right of everything."""
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


def _route(left: str, right: str, arrow: Arrow, ranks: Mapping[str, int]) -> list[Cell]:
    """The cells of a flow: its ends, and between them the lane that all flows to the same box share."""
    lane = f"→{right}" if arrow.server == right else f"{left}←{right}"
    lanes = [(lane, rank) for rank in range(ranks[left] + 1, ranks[right])]
    return [(left, ranks[left]), *lanes, (right, ranks[right])]


def _order(boxes: list[Cell], routes: list[list[Cell]]) -> dict[int, list[Cell]]:
    """Cells of each rank from top to bottom: the best of some sweeps, each after the mean of the neighbours."""
    before, after = _neighbours(routes)
    cells = list(dict.fromkeys([*(cell for route in routes for cell in route), *boxes]))
    order: dict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        order[cell[1]].append(cell)
    best, fewest = {rank: list(row) for rank, row in order.items()}, _crossings(order, after)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for rank in sorted(order, reverse=not forward):
            at = {cell: index / len(row) for row in order.values() for index, cell in enumerate(row)}
            near = before if forward else after
            order[rank].sort(key=lambda cell: _mean([at[other] for other in near.get(cell, [cell])]))
        found = _crossings(order, after)
        if found < fewest:
            best, fewest = {rank: list(row) for rank, row in order.items()}, found
    return best


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
    order: Mapping[int, list[Cell]], routes: list[list[Cell]], heights: Mapping[Cell, float]
) -> dict[Cell, float]:
    """Height of each cell's middle: as near to its neighbours as order and gaps allow."""
    before, after = _neighbours(routes)
    middles = {cell: 0.0 for row in order.values() for cell in row}
    for row in order.values():
        middles |= _spread(row, middles, heights)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for rank in sorted(order, reverse=not forward):
            near = before if forward else after
            wanted = {cell: _mean([middles[other] for other in near.get(cell, [cell])]) for cell in order[rank]}
            middles |= _spread(order[rank], wanted, heights)
    return middles


def _spread(row: list[Cell], wanted: Mapping[Cell, float], heights: Mapping[Cell, float]) -> dict[Cell, float]:
    """The positions nearest to those wanted (least squares) that keep order and gaps: pool adjacent violators."""
    offsets = [0.0]
    for above, below in pairwise(row):
        offsets.append(offsets[-1] + _distance(above, below, heights))
    pools: list[list[float]] = []
    for cell, offset in zip(row, offsets, strict=True):
        pools.append([wanted[cell] - offset])
        while len(pools) > 1 and _mean(pools[-2]) > _mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    bases = [base for pool in pools for base in [_mean(pool)] * len(pool)]
    return {cell: base + offset for cell, base, offset in zip(row, bases, offsets, strict=True)}


def _distance(above: Cell, below: Cell, heights: Mapping[Cell, float]) -> float:
    gap = ROW_GAP if above in heights and below in heights else LANE_GAP
    return (heights.get(above, 0) + heights.get(below, 0)) / 2 + gap


def _columns(boxes: Iterable[Box], ranks: Mapping[str, int]) -> dict[int, tuple[float, float]]:
    """Left edge and width of each rank."""
    widths: dict[int, float] = defaultdict(float)
    for box in boxes:
        widths[ranks[box.id]] = max(widths[ranks[box.id]], _width(box))
    found: dict[int, tuple[float, float]] = {}
    x = 0.0
    for rank in sorted(widths):
        found[rank] = (x, widths[rank])
        x += widths[rank] + COLUMN_GAP
    return found


def _width(box: Box) -> float:
    lines = [len(line) * LINE_SIZE * CHARACTER for line in box.lines]
    hosts = [len(host) * LINE_SIZE * CHARACTER + DOT for host in (*box.public, *box.admin)]
    return round(max([len(box.name) * NAME_SIZE * CHARACTER, *lines, *hosts]) + 2 * PADDING)


def _place(box: Box, column: tuple[float, float], middle: float) -> Place:
    height = _height(box)
    return Place(box, column[0], middle - height / 2, column[1], height)


def _line(
    arrow: Arrow,
    route: list[Cell],
    *,
    flipped: bool,
    columns: Mapping[int, tuple[float, float]],
    middles: Mapping[Cell, float],
) -> Line:
    points: list[tuple[float, float]] = []
    for index, cell in enumerate(route):
        left, width = columns[cell[1]]
        if index > 0:
            points.append((left, middles[cell]))
        if index < len(route) - 1:
            points.append((left + width, middles[cell]))
    return Line(arrow, tuple(reversed(points)) if flipped else tuple(points))


def _framed(picture: Picture, places: tuple[Place, ...], lines: list[Line]) -> Layout:
    """Everything moved into the page, and the frame around the server."""
    every_y = [*(place.y for place in places), *(y for line in lines for _, y in line.points)]
    ends = [*(place.y + place.height for place in places), *(y for line in lines for _, y in line.points)]
    dx = MARGIN + (FRAME if min(places, key=lambda place: place.x).box.inside else 0)
    dy = MARGIN + FRAME + LEADING - min(every_y)
    moved = tuple(Place(p.box, p.x + dx, p.y + dy, p.width, p.height) for p in places)
    drawn = tuple(Line(line.arrow, tuple((x + dx, y + dy) for x, y in line.points)) for line in lines)
    bottom = max(ends) + dy + FRAME
    inner = [place for place in moved if place.box.inside]
    left = min(place.x for place in inner) - FRAME
    right = max([max(p.x + p.width for p in inner) + FRAME, left + len(picture.frame) * LINE_SIZE * CHARACTER + FRAME])
    frame = Place(Box("(frame)", picture.frame, "host"), left, MARGIN, right - left, bottom - MARGIN)
    width = max([right, *(place.x + place.width for place in moved)]) + MARGIN
    return Layout(width, bottom + MARGIN, frame, moved, drawn)
