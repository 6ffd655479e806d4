"""Reading order: recursive XY-cut that lets lines span columns.

The cut is Nagy's and Seth's (Hierarchical representation of optically scanned documents, ICPR 1984). Theirs needs a
white strip all the way through; here a gutter may be crossed by headings, figures and tables that span the columns,
which then part what stands above them from what stands below (as in Liu et al., XY-Cut++, arXiv:2504.10258).
"""

import math
import statistics
from collections.abc import Iterator, Sequence
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
_MOST_STEPS = 1_500_000
"""Items looked at for one page, again and again; what is left then is read row by row."""
_FEWEST_LINES = 3
_NOTE_LINES = 2
_CELLS = 0.7
"""Share of lines with one beside them, from which short lines are cells of a table and no columns."""
_FOOT = 0.8
"""In heights of a line: the room between columns and what stands below them."""
_WIDER = 1.15
_APART = 3.0
"""In heights of a line: side heads are farther apart."""
_MARGINAL = 0.6
"""Width of a marginal column, at most, in those of the text beside it."""
_SAME_BASE = 0.13
_SHORT = 24
_MARK = 5
"""Letters of an item's mark."""
_HEADED = 2.5
"""Times as many rows as on the other side are text under heads on the margin."""
_NARROW, _MANY = 14, 8
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Item:
    """Something that has a place in the order.

    :param letters: of its text; what has none (a table, a figure) counts as a full line.
    """

    box: Box
    letters: int


def reading_order(items: Sequence[Item]) -> list[list[int]]:
    """Return the columns of a page in reading order, each with the indices of its items from top to bottom."""
    cutter = _Cutter(items)
    cutter.cut(list(range(len(items))), 0)
    return cutter.regions


class _Cutter:
    def __init__(self, items: Sequence[Item]) -> None:
        self.regions: list[list[int]] = []
        self._fresh = True
        self._steps = 0
        self._items = items
        self._boxes = [item.box for item in items]

    def cut(self, members: list[int], depth: int) -> None:
        self._steps += len(members)
        if depth < _DEEPEST and len(members) > 1 and self._steps < _MOST_STEPS:
            gutter = self._gutter(members)
            if gutter is not None:
                self._columns(members, gutter, depth)
                return
            parts = self._rows(members)
            if len(parts) > 1:
                for part in parts:
                    self.cut(part, depth + 1)
                return
        if not members:
            return
        if self._fresh:
            self.regions.append([])
            self._fresh = False
        self.regions[-1] += self._sorted(members)

    def _sorted(self, members: list[int]) -> list[int]:
        """Order by rows: what overlaps by half of its height stands in one row."""
        ordered = sorted(members, key=lambda index: (self._boxes[index][1] + self._boxes[index][3], index))
        rows: list[list[int]] = []
        for index in ordered:
            _, top, _, bottom = self._boxes[index]
            if rows:
                _, above_top, _, above_bottom = self._boxes[rows[-1][-1]]
                overlap = min(bottom, above_bottom) - max(top, above_top)
                if overlap > 0.5 * min(bottom - top, above_bottom - above_top):
                    rows[-1].append(index)
                    continue
            rows.append([index])
        return [index for row in rows for index in sorted(row, key=lambda index: (self._boxes[index][0], index))]

    def _columns(self, members: list[int], gutter: tuple[float, float], depth: int) -> None:
        middle = (gutter[0] + gutter[1]) / 2
        left = [index for index in members if self._boxes[index][2] <= middle]
        right = [index for index in members if self._boxes[index][0] >= middle]
        aside = {*left, *right}
        lead = self._lead(left, right)
        left, right = ([index for index in side if index not in lead] for side in (left, right))
        self._region([index for index in members if index in lead], depth)
        # By their middles, since those part the sides: by their tops, what is tall would part backwards.
        spanning = sorted(
            (index for index in members if index not in aside), key=lambda index: (self._middle(index), index)
        )
        start = float("-inf")
        pending: list[int] = []
        for index in [*spanning, None]:
            end = float("inf") if index is None else self._middle(index)
            sides = [[i for i in side if start <= self._middle(i) < end] for side in (left, right)]
            foot = self._foot(*sides, spanned=index is not None)
            sides = [[i for i in side if i not in foot] for side in sides]
            if any(sides):
                self._region(pending, depth)
                pending = []
                for part in self._beside(*sides):
                    self._region(part, depth)
            pending += foot
            if index is not None:
                pending.append(index)
            start = end
        self._region(pending, depth)

    def _foot(self, left: list[int], right: list[int], *, spanned: bool) -> list[int]:
        """Return what stands below two columns, on one side and apart from both: it is read after them.

        :param spanned: whether something that spans the columns follows; else it has to be wider than its column.
        """
        if not left or not right:
            return []
        low, high = sorted((left, right), key=lambda side: max(self._boxes[index][3] for index in side))
        end = max(self._boxes[index][3] for index in low)
        height = statistics.median(self._boxes[index][3] - self._boxes[index][1] for index in high)
        ordered = sorted(high, key=lambda index: (self._boxes[index][1], index))
        above = self._boxes[ordered[0]][3]
        for at, index in enumerate(ordered):
            top = self._boxes[index][1]
            if top >= end and top - max(above, end) > _FOOT * height:
                wider = self._widest(ordered[at:]) > _WIDER * self._widest(ordered[:at])
                return ordered[at:] if spanned or wider else []
            above = max(above, self._boxes[index][3])
        return []

    def _beside(self, left: list[int], right: list[int]) -> Iterator[list[int]]:
        """Yield two columns as they are read: side heads on the left one by one, each before the text that it heads."""
        groups = self._groups(left) if left and right and self._is_marginal(left, right) else []
        if len(groups) < 2:
            yield from (left, right)
            return
        tops = [min(self._boxes[index][1] for index in group) for group in groups]
        yield [index for index in right if self._middle(index) < tops[0]]
        for group, top, end in zip(groups, tops, [*tops[1:], float("inf")], strict=True):
            yield group
            yield [index for index in right if top <= self._middle(index) < end]

    def _groups(self, members: list[int]) -> list[list[int]]:
        """Part a column where there is more room than between paragraphs."""
        groups: list[list[int]] = []
        for index in sorted(members, key=lambda index: (self._boxes[index][1], index)):
            _, top, _, bottom = self._boxes[index]
            if not groups or top - self._boxes[groups[-1][-1]][3] > _APART * (bottom - top):
                groups.append([])
            groups[-1].append(index)
        return groups

    def _is_marginal(self, side: list[int], other: list[int]) -> bool:
        return self._widest(side) <= _MARGINAL * self._widest(other)

    def _widest(self, members: list[int]) -> float:
        return max(self._boxes[index][2] - self._boxes[index][0] for index in members)

    def _lead(self, left: list[int], right: list[int]) -> set[int]:
        """Return what stands above a marginal column: it is read first, since the margin comments on what follows."""
        if self._is_marginal(left, right):
            margin, main = left, right
        elif self._is_marginal(right, left):
            margin, main = right, left
        else:
            return set()
        top = min(self._boxes[index][1] for index in margin)
        return {index for index in main if self._middle(index) < top}

    def _region(self, members: list[int], depth: int) -> None:
        self._fresh = True
        self.cut(members, depth + 1)
        self._fresh = True

    def _middle(self, index: int) -> float:
        return (self._boxes[index][1] + self._boxes[index][3]) / 2

    def _rows(self, members: list[int]) -> list[list[int]]:
        """Part at the widest white strip, so that what stands above columns comes off before the columns are seen."""
        ordered = sorted(members, key=lambda index: (self._boxes[index][1], index))
        widest, at = 0.0, 0
        end = self._boxes[ordered[0]][3]
        for number, index in enumerate(ordered[1:], 1):
            gap = self._boxes[index][1] - end
            if gap > widest:
                widest, at = gap, number
            end = max(end, self._boxes[index][3])
        return [ordered[:at], ordered[at:]] if at else [ordered]

    def _gutter(self, members: list[int]) -> tuple[float, float] | None:
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
                self._steps += len(members)
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
