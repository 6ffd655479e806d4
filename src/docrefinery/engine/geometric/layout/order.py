"""Reading order: recursive XY-cut that lets lines span columns.

The cut is Nagy's and Seth's (Hierarchical representation of optically scanned documents, ICPR 1984). Theirs needs a
white strip all the way through; here a gutter may be crossed by headings, figures and tables that span the columns,
which then part what stands above them from what stands below (as in Liu et al., XY-Cut++, arXiv:2504.10258).
"""

from collections.abc import Sequence

from docrefinery.engine.geometric.layout.gutters import Gutters, Item
from docrefinery.engine.geometric.layout.sides import Sides

_MOST_STEPS = 1_500_000
"""Items looked at for one page, again and again; what is left then is read row by row."""
_DEEPEST = 40


def reading_order(items: Sequence[Item]) -> list[list[int]]:
    """Return the columns of a page in reading order, each with the indices of its items from top to bottom."""
    cutter = _Cutter(items)
    cutter.cut(list(range(len(items))), 0)
    return cutter.regions


class _Cutter:
    def __init__(self, items: Sequence[Item]) -> None:
        self.regions: list[list[int]] = []
        self._fresh = True
        self._boxes = [item.box for item in items]
        self._gutters = Gutters(items)
        self._sides = Sides(self._boxes)

    def cut(self, members: list[int], depth: int) -> None:
        self._gutters.steps += len(members)
        if depth < _DEEPEST and len(members) > 1 and self._gutters.steps < _MOST_STEPS:
            gutter = self._gutters.find(members)
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
        lead = self._sides.lead(left, right)
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
            foot = self._sides.foot(*sides, spanned=index is not None)
            below = set(foot)
            sides = [[i for i in side if i not in below] for side in sides]
            if any(sides):
                self._region(pending, depth)
                pending = []
                for part in self._sides.beside(*sides):
                    self._region(part, depth)
            pending += foot
            if index is not None:
                pending.append(index)
            start = end
        self._region(pending, depth)

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
