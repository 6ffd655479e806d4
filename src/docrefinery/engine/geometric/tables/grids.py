"""Grids of rules: which rules belong together, and what cells they make.

The cells of a ruled table are what its rules enclose (Nurminen, Algorithmic extraction of data in tables in PDF
documents, 2013; Camelot and Tabula call it lattice). Here rules that touch make a grid; two neighbouring fields
without a rule between them are one cell if together they make a rectangle.
"""

import itertools
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np

from docrefinery.engine.geometric.model import Shape
from docrefinery.engine.geometric.tables.strokes import Stroke, Strokes

MOST_FIELDS = 20_000
_TOUCH = 3.5
_NARROWEST = 4.0
"""In points: rules that are nearer are one line of the grid."""


_FEWEST_LOOSE = 4
_OPEN = 8.0
"""In points: rules that run on so far have cells without an outer edge."""


@dataclass(frozen=True, slots=True)
class Span:
    """Fields of a grid that are one: from row and column to row and column, both included."""

    row: int
    column: int
    last_row: int
    last_column: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Rules that touch.

    :param xs: of its vertical lines.
    :param ys: of its horizontal lines.
    """

    xs: list[float]
    ys: list[float]
    horizontal: list[Stroke]
    vertical: list[Stroke]

    @property
    def is_plot(self) -> bool:
        """Whether many of its upright rules do not end on a level one, as bars and curves do."""
        loose = sum(not (_on(stroke.start, self.ys) and _on(stroke.end, self.ys)) for stroke in self.vertical)
        return loose >= _FEWEST_LOOSE and loose * 4 > len(self.vertical)

    @property
    def area(self) -> float:
        """In square points."""
        return (self.xs[-1] - self.xs[0]) * (self.ys[-1] - self.ys[0])


def _on(place: float, places: list[float]) -> bool:
    at = bisect_left(places, place - _NARROWEST - _TOUCH)
    return at < len(places) and places[at] < place + _NARROWEST + _TOUCH


def grids_of(strokes: Strokes) -> list[Grid]:
    """Return the grids of a sheet, the largest first."""
    if len(strokes.horizontal) < 2 or len(strokes.vertical) < 2:
        return []
    horizontal, vertical = np.array(strokes.horizontal), np.array(strokes.vertical)
    y, left, right = horizontal.T[:, :, None]
    x, top, bottom = vertical.T[:, None, :]
    meet = (left - _TOUCH <= x) & (x <= right + _TOUCH) & (top - _TOUCH <= y) & (y <= bottom + _TOUCH)
    group_h, group_v = _components(meet)
    grids = []
    for group in sorted({*group_h.tolist()} & {*group_v.tolist()}):
        here_h = [strokes.horizontal[index] for index in np.flatnonzero(group_h == group)]
        here_v = [strokes.vertical[index] for index in np.flatnonzero(group_v == group)]
        xs = _closed(_places(here_v), here_h)
        ys = _closed(_places(here_h), here_v)
        if len(xs) > 1 and len(ys) > 1 and len(xs) * len(ys) <= MOST_FIELDS:
            grids.append(Grid(xs, ys, here_h, here_v))
    return sorted(grids, key=lambda grid: -grid.area)


def _components(meet: Any) -> tuple[Any, Any]:
    """Return numbers of the groups of rows and of columns; each round doubles how far a group's name has got."""
    rows, columns = meet.shape
    group_h, group_v = np.arange(rows), np.full(columns, rows + columns)
    first, second = np.nonzero(meet)
    while True:
        before = group_h.copy()
        np.minimum.at(group_v, second, group_h[first])
        np.minimum.at(group_h, first, group_v[second])
        group_h = group_h[group_h]
        if (before == group_h).all():
            return group_h, group_v


def _places(strokes: list[Stroke]) -> list[float]:
    places: list[float] = []
    for at in sorted(stroke.at for stroke in strokes):
        if not places or at - places[-1] > _NARROWEST:
            places.append(at)
    return places


def _closed(places: list[float], across: list[Stroke]) -> list[float]:
    """Add edges where rules run on beyond the last one that crosses them."""
    start, end = min(stroke.start for stroke in across), max(stroke.end for stroke in across)
    before = [start] if start < places[0] - _OPEN else []
    return [*before, *places, *([end] if end > places[-1] + _OPEN else [])]


def spans_of(grid: Grid, fills: list[Shape]) -> list[Span]:
    """Return the cells of a grid; together they cover it.

    :param fills: filled rectangles of the sheet: where one ends on a line of the grid, a cell ends.
    """
    rows, columns = len(grid.ys) - 1, len(grid.xs) - 1
    upright = [Stroke(x, fill.top, fill.bottom) for fill in fills for x in (fill.left, fill.right)]
    walls = _walls(grid.vertical + upright, grid.xs, grid.ys)
    floors = _walls(grid.horizontal, grid.ys, grid.xs)
    _open_ends(floors, walls)
    taken = np.zeros((rows, columns), bool)
    spans = []
    for row in range(rows):
        for column in range(columns):
            if taken[row, column]:
                continue
            span = _span(row, column, walls, floors, taken)
            taken[row : span.last_row + 1, column : span.last_column + 1] = True
            spans.append(span)
    return spans


def _walls(strokes: list[Stroke], places: list[float], across: list[float]) -> Any:
    """Return (places, fields) whether a rule runs along each field at each place."""
    walls = np.zeros((len(places), len(across) - 1), bool)
    middles = [(a + b) / 2 for a, b in itertools.pairwise(across)]
    for at, start, end in strokes:
        place = bisect_left(places, at - _NARROWEST)
        if place == len(places) or places[place] > at + _NARROWEST:
            continue
        walls[place, bisect_left(middles, start) : bisect_left(middles, end)] = True
    return walls


def _open_ends(floors: Any, walls: Any) -> None:
    """Rule the columns without an outer edge as their neighbours are."""
    if floors.shape[1] > 2:
        if not walls[0].any():
            floors[:, 0] |= floors[:, 1]
        if not walls[-1].any():
            floors[:, -1] |= floors[:, -2]


def _span(row: int, column: int, walls: Any, floors: Any, taken: Any) -> Span:
    """Grow a cell to the right and down for as long as all its fields are open to each other."""
    rows, columns = taken.shape
    last_column = column
    while last_column + 1 < columns and not walls[last_column + 1, row] and not taken[row, last_column + 1]:
        last_column += 1
    last_row = row
    across = slice(column, last_column + 1)
    while last_row + 1 < rows and not floors[last_row + 1, across].any() and not taken[last_row + 1, across].any():
        inner = walls[column + 1 : last_column + 1, last_row + 1]
        ends = walls[last_column + 1, last_row + 1] or last_column + 1 == columns
        starts = walls[column, last_row + 1] or column == 0
        if inner.any() or not ends or not starts:
            break
        last_row += 1
    return Span(row, column, last_row, last_column)
