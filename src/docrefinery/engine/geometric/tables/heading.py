"""The rows above a table's body: names of columns, and names of groups of columns above them."""

import itertools
import re

from docrefinery.engine.geometric.tables.columns import Column, Entry
from docrefinery.engine.geometric.tables.draft import Draft
from docrefinery.engine.geometric.tables.lines import is_value, spaced
from docrefinery.engine.geometric.tables.rows import Filled
from docrefinery.engine.geometric.tables.strokes import Stroke

_MOST_LINES = 12
_YEAR = re.compile(r"(19|20)\d\d([-/\u2013](19|20)?\d\d)?")
_FULL = 0.8
"""Share of a table's width that a rule covers that parts rows."""


def full(stroke: Stroke, columns: list[Column]) -> bool:
    """Return whether a rule runs under nearly all columns."""
    left, right = columns[0].left, columns[-1].right
    is_long = min(stroke.end, right) - max(stroke.start, left) >= _FULL * (right - left)
    first, last = sum(columns[0]) / 2, sum(columns[-1]) / 2
    return is_long and stroke.start < first and stroke.end > last


def heading_length(lines: list[Filled], columns: list[Column], rules: list[Stroke]) -> int:
    """Return how many lines are above the body."""
    for rule in rules:
        above = sum(line.middle < rule.at for line, _ in lines)
        if full(rule, columns) and above:
            if above <= min(_MOST_LINES, max(1, len(lines) * 2 // 3)):
                return above
            break
    for at, (_, entries) in enumerate(lines[: _MOST_LINES + 1]):
        values = [_is_datum(spaced(entry.inks)) for entry in entries if entry.first]
        if values and sum(values) * 2 >= len(values):
            return at
    return 0


def _is_datum(text: str) -> bool:
    """Return whether a text is a value, and not a year, which may as well name a column."""
    return is_value(text) and not _YEAR.fullmatch(text)


def heading(
    lines: list[Filled], columns: list[Column], rules: list[Stroke], walls: list[Stroke]
) -> tuple[list[Draft], list[float]]:
    """Return the cells of a heading's lines, and the heights between its rows."""
    splits = _splits(lines, rules)
    levels: list[list[Filled]] = [[] for _ in range(len(splits) + 1)]
    for line, entries in lines:
        levels[sum(split < line.middle for split in splits)].append((line, entries))
    groups = [
        _groups(level, columns, [rule for rule in rules if abs(rule.at - split) < 1], walls, has_more=split > 0)
        for level, split in zip(levels, [*splits, 0], strict=True)
    ]
    return _drafts(levels, groups, len(columns)), splits


def _splits(lines: list[Filled], rules: list[Stroke]) -> list[float]:
    """Return the heights of rules under some of the columns, and of changes from names of groups to names."""
    tops, bottoms = lines[0][0].middle, lines[-1][0].middle
    splits: list[float] = []
    for rule in rules:
        if tops < rule.at < bottoms and (not splits or _between(lines, splits[-1], rule.at)):
            splits.append(rule.at)
    for (line, entries), (below, under) in itertools.pairwise(lines):
        wide = [(first, last) for first, last, _ in entries if first < last]
        parted = any(sum(a <= first and last <= b for first, last, _ in under) > 1 for a, b in wide)
        if parted and not any(line.middle < split < below.middle for split in splits):
            splits.append((line.middle + below.middle) / 2)
    return sorted(splits)


def _between(lines: list[Filled], top: float, bottom: float) -> bool:
    return any(top < line.middle < bottom for line, _ in lines)


def _groups(
    level: list[Filled], columns: list[Column], rules: list[Stroke], walls: list[Stroke], *, has_more: bool
) -> list[tuple[int, int]]:
    """Return which columns a level's names are over: first and last of each, in order, without the single ones."""
    spans = [(entry.first, entry.last) for _, entries in level for entry in entries if entry.first < entry.last]
    ruled = _walled(level, columns, walls) if has_more else []
    for rule in rules:
        under = [at for at, column in enumerate(columns) if rule.start - 2 <= sum(column) / 2 <= rule.end + 2]
        if len(under) > 1 and not any(a <= under[-1] and under[0] <= b for a, b in ruled):
            ruled += _shared(level, columns, under[0], under[-1])
    if has_more:
        loose = [e for _, es in level for e in es if not any(a <= e.last and e.first <= b for a, b in ruled)]
        full_spans = ruled + [(entry.first, entry.last) for entry in loose]
        taken = {at for first, last in full_spans for at in range(first, last + 1)}
        spans += [_widened(entry, columns, taken) for entry in loose]
    return _united([span for span in spans + ruled if span[0] < span[1]])


def _walled(level: list[Filled], columns: list[Column], walls: list[Stroke]) -> list[tuple[int, int]]:
    """Return the columns between vertical rules that have one name for several."""
    if not level:
        return []
    heights = [line.middle for line, _ in level]
    xs = sorted(x for x, start, end in walls if any(start <= height <= end for height in heights))
    homes: dict[int, list[int]] = {}
    for at, column in enumerate(columns):
        homes.setdefault(sum(x < sum(column) / 2 for x in xs), []).append(at)
    groups = [(home[0], home[-1]) for home in homes.values()] if len(homes) > 2 else []
    return [group for group in groups if group[0] < group[1] and _most(level, *group) == 1]


def _most(level: list[Filled], first: int, last: int) -> int:
    """Return how many names a line has at most within columns."""
    return max(sum(first <= entry.first and entry.last <= last for entry in entries) for _, entries in level)


def _shared(level: list[Filled], columns: list[Column], first: int, last: int) -> list[tuple[int, int]]:
    """Share the columns over a rule among the names that stand on it, so that each is in the middle of its own."""
    names = _united([(e.first, e.last) for _, entries in level for e in entries if first <= e.first and e.last <= last])
    if not names or len(names) * 2 > last - first + 1:
        return []
    centres = [_centre(level, *name) for name in names]
    groups = []
    start = first
    for at, (_, end) in enumerate(names):
        stop = last if at + 1 == len(names) else names[at + 1][0] - 1
        ends = [last] if at + 1 == len(names) else range(end, stop + 1)
        best = min(ends, key=lambda each: (abs(centres[at] - (columns[start].left + columns[each].right) / 2), each))
        groups.append((start, best))
        start = best + 1
    return groups


def _centre(level: list[Filled], first: int, last: int) -> float:
    inks = [ink for _, entries in level for e in entries if first <= e.first and e.last <= last for ink in e.inks]
    return (min(ink.left for ink in inks) + max(ink.right for ink in inks)) / 2


def _widened(entry: Entry, columns: list[Column], taken: set[int]) -> tuple[int, int]:
    """Return the columns around an entry whose middle is nearest to its own."""
    centre = (entry.inks[0].left + max(ink.right for ink in entry.inks)) / 2
    low, high = entry.first, entry.last
    while low - 1 >= 1 and low - 1 not in taken:
        low -= 1
    while high + 1 < len(columns) and high + 1 not in taken:
        high += 1
    if high - low > 16:
        return entry.first, entry.last
    best = (entry.first, entry.last)
    off = abs(centre - (columns[best[0]].left + columns[best[1]].right) / 2) - 0.6 * entry.inks[0].size
    for first in range(low, entry.first + 1):
        for last in range(entry.last, high + 1):
            here = abs(centre - (columns[first].left + columns[last].right) / 2)
            if here < off:
                best, off = (first, last), here
    return best


def _united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if united and first <= united[-1][1]:
            united[-1] = united[-1][0], max(last, united[-1][1])
        else:
            united.append((first, last))
    return united


def _drafts(levels: list[list[Filled]], groups: list[list[tuple[int, int]]], count: int) -> list[Draft]:
    """Return a cell for each group, and for each column one from below its group down."""
    drafts: list[Draft] = []
    home: dict[tuple[int, int], Draft] = {}
    for at in range(len(levels)):
        grouped = {column: group for group in groups[at] for column in range(group[0], group[1] + 1)}
        for column in range(count):
            first, last = grouped.get(column, (column, column))
            above = home.get((at - 1, column))
            if column != first:
                home[at, column] = home[at, first]
            elif first == last and above and above.column == above.last_column:
                above.last_row = at
                home[at, column] = above
            else:
                drafts.append(Draft(at, first, at, last, header=True))
                home[at, column] = drafts[-1]
        for _, entries in levels[at]:
            for entry in entries:
                home[at, entry.first].inks.extend(entry.inks)
    return drafts
