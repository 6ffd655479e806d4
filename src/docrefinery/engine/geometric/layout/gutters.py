"""Gutters: white strips, or nearly white ones, with columns on both sides."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from docrefinery.engine.geometric.layout.strips import has_near, profile_of, strips_of
from docrefinery.engine.geometric.model import Box

_GUTTER = 0.7
"""In heights of a line: the narrowest strip between columns."""
_CROSSING = 0.25
"""Share of the height of all lines that may cross a gutter."""
_MOST_LEVELS = 16
_MOST_STRIPS = 24
"""Tried as gutters of one part of a page."""
_FEWEST_LINES = 3
_NOTE_LINES = 2
_CELLS = 0.7
"""Share of lines with one beside them, from which short lines are cells of a table and no columns."""
_SAME_BASE = 0.13
"""In heights of a line: how far the lower edges of two in one row are apart."""
_SHORT = 24
"""Letters of a row from which it is one of running text."""
_NARROW, _MANY = 14, 8
"""So many rows of so many letters are a narrow column, if nothing crosses the strip beside it."""
_MARK = 5
"""Letters of an item's mark."""
_HEADED = 2.5
"""Times as many rows as on the other side are text under heads on the margin."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that has a place in the order.

    :param letters: of its text; what has none (a table, a figure) counts as a full line.
    """

    box: Box
    letters: int


class Gutters:
    """Finds gutters among items, given by their indices.

    :ivar steps: items looked at so far, again and again.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.steps = 0
        self._items = items
        self._boxes = [item.box for item in items]

    def find(self, members: list[int]) -> tuple[float, float] | None:
        """Return the widest of the least crossed strips that have columns on both sides."""
        if len(members) < _FEWEST_LINES + _NOTE_LINES:
            return None
        boxes = [self._boxes[index] for index in members]
        heights = sorted(box[3] - box[1] for box in boxes)
        height = heights[len(heights) // 2]
        # A tall item weighs no more than a few lines: it is one thing that crosses.
        weights = [min(box[3] - box[1], 3 * height) for box in boxes]
        profile = profile_of(boxes, weights)
        limit = _CROSSING * sum(weights)
        levels = sorted({round(covered, 1) for _, _, covered in profile if covered <= limit})
        tried = 0
        for level in levels[:_MOST_LEVELS]:
            strips = strips_of(profile, level)
            wide = [strip for strip in strips if strip[1] - strip[0] >= _GUTTER * height]
            for start, end in sorted(wide, key=lambda strip: (strip[0] - strip[1], strip[0]))[: _MOST_STRIPS - tried]:
                tried += 1
                self.steps += len(members)
                if self._parts_columns(members, (start + end) / 2, height, clear=level <= 0):
                    return start, end
        return None

    def _parts_columns(self, members: list[int], x: float, height: float, *, clear: bool) -> bool:
        """Whether there are columns on both sides of x; beside white space all the way a note may be a short one."""
        left = [index for index in members if self._boxes[index][2] <= x]
        right = [index for index in members if self._boxes[index][0] >= x]
        fewest = _NOTE_LINES if clear else _FEWEST_LINES
        if min(len(left), len(right)) < fewest:
            return False
        tops = [min(self._boxes[index][1] for index in side) for side in (left, right)]
        bottoms = [max(self._boxes[index][3] for index in side) for side in (left, right)]
        if min(bottoms) - max(tops) < (fewest - 0.5) * height:
            return False
        return not self._are_cells(left, right, height, clear=clear)

    def _are_cells(self, left: list[int], right: list[int], height: float, *, clear: bool) -> bool:
        """Whether the two sides are rather cells in common rows, to be read row by row."""
        many = _MANY if clear else math.inf
        sides = ((left, right), (right, left))
        return any(self._line_up(one, other, _SAME_BASE * height, many) for one, other in sides)

    def _line_up(self, cells: list[int], beside: list[int], distance: float, many: float) -> bool:
        rows = self._rows_of(cells, distance)
        letters = sum(self._items[index].letters for index in cells) / rows
        # Many rows with several words each are a narrow column, whose baselines are those of the next one.
        if letters > _MARK and rows * _HEADED < self._rows_of(beside, distance):
            return False
        if letters >= _SHORT or (letters >= _NARROW and rows >= many):
            return False
        bottoms = sorted(self._boxes[index][3] for index in beside)
        return sum(has_near(bottoms, self._boxes[index][3], distance) for index in cells) >= _CELLS * len(cells)

    def _rows_of(self, members: list[int], distance: float) -> int:
        """Count rows: lines of a narrow column may have gaps so wide that they are several items."""
        rows, last = 0, float("-inf")
        for bottom in sorted(self._boxes[index][3] for index in members):
            rows += bottom - last > distance
            last = bottom
        return rows
