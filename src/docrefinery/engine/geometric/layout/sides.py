"""Two columns side by side: what is read before them, after them, and by turns."""

import statistics
from collections.abc import Iterator, Sequence

from docrefinery.engine.geometric.model import Box

_FOOT = 0.8
"""In heights of a line: the room between columns and what stands below them."""
_WIDER = 1.15
"""In widths of a column's lines: what is wider is not of that column."""
_APART = 3.0
"""In heights of a line: side heads are farther apart."""
_MARGINAL = 0.6
"""Width of a marginal column's lines, at most, in those of the text beside it."""


class Sides:
    """Decides on columns, given as the indices of their boxes."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._boxes = boxes

    def lead(self, left: list[int], right: list[int]) -> set[int]:
        """Return what stands above a marginal column: it is read first, since the margin comments on what follows."""
        if self._is_marginal(left, right):
            margin, main = left, right
        elif self._is_marginal(right, left):
            margin, main = right, left
        else:
            return set()
        top = min(self._boxes[index][1] for index in margin)
        return {index for index in main if self._middle(index) < top}

    def foot(self, left: list[int], right: list[int], *, spanned: bool) -> list[int]:
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

    def beside(self, left: list[int], right: list[int]) -> Iterator[list[int]]:
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

    def _middle(self, index: int) -> float:
        return (self._boxes[index][1] + self._boxes[index][3]) / 2
